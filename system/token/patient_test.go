//go:build unix

package token

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// forbidFiles lets this process open no file until allow is called.
func forbidFiles(t *testing.T) (allow func()) {
	t.Helper()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	none := before
	none.Cur = 0
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	allow = func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(allow)
	return allow
}

func TestClaimWaitsForADescriptor(t *testing.T) {
	dir := t.TempDir()
	made, _, err := Create(dir, Spec{Kind: User}, PHP)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var waited time.Duration
	allow := func() {}
	s.wait = func(d time.Duration) {
		if waited += d; waited > 20*time.Millisecond {
			allow()
		}
	}
	allow = forbidFiles(t)
	if _, err := s.Claim(made.Name, made.Hash); err != nil {
		t.Fatalf("claim: %v", err)
	}
	if waited == 0 {
		t.Error("it did not wait")
	}
}

// The error says that it may be different soon, so that the caller does not refuse the token.
func TestClaimGivesUpWithoutADescriptor(t *testing.T) {
	dir := t.TempDir()
	made, _, err := Create(dir, Spec{Kind: User}, PHP)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var waited time.Duration
	s.wait = func(d time.Duration) { waited += d }
	allow := forbidFiles(t)
	_, err = s.Claim(made.Name, made.Hash)
	allow()
	var errno syscall.Errno
	if !errors.Is(err, ErrUnavailable) || !errors.As(err, &errno) || !errno.Temporary() {
		t.Errorf("error %v, want one that is temporary", err)
	}
	if waited < time.Second || waited > 2*time.Second {
		t.Errorf("it waited %v, want between one and two seconds", waited)
	}
	if _, err := s.Claim(made.Name, made.Hash); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
