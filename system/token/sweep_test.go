package token

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// lay writes the file of a token that was issued and written at the same moment.
func lay(t *testing.T, dir string, format Format, at time.Time, limit time.Duration) string {
	t.Helper()
	token := &Token{Kind: User, Name: testName, Hash: testHash, IssuedAt: at, Limit: limit, Services: []string{"active.calls"}}
	data, err := format.encode(token)
	if err != nil {
		t.Fatal(err)
	}
	return touch(t, putFile(t, dir, testName+format.extension(), data), at)
}

// touch sets when a file was written.
func touch(t *testing.T, path string, at time.Time) string {
	t.Helper()
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
	return path
}

// The clock of the sweep stands at issued. Each case makes one file.
func TestSweep(t *testing.T) {
	const minute, hour, day = time.Minute, time.Hour, 24 * time.Hour
	old := issued.Add(-30 * day)
	expired := func(t *testing.T, dir string) string { return lay(t, dir, PHP, old, 30*minute) }
	tests := map[string]struct {
		make func(t *testing.T, dir string) string
		o    SweepOptions
		want Swept // the zero value: the file stays
	}{
		"expired, PHP":  {expired, SweepOptions{}, Swept{Expired: 1}},
		"expired, JSON": {func(t *testing.T, dir string) string { return lay(t, dir, JSON, old, 30*minute) }, SweepOptions{}, Swept{Expired: 1}},
		"expired an hour ago": {func(t *testing.T, dir string) string { return lay(t, dir, PHP, issued.Add(-90*minute), 30*minute) },
			SweepOptions{}, Swept{Expired: 1}},
		"expired a little less ago": {func(t *testing.T, dir string) string { return lay(t, dir, PHP, issued.Add(-89*minute), 30*minute) },
			SweepOptions{}, Swept{}},
		"expired now, no grace": {func(t *testing.T, dir string) string { return lay(t, dir, PHP, issued.Add(-30*minute), 30*minute) },
			SweepOptions{Grace: -1}, Swept{Expired: 1}},
		"not expired, no grace": {func(t *testing.T, dir string) string { return lay(t, dir, PHP, issued.Add(-29*minute), 30*minute) },
			SweepOptions{Grace: -1, Unclaimed: minute}, Swept{}},
		"good for ever": {func(t *testing.T, dir string) string { return lay(t, dir, PHP, old, 0) }, SweepOptions{}, Swept{}},
		"good for ever, and old": {func(t *testing.T, dir string) string { return lay(t, dir, PHP, old, 0) },
			SweepOptions{Unclaimed: 30 * day}, Swept{Unclaimed: 1}},
		"good for ever, not old enough": {func(t *testing.T, dir string) string { return lay(t, dir, PHP, old, 0) },
			SweepOptions{Unclaimed: 30*day + minute}, Swept{}},
		"good for ever, written lately": {func(t *testing.T, dir string) string {
			return touch(t, lay(t, dir, PHP, old, 0), issued.Add(-minute))
		}, SweepOptions{Unclaimed: hour}, Swept{}},
		"good for ever, issued lately": {func(t *testing.T, dir string) string {
			return touch(t, lay(t, dir, PHP, issued.Add(-minute), 0), old)
		}, SweepOptions{Unclaimed: hour}, Swept{}},
		"issued in the future": {func(t *testing.T, dir string) string { return lay(t, dir, PHP, issued.Add(day), minute) },
			SweepOptions{Grace: -1, Unclaimed: minute}, Swept{}},
		"unfinished": {func(t *testing.T, dir string) string {
			return touch(t, putFile(t, dir, unfinished+"123", []byte("half")), issued.Add(-hour))
		}, SweepOptions{}, Swept{Unfinished: 1}},
		"unfinished, being written": {func(t *testing.T, dir string) string {
			return touch(t, putFile(t, dir, unfinished+"123", []byte("half")), issued.Add(-59*minute))
		}, SweepOptions{}, Swept{}},

		"another name than the file's": {func(t *testing.T, dir string) string {
			path := expired(t, dir)
			moved := filepath.Join(dir, testHash+".php")
			if err := os.Rename(path, moved); err != nil {
				t.Fatal(err)
			}
			return moved
		}, SweepOptions{Unclaimed: minute}, Swept{}},
		"another extension": {func(t *testing.T, dir string) string {
			path := expired(t, dir)
			if err := os.Rename(path, path+".bak"); err != nil {
				t.Fatal(err)
			}
			return path + ".bak"
		}, SweepOptions{Unclaimed: minute}, Swept{}},
		"not a token": {func(t *testing.T, dir string) string {
			return touch(t, putFile(t, dir, testName+".php", []byte("<?php phpinfo();\n")), old)
		}, SweepOptions{Unclaimed: minute}, Swept{}},
		"half a token": {func(t *testing.T, dir string) string {
			path := expired(t, dir)
			return touch(t, putFile(t, dir, testName+".php", mustRead(t, path)[:100]), old)
		}, SweepOptions{Unclaimed: minute}, Swept{}},
		"too large": {func(t *testing.T, dir string) string {
			path := expired(t, dir)
			return touch(t, putFile(t, dir, testName+".php", append(mustRead(t, path), bytes.Repeat([]byte(" "), 4096)...)), old)
		}, SweepOptions{Unclaimed: minute}, Swept{}},
		"others may write": {func(t *testing.T, dir string) string {
			path := expired(t, dir)
			chmod(t, path, 0o666)
			return path
		}, SweepOptions{Unclaimed: minute}, Swept{}},
		"a second link": {func(t *testing.T, dir string) string {
			path := expired(t, dir)
			link(t, os.Link, path, filepath.Join(dir, "second"))
			return path
		}, SweepOptions{Unclaimed: minute}, Swept{}},
		"a link to a token": {func(t *testing.T, dir string) string {
			return link(t, os.Symlink, expired(t, t.TempDir()), filepath.Join(dir, testName+".php"))
		}, SweepOptions{Unclaimed: minute}, Swept{}},
		"a pipe": {func(t *testing.T, dir string) string {
			path := filepath.Join(dir, testName+".php")
			makePipe(t, path)
			return path
		}, SweepOptions{Unclaimed: minute}, Swept{}},
		"a directory": {func(t *testing.T, dir string) string {
			path := filepath.Join(dir, testName+".php")
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
			return path
		}, SweepOptions{Unclaimed: minute}, Swept{}},
		"of a stranger": {func(t *testing.T, dir string) string {
			path := expired(t, dir)
			chown(t, path, stranger)
			return path
		}, SweepOptions{Unclaimed: minute}, Swept{}},
		"unfinished, of a stranger": {func(t *testing.T, dir string) string {
			path := touch(t, putFile(t, dir, unfinished+"123", nil), old)
			chown(t, path, stranger)
			return path
		}, SweepOptions{}, Swept{}},
		"somebody else's file": {func(t *testing.T, dir string) string {
			return touch(t, putFile(t, dir, "sess_0123456789abcdef0123456789", []byte("x")), old)
		}, SweepOptions{Unclaimed: minute}, Swept{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := openStore(t, Options{Dir: dir, MaxBytes: 4096})
			path := test.make(t, dir)
			got, err := s.Sweep(t.Context(), test.o)
			if err != nil {
				t.Fatal(err)
			}
			if got != test.want {
				t.Errorf("swept %+v, want %+v", got, test.want)
			}
			if stays := test.want == (Swept{}); exists(t, path) != stays {
				t.Errorf("the file is there: %v, want %v", !stays, stays)
			}
		})
	}
}

