package token

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Credentials used where a test writes the file itself.
const (
	testName = "76f48efab854f4b26d6e3156378df74cd3b729a9a8aa57e0e103396daaae5184"
	testHash = "a03bee8968baf704dbbe938aa29b04b24b82cd3bab868baa7788d1cd953c8f69"
	noHash   = "0000000000000000000000000000000000000000000000000000000000000000"
)

// issued is when the tokens of these tests were made.
var issued = time.Unix(1_795_470_833, 0)

// stranger is a user id that may issue no tokens, and not the one that tests.
const stranger = 4_242

func openStore(t *testing.T, opts Options) *Store {
	t.Helper()
	if opts.Now == nil {
		opts.Now = func() time.Time { return issued }
	}
	s, err := Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// put writes a good user token under testName and returns its path.
func put(t *testing.T, dir string, format Format) string {
	t.Helper()
	token := &Token{Kind: User, Name: testName, Hash: testHash, IssuedAt: issued, Services: []string{"active.calls"}}
	data, err := format.encode(token)
	if err != nil {
		t.Fatal(err)
	}
	return putFile(t, dir, testName+format.extension(), data)
}

func putFile(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func exists(t *testing.T, path string) bool {
	t.Helper()
	_, err := os.Lstat(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file to another user")
	}
}

func chown(t *testing.T, path string, uid int) {
	t.Helper()
	needRoot(t)
	if err := os.Lchown(path, uid, -1); err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func link(t *testing.T, make func(from, to string) error, from, to string) string {
	t.Helper()
	if err := make(from, to); err != nil {
		t.Fatal(err)
	}
	return to
}

func TestOpenAndCheck(t *testing.T) {
	dir := t.TempDir()
	file := putFile(t, dir, "file", nil)
	open := filepath.Join(dir, "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	chmod(t, open, 0o777)
	tests := []struct {
		name string
		dir  string
		want string
	}{
		{"missing", filepath.Join(dir, "none"), "no such file or directory"},
		{"not a directory", file, "not a directory"},
		{"anyone may delete", open, "everyone may write and it has no sticky bit"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Open(Options{Dir: test.dir})
			if !errors.Is(err, ErrUnavailable) || !strings.HasSuffix(err.Error(), test.want) {
				t.Errorf("got %v, want ... %s", err, test.want)
			}
		})
	}
	chmod(t, open, 0o777|os.ModeSticky)
	if _, err := Open(Options{Dir: open}); err != nil {
		t.Errorf("sticky directory: %v", err)
	}
	if _, err := Open(Options{Dir: dir, MaxDepth: -1}); err == nil {
		t.Error("a negative bound was accepted")
	}
}

// TestStoreSurvivesItsDirectory removes the directory and makes it again.
func TestStoreSurvivesItsDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tokens")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, Options{Dir: dir})
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(); !errors.Is(err, ErrUnavailable) {
		t.Errorf("directory gone: got %v, want ErrUnavailable", err)
	}
	if _, err := s.Claim(testName, testHash); !errors.Is(err, ErrUnavailable) {
		t.Errorf("claim with the directory gone: got %v, want ErrUnavailable", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, dir, PHP)
	if _, err := s.Claim(testName, testHash); err != nil {
		t.Errorf("directory back: %v", err)
	}
}

func TestReportsACauseOnce(t *testing.T) {
	var out bytes.Buffer
	s := openStore(t, Options{Dir: t.TempDir(), Log: slog.New(slog.NewTextHandler(&out, nil))})
	cause := &deniedError{action: "delete", owner: os.Geteuid(), err: syscall.EPERM}
	for range 3 {
		if err := s.explain(cause); !errors.Is(err, ErrUnavailable) || !errors.Is(err, syscall.EPERM) {
			t.Errorf("got %v, want ErrUnavailable and EPERM", err)
		}
	}
	if lines := strings.Count(out.String(), "level=ERROR"); lines != 1 || strings.Contains(out.String(), testName) {
		t.Errorf("want one error without the name, got\n%s", &out)
	}
	if err := s.explain(&deniedError{action: "read", owner: stranger, err: syscall.EACCES}); !errors.Is(err, ErrUntrusted) {
		t.Errorf("file of a stranger: got %v, want ErrUntrusted", err)
	}
	if lines := strings.Count(out.String(), "level=ERROR"); lines != 1 {
		t.Errorf("a stranger's file was reported to the operator:\n%s", &out)
	}
}
