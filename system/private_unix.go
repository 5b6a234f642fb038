//go:build unix

package system

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// openPrivate opens a file, unless it is a link or others than this user can have written it.
func openPrivate(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if err := private(f); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// private returns an error unless nobody but this user can have written the file. What stands in it grants
// permissions.
func private(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || !info.Mode().IsRegular():
		return errors.New("it is no regular file")
	case int(stat.Uid) != os.Geteuid():
		return fmt.Errorf("it belongs to user %d, want %d", stat.Uid, os.Geteuid())
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("its mode is %04o, want 0600", info.Mode().Perm())
	case stat.Nlink != 1:
		return fmt.Errorf("it has %d links, want 1", stat.Nlink)
	}
	return nil
}
