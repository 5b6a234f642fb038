package token

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestClaimsFollowTheDirectory: the directory is kept open, and a claim notices all the same what became of it.
func TestClaimsFollowTheDirectory(t *testing.T) {
	moved := func(t *testing.T, dir string) {
		t.Helper()
		if err := os.Rename(dir, dir+".old"); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, tc := range map[string]struct {
		change func(t *testing.T, dir string)
		want   error // of a token that was there before
		after  error // of one that is made after it
	}{
		"nothing": {change: func(*testing.T, string) {}},
		"removed and made again": {want: ErrNotFound, change: func(t *testing.T, dir string) {
			t.Helper()
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
		}},
		"another in its place": {want: ErrNotFound, change: moved},
		"a link to another": {want: ErrNotFound, change: func(t *testing.T, dir string) {
			t.Helper()
			other := t.TempDir()
			if err := os.Rename(dir, dir+".old"); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(other, dir); err != nil {
				t.Fatal(err)
			}
		}},
		"opened to everyone": {want: ErrUnavailable, after: ErrUnavailable, change: func(t *testing.T, dir string) {
			t.Helper()
			if err := os.Chmod(dir, 0o777); err != nil { //nolint:gosec // what must be noticed
				t.Fatal(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "tokens")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			s, err := Open(Options{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			claim := func(when string, made *Token, want error) {
				t.Helper()
				if _, err := s.Claim(made.Name, made.Hash); !errors.Is(err, want) {
					t.Errorf("%s: %v, want %v", when, err, want)
				}
			}
			create := func() *Token {
				t.Helper()
				made, _, err := Create(dir, Spec{UserName: "a"}, PHP)
				if err != nil {
					t.Fatal(err)
				}
				return made
			}
			first, before := create(), create()
			claim("the first", first, nil)
			tc.change(t, dir)
			claim("one from before", before, tc.want)
			if tc.after == nil {
				claim("one from after", create(), nil)
				claim("another from after", create(), nil)
			}
		})
	}
}

// TestClaimsHoldOneDescriptor: however many tokens are claimed, only the directory stays open.
func TestClaimsHoldOneDescriptor(t *testing.T) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("descriptors cannot be counted here")
	}
	before := len(entries)
	s, err := Open(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		made, _, err := Create(s.dir, Spec{UserName: "a"}, PHP)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Claim(made.Name, made.Hash); err != nil {
			t.Fatal(err)
		}
	}
	if entries, err = os.ReadDir("/proc/self/fd"); err != nil || len(entries) > before+1 {
		t.Errorf("%d descriptors after the claims and %d before, %v; want one more", len(entries), before, err)
	}
}

// maxClaimAllocations is for a claim, from its name to the token.
const maxClaimAllocations = 55

// TestClaimAllocations bounds what a token of the usual size takes.
func TestClaimAllocations(t *testing.T) {
	dir := t.TempDir()
	spec := Spec{Services: []string{"active.calls"}, DomainName: "a.example.com", DomainUUID: "u", UserName: "admin", UserUUID: "v",
		Permissions: []string{"a_1", "a_2", "a_3", "a_4", "a_5", "a_6", "a_7", "a_8", "a_9", "a_10"}}
	s, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	const runs = 50
	var made []*Token
	for range runs + 1 {
		one, _, err := Create(dir, spec, PHP)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, one)
	}
	n := testing.AllocsPerRun(runs, func() {
		if _, err := s.Claim(made[0].Name, made[0].Hash); err != nil {
			t.Fatal(err)
		}
		made = made[1:]
	})
	if n > maxClaimAllocations {
		t.Errorf("%v allocations a claim, want at most %d", n, maxClaimAllocations)
	}
}