func TestSweepIsBounded(t *testing.T) {
	tests := map[string]struct {
		entries, files int
		more           bool
	}{
		"fewer":                 {5, 4, false},
		"as many":               {5, 5, false},
		"more":                  {5, 6, true},
		"more than one batch":   {0, 600, false},
		"more than two batches": {550, 600, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for i := range test.files {
				touch(t, putFile(t, dir, fmt.Sprintf("%s%d", unfinished, i), nil), issued.Add(-48*time.Hour))
			}
			got, err := openStore(t, Options{Dir: dir}).Sweep(t.Context(), SweepOptions{Entries: test.entries})
			if err != nil {
				t.Fatal(err)
			}
			want := test.files
			if test.more {
				want = test.entries
			}
			if got.More != test.more || got.Unfinished != want {
				t.Errorf("swept %+v, want %d files and more: %v", got, want, test.more)
			}
		})
	}
}

func TestSweepEndsWithItsContext(t *testing.T) {
	dir := t.TempDir()
	path := lay(t, dir, PHP, issued.Add(-48*time.Hour), time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := openStore(t, Options{Dir: dir}).Sweep(ctx, SweepOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
	if !exists(t, path) {
		t.Error("the file was deleted")
	}
}

func TestSweepWithoutDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tokens")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, Options{Dir: dir})
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Sweep(t.Context(), SweepOptions{}); !errors.Is(err, ErrUnavailable) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
}

// A claim and a sweep of the same expired token do not get in each other's way.
func TestSweepBesideClaim(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, Options{Dir: dir})
	for range 200 {
		path := lay(t, dir, PHP, issued.Add(-48*time.Hour), time.Minute)
		claimed := make(chan error, 1)
		go func() {
			_, err := s.Claim(testName, testHash)
			claimed <- err
		}()
		swept, err := s.Sweep(t.Context(), SweepOptions{})
		if err != nil || swept.Failed != 0 {
			t.Fatalf("swept %+v, %v", swept, err)
		}
		if err := <-claimed; !errors.Is(err, ErrExpired) && !errors.Is(err, ErrNotFound) {
			t.Fatalf("the claim got %v", err)
		}
		if exists(t, path) {
			t.Fatal("the file is still there")
		}
	}
}
