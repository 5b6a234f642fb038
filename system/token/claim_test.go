package token

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestClaimTakesAGoodToken(t *testing.T) {
	for _, format := range []Format{PHP, JSON} {
		t.Run(format.String(), func(t *testing.T) {
			dir := t.TempDir()
			s := openStore(t, Options{Dir: dir})
			path := put(t, dir, format)
			token, err := s.Claim(testName, testHash)
			if err != nil {
				t.Fatal(err)
			}
			if token.Name != testName || len(token.Services) != 1 || !token.IssuedAt.Equal(issued) {
				t.Errorf("got %v", token)
			}
			if exists(t, path) {
				t.Error("the file was not deleted")
			}
			if _, err := s.Claim(testName, testHash); !errors.Is(err, ErrNotFound) {
				t.Errorf("second claim: got %v, want ErrNotFound", err)
			}
		})
	}
}

// TestClaimRefuses wants every refusal to leave the file alone and to keep the
// hash to itself.
func TestClaimRefuses(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(t *testing.T, dir string) (path string) // "" when there is no file to keep.
		hash    string
		want    error
	}{
		{"no file", func(*testing.T, string) string { return "" }, testHash, ErrNotFound},
		{"wrong hash", func(t *testing.T, dir string) string { return put(t, dir, PHP) }, noHash, ErrMismatch},
		{"wrong hash of a JSON token", func(t *testing.T, dir string) string { return put(t, dir, JSON) }, noHash, ErrMismatch},
		{"half a hash", func(t *testing.T, dir string) string { return put(t, dir, PHP) }, testHash[:32], ErrMismatch},
		{"token of another name", func(t *testing.T, dir string) string {
			data := bytes.ReplaceAll(mustRead(t, put(t, dir, PHP)), []byte(testName), []byte(testHash))
			return putFile(t, dir, testName+".php", data)
		}, testHash, ErrMismatch},
		{"not a token", func(t *testing.T, dir string) string {
			return putFile(t, dir, testName+".php", []byte("<?php exit(0);\n"))
		}, testHash, ErrMalformed},
		{"half written", func(t *testing.T, dir string) string {
			return putFile(t, dir, testName+".php", mustRead(t, put(t, dir, PHP))[:100])
		}, testHash, ErrMalformed},
		{"too large", func(t *testing.T, dir string) string {
			return putFile(t, dir, testName+".php", append(mustRead(t, put(t, dir, PHP)), bytes.Repeat([]byte(" "), 4096)...))
		}, testHash, ErrMalformed},
		{"symbolic link", func(t *testing.T, dir string) string {
			return link(t, os.Symlink, put(t, t.TempDir(), PHP), filepath.Join(dir, testName+".php"))
		}, testHash, ErrUntrusted},
		{"dangling symbolic link", func(t *testing.T, dir string) string {
			return link(t, os.Symlink, filepath.Join(dir, "nothing"), filepath.Join(dir, testName+".php"))
		}, testHash, ErrUntrusted},
		{"second link", func(t *testing.T, dir string) string {
			path := put(t, dir, PHP)
			link(t, os.Link, path, filepath.Join(dir, "second"))
			return path
		}, testHash, ErrUntrusted},
		{"pipe", func(t *testing.T, dir string) string {
			path := filepath.Join(dir, testName+".php")
			makePipe(t, path)
			return path
		}, testHash, ErrUntrusted},
		{"socket", func(t *testing.T, dir string) string {
			path := filepath.Join(dir, testName+".php")
			makeSocket(t, path)
			return path
		}, testHash, ErrUntrusted},
		{"directory", func(t *testing.T, dir string) string {
			path := filepath.Join(dir, testName+".php")
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
			return path
		}, testHash, ErrUntrusted},
		{"writable by its group", func(t *testing.T, dir string) string {
			path := put(t, dir, PHP)
			chmod(t, path, 0o660)
			return path
		}, testHash, ErrUntrusted},
		{"writable by all", func(t *testing.T, dir string) string {
			path := put(t, dir, JSON)
			chmod(t, path, 0o602)
			return path
		}, testHash, ErrUntrusted},
		{"owned by a stranger", func(t *testing.T, dir string) string {
			path := put(t, dir, PHP)
			chown(t, path, stranger)
			return path
		}, testHash, ErrUntrusted},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			s := openStore(t, Options{Dir: dir, MaxBytes: 4096})
			path := test.prepare(t, dir)
			token, err := s.Claim(testName, test.hash)
			if !errors.Is(err, test.want) || token != nil {
				t.Fatalf("got %v, %v, want %v", token, err, test.want)
			}
			if !strings.HasPrefix(err.Error(), "claim "+testName[:8]+"...: ") {
				t.Errorf("the error does not say which token: %v", err)
			}
			if strings.Contains(err.Error(), testHash) || strings.Contains(err.Error(), testName) {
				t.Errorf("the error tells too much: %v", err)
			}
			if path != "" && !exists(t, path) {
				t.Error("the file was deleted")
			}
		})
	}
}

