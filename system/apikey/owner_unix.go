//go:build unix

package apikey

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// keepOwner gives a new file to the owner of the one whose place it takes, as root must do for a daemon of another user. It
// is no error if there is no old file.
func keepOwner(old, made string) error {
	info, err := os.Lstat(old)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err //nolint:wrapcheck // it names the file
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(stat.Uid) == os.Geteuid() {
		return nil
	}
	return os.Chown(made, int(stat.Uid), int(stat.Gid)) //nolint:wrapcheck // as above
}
