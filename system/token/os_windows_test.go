package token

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/windows"
)

func makePipe(t *testing.T, _ string) {
	t.Helper()
	t.Skip("Windows has no pipes in directories")
}

func makeSocket(t *testing.T, _ string) {
	t.Helper()
	t.Skip("Windows has no sockets in directories")
}

func TestDefaultDirIsTheUsersAndIsMade(t *testing.T) {
	s := openStore(t, Options{})
	local, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(local, "strowger", "tokens"); s.Dir() != want {
		t.Errorf("got %s, want %s", s.Dir(), want)
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
}

func TestOwnersAreNoneAndNotTaken(t *testing.T) {
	if got, err := DefaultOwners(nil); err != nil || len(got) > 0 {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := DefaultOwners([]string{"www-data"}); err == nil || !strings.Contains(err.Error(), "no user ids") {
		t.Errorf("got %v", err)
	}
}

// TestOneClaimOfManyWins has many claim the same token at once, each with a store of its own.
func TestOneClaimOfManyWins(t *testing.T) {
	dir := t.TempDir()
	for range 50 {
		put(t, dir, JSON)
		var won atomic.Int32
		var claims sync.WaitGroup
		begin := make(chan struct{})
		for range 16 {
			s := openStore(t, Options{Dir: dir})
			claims.Go(func() {
				<-begin
				switch _, err := s.Claim(testName, testHash); {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, ErrNotFound):
					t.Errorf("got %v, want ErrNotFound", err)
				}
			})
		}
		close(begin)
		claims.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d claims won", won.Load())
		}
	}
}

// TestAFileInUseIsNotClaimed keeps a token open as programs do that let nobody delete it meanwhile.
func TestAFileInUseIsNotClaimed(t *testing.T) {
	dir := t.TempDir()
	path := put(t, dir, JSON)
	s := openStore(t, Options{Dir: dir})
	for name, share := range map[string]uint32{"deletes nothing": windows.FILE_SHARE_READ, "shares nothing": 0} {
		text, err := windows.UTF16PtrFromString(path)
		if err != nil {
			t.Fatal(err)
		}
		handle, err := windows.CreateFile(text, windows.GENERIC_READ, share, nil, windows.OPEN_EXISTING, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Claim(testName, testHash); err == nil {
			t.Errorf("%s: the token was claimed", name)
		}
		if err := windows.CloseHandle(handle); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Claim(testName, testHash); err != nil {
		t.Errorf("nobody has it open: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file: %v", err)
	}
}

func TestAReadOnlyTokenIsDeleted(t *testing.T) {
	dir := t.TempDir()
	path := put(t, dir, JSON)
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if _, err := openStore(t, Options{Dir: dir}).Claim(testName, testHash); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file: %v", err)
	}
}