func TestClaimKeepsToItsDirectory(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "tokens")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	outside := put(t, parent, PHP)
	s := openStore(t, Options{Dir: dir})
	names := []string{
		"", ".", "..", "short", "../" + testName, "../../var/www/fusionpbx/index", "/etc/passwd",
		filepath.Join(parent, testName), testName + ".php", testName + "\x00", "./" + testName,
		strings.Repeat("a", 129), strings.Repeat("a", 10_000), strings.Repeat("ä", 32), testName + "\n", testName[:63] + " ",
	}
	for _, name := range names {
		if _, err := s.Claim(name, testHash); !errors.Is(err, ErrMalformedName) {
			t.Errorf("name %.40q: got %v, want ErrMalformedName", name, err)
		}
		if _, err := s.Claim(testName, name); !errors.Is(err, ErrMalformedName) {
			t.Errorf("hash %.40q: got %v, want ErrMalformedName", name, err)
		}
	}
	if !exists(t, outside) {
		t.Error("a file outside the directory was deleted")
	}
}

func TestWellFormed(t *testing.T) {
	for _, text := range []string{testName, strings.Repeat("a", 16), strings.Repeat("Z", 128), "AZaz09_-AZaz09_-"} {
		if !wellFormed(text) {
			t.Errorf("%q was refused", text)
		}
	}
	for c := range 256 {
		want := strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", rune(c)) && c < 0x80
		if got := wellFormed(testName + string([]byte{byte(c)})); got != want {
			t.Errorf("with byte %#x: got %t, want %t", c, got, want)
		}
	}
}

func TestClaimTime(t *testing.T) {
	tests := []struct {
		name  string
		limit int // Minutes.
		age   time.Duration
		want  error
	}{
		{"no limit, old", 0, 10 * 365 * 24 * time.Hour, nil},
		{"young", 1, 59 * time.Second, nil},
		{"a moment before the limit", 1, time.Minute - time.Nanosecond, nil},
		{"at the limit", 1, time.Minute, ErrExpired},
		{"over the limit", 1, 61 * time.Second, ErrExpired},
		{"from the future", 1, -time.Hour, nil},
		{"longest limit", int(maxMinutes), 100 * 365 * 24 * time.Hour, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			data := fmt.Sprintf("<?php return ['services' => [], 'token' => ['name' => '%s', 'hash' => '%s', 'time' => '%d', 'limit' => %d]];",
				testName, testHash, issued.Unix(), test.limit)
			path := putFile(t, dir, testName+".php", []byte(data))
			s := openStore(t, Options{Dir: dir, Now: func() time.Time { return issued.Add(test.age) }})
			if _, err := s.Claim(testName, noHash); !errors.Is(err, ErrMismatch) || !exists(t, path) {
				t.Errorf("wrong hash: got %v, want ErrMismatch and the file left alone", err)
			}
			_, err := s.Claim(testName, testHash)
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if exists(t, path) {
				t.Error("the file was not deleted")
			}
		})
	}
}

func TestClaimTrustsTheNamedOwners(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	s := openStore(t, Options{Dir: dir, Owners: []int{stranger}})
	chown(t, put(t, dir, PHP), stranger)
	if _, err := s.Claim(testName, testHash); err != nil {
		t.Errorf("token of a named owner: %v", err)
	}
	path := put(t, dir, PHP)
	chown(t, path, stranger+1)
	if _, err := s.Claim(testName, testHash); !errors.Is(err, ErrUntrusted) {
		t.Errorf("token of another user: got %v, want ErrUntrusted", err)
	}
}

// TestClaimIsNotBlockedByAPlant puts a file nobody may trust beside a good one.
func TestClaimIsNotBlockedByAPlant(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, Options{Dir: dir})
	put(t, dir, JSON)
	plant := link(t, os.Symlink, "/etc/passwd", filepath.Join(dir, testName+".php"))
	if _, err := s.Claim(testName, testHash); err != nil {
		t.Errorf("got %v, want the JSON token", err)
	}
	if !exists(t, plant) {
		t.Error("the plant was deleted")
	}
	if _, err := s.Claim(testName, testHash); !errors.Is(err, ErrUntrusted) {
		t.Errorf("the plant alone: got %v, want ErrUntrusted", err)
	}
}

func TestClaimBoundsGrants(t *testing.T) {
	tests := []struct {
		name string
		opts Options
		want string
	}{
		{"permissions", Options{MaxPermissions: 2}, "permissions: 3 entries, tokens.max_permissions allows 2"},
		{"services", Options{MaxServices: 2}, "services: 3 entries, tokens.max_services allows 2"},
		{"extensions", Options{MaxExtensions: 2}, ": 3 entries, tokens.max_extensions allows 2"},
		{"depth", Options{MaxDepth: 1}, "nested too deep"},
	}
	spec := Spec{Permissions: []string{"a", "b", "c"}, Services: []string{"a", "b", "c"}, Extensions: []string{"1@a", "2@a", "3@a"}}
	for _, test := range tests {
		for _, format := range []Format{PHP, JSON} {
			t.Run(test.name+" "+format.String(), func(t *testing.T) {
				test.opts.Dir = t.TempDir()
				token, _, err := Create(test.opts.Dir, spec, format)
				if err != nil {
					t.Fatal(err)
				}
				_, err = openStore(t, test.opts).Claim(token.Name, token.Hash)
				if !errors.Is(err, ErrMalformed) || !strings.HasSuffix(err.Error(), test.want) {
					t.Errorf("got %v, want ... %s", err, test.want)
				}
				exact := Options{Dir: test.opts.Dir, MaxPermissions: 3, MaxServices: 3, MaxExtensions: 3}
				if _, err := openStore(t, exact).Claim(token.Name, token.Hash); err != nil {
					t.Errorf("at the bounds: %v", err)
				}
			})
		}
	}
}
