package token

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestExamine looks at the newest file as the store would, and leaves it where it is.
func TestExamine(t *testing.T) {
	me := os.Geteuid()
	for name, test := range map[string]struct {
		prepare func(t *testing.T, dir, path string)
		later   time.Duration
		want    error
	}{
		"good":      {func(*testing.T, string, string) {}, 0, nil},
		"expired":   {func(*testing.T, string, string) {}, time.Hour, ErrExpired},
		"malformed": {func(t *testing.T, _, path string) { check(t, os.WriteFile(path, []byte("<?php die();"), 0o600)) }, 0, ErrMalformed},
		"writable":  {func(t *testing.T, _, path string) { check(t, os.Chmod(path, 0o666)) }, 0, ErrUntrusted},
		"a link": {func(t *testing.T, dir, path string) {
			check(t, errors.Join(os.Rename(path, filepath.Join(dir, "x")), os.Symlink("x", path)))
		}, 0, ErrUntrusted},
		"another name": {func(t *testing.T, dir, path string) {
			check(t, os.Rename(path, filepath.Join(dir, "0123456789abcdef.json")))
		}, 0, ErrMismatch},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			_, path, err := Create(dir, Spec{IssuedAt: issued, Limit: time.Minute}, JSON)
			check(t, err)
			test.prepare(t, dir, path)
			before := listing(t, dir)
			seen, err := Examine(Options{Dir: dir, Now: func() time.Time { return issued.Add(test.later) }}, me)
			if err != nil || seen.Problem != nil || seen.Tokens != 1 || seen.Newest == nil || seen.Owner != me {
				t.Fatalf("seen is %+v, %v", seen, err)
			}
			if got := seen.Newest.Problem; !errors.Is(got, test.want) || (got == nil) != (test.want == nil) {
				t.Errorf("the newest token: %v, want %v", got, test.want)
			}
			if after := listing(t, dir); len(after) != len(before) {
				t.Errorf("files are %q, were %q", after, before)
			}
		})
	}
}

func TestExamineNewestOfSeveral(t *testing.T) {
	dir := t.TempDir()
	for i, limit := range []time.Duration{time.Minute, time.Hour} {
		_, path, err := Create(dir, Spec{IssuedAt: issued, Limit: limit}, PHP)
		check(t, err)
		check(t, os.Chtimes(path, issued, issued.Add(-time.Duration(i)*time.Minute)))
	}
	seen, err := Examine(Options{Dir: dir, Now: func() time.Time { return issued.Add(2 * time.Minute) }}, os.Geteuid())
	if err != nil || seen.Tokens != 2 || !errors.Is(seen.Newest.Problem, ErrExpired) || !seen.Newest.Written.Equal(issued) {
		t.Errorf("seen is %+v, %v", seen.Newest, err)
	}
}

func TestExamineDirectory(t *testing.T) {
	open := t.TempDir()
	check(t, os.Chmod(open, 0o777))
	seen, err := Examine(Options{Dir: open}, os.Geteuid())
	if err != nil || !errors.Is(seen.Problem, ErrUnavailable) {
		t.Errorf("everybody may write: %v, %v", seen.Problem, err)
	}
	seen, err = Examine(Options{Dir: filepath.Join(open, "none")}, os.Geteuid())
	if err != nil || !errors.Is(seen.Problem, fs.ErrNotExist) {
		t.Errorf("no directory: %v, %v", seen.Problem, err)
	}
	const stranger = 54321
	seen, err = Examine(Options{Dir: t.TempDir()}, stranger)
	if err != nil || !errors.Is(seen.Problem, ErrUnavailable) {
		t.Errorf("a directory of another user: %v, %v", seen.Problem, err)
	}
	sticky := t.TempDir()
	check(t, os.Chmod(sticky, 0o777|fs.ModeSticky))
	_, _, err = Create(sticky, Spec{}, JSON)
	check(t, err)
	seen, err = Examine(Options{Dir: sticky, Owners: []int{os.Geteuid()}}, stranger)
	if err != nil || seen.Problem != nil {
		t.Fatalf("a directory of all: %v, %v", seen.Problem, err)
	}
	if os.Geteuid() != stranger && !errors.Is(seen.Newest.Problem, ErrUnavailable) {
		t.Errorf("a file that the router may not delete: %v", seen.Newest.Problem)
	}
}

// TestExamineUnreadable has a router that may delete a file, but not read it.
func TestExamineUnreadable(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a directory away")
	}
	const router = 54321
	dir := t.TempDir()
	_, path, err := Create(dir, Spec{}, JSON)
	check(t, errors.Join(err, os.Chown(dir, router, router)))
	for mode, want := range map[fs.FileMode]error{0o600: ErrUnavailable, 0o644: nil} {
		check(t, os.Chmod(path, mode))
		seen, err := Examine(Options{Dir: dir}, router)
		if err != nil || seen.Problem != nil || !errors.Is(seen.Newest.Problem, want) {
			t.Errorf("mode %o: %+v, %v", mode, seen.Newest, err)
		}
	}
}

func listing(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	check(t, err)
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
