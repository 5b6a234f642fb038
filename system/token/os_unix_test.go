//go:build unix

package token

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func makePipe(t *testing.T, path string) {
	t.Helper()
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
}

func makeSocket(t *testing.T, path string) {
	t.Helper()
	if err := unix.Mknod(path, unix.S_IFSOCK|0o600, 0); err != nil {
		t.Fatal(err)
	}
}

func TestDefaultDir(t *testing.T) {
	want := os.TempDir()
	if unix.Access(sharedMemory, unix.W_OK) == nil {
		want = sharedMemory
	}
	if got := openStore(t, Options{}).Dir(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestUnlinkedFileIsNotThere(t *testing.T) {
	dir, err := openDirectory(filepath.Dir(put(t, t.TempDir(), PHP)))
	if err != nil {
		t.Fatal(err)
	}
	defer dir.close()
	f, err := dir.open(testName + ".php")
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	f.stat.Nlink = 0
	if err := f.trusted([]int{os.Geteuid()}); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}
