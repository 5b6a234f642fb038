//go:build unix

package secretfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// open does not wait for a pipe that nobody writes to.
func open(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

func trusted(info fs.FileInfo, kind Kind, uid int) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	mode := info.Mode().Perm()
	switch {
	case !ok:
		return errors.New("has no owner")
	case int(stat.Uid) != uid && stat.Uid != 0:
		return fmt.Errorf("belongs to user %d, want user %d or root", stat.Uid, uid)
	case uid != os.Geteuid() && uid != 0 && stat.Uid == 0 && mode&0o044 == 0:
		return fmt.Errorf("belongs to root and has mode %04o, so user %d cannot read it", mode, uid)
	case kind == Secret && mode&0o077 != 0:
		return fmt.Errorf("has mode %04o, which lets others use it; want 0600", mode)
	case kind == Shared && mode&0o027 != 0:
		return fmt.Errorf("has mode %04o, which lets others use it; want 0600 or 0640", mode)
	case mode&0o022 != 0:
		return fmt.Errorf("has mode %04o, which lets others write; want 0644 or less", mode)
	case kind != Public && stat.Nlink != 1:
		return fmt.Errorf("has %d links, want 1", stat.Nlink)
	}
	return nil
}
