//go:build unix

package token

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// directory is an open token directory.
type directory struct {
	fd   int
	path string
	stat unix.Stat_t
	patient
}

// openDirectory is the function of that name, which does not wait for a free descriptor, for one who does.
func (p patient) openDirectory(path string) (*directory, error) {
	fd, err := p.retry(func() (int, error) {
		return unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, fmt.Errorf("%w: open directory %s: %w", ErrUnavailable, path, err)
	}
	d := &directory{fd: fd, path: path, patient: p}
	if err := unix.Fstat(fd, &d.stat); err != nil {
		d.close()
		return nil, fmt.Errorf("%w: stat directory %s: %w", ErrUnavailable, path, err)
	}
	if writableByAll(&d.stat) {
		d.close()
		return nil, fmt.Errorf("%w: directory %s: everyone may write and it has no sticky bit", ErrUnavailable, path)
	}
	return d, nil
}

// current reports whether the directory's path still leads to it, and whether it is still one that
// openDirectory opens. The directory is open, so no other one can have its identity meanwhile.
func (d *directory) current() bool {
	var now unix.Stat_t
	if err := unix.Stat(d.path, &now); err != nil {
		return false
	}
	return now.Dev == d.stat.Dev && now.Ino == d.stat.Ino && !writableByAll(&now)
}

// writableByAll reports whether anyone may rename or delete the files of a directory.
func writableByAll(stat *unix.Stat_t) bool {
	mode := uint32(stat.Mode)
	return mode&unix.S_IWOTH != 0 && mode&unix.S_ISVTX == 0
}

// closeUnused closes the directory once nobody refers to it any more.
func (d *directory) closeUnused() {
	runtime.AddCleanup(d, func(fd int) { _ = unix.Close(fd) }, d.fd)
}

func (d *directory) close() { _ = unix.Close(d.fd) }

// sticky reports whether only the owner of a file may delete it.
func (d *directory) sticky() bool { return uint32(d.stat.Mode)&unix.S_ISVTX != 0 }

// writable returns an error when files cannot be deleted from the directory.
func (d *directory) writable() error {
	if err := unix.Faccessat(d.fd, ".", unix.W_OK|unix.X_OK, unix.AT_EACCESS); err != nil {
		return fmt.Errorf("%w: directory %s: not writable: %w", ErrUnavailable, d.path, err)
	}
	return nil
}

// file is an open candidate for a token. What is asked about it is asked of the
// open file, never of its name, so that nobody can swap it in between.
type file struct {
	dir  *directory
	name string
	fd   int
	stat unix.Stat_t
}

// open opens a file of the directory without following a symbolic link and
// without waiting for the far end of a pipe.
func (d *directory) open(name string) (*file, error) {
	const flags = unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC
	fd, err := d.retry(func() (int, error) { return unix.Openat(d.fd, name, flags, 0) })
	switch {
	case errors.Is(err, unix.ENOENT):
		return nil, ErrNotFound
	case errors.Is(err, unix.ELOOP), errors.Is(err, unix.ENXIO):
		return nil, fmt.Errorf("%w: not a regular file", ErrUntrusted)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM), errors.Is(err, unix.EAGAIN):
		// EAGAIN: the owner holds a lease on the file.
		return nil, d.denied(name, "read", err)
	case err != nil:
		return nil, fmt.Errorf("%w: open token file: %w", ErrUnavailable, err)
	}
	f := &file{dir: d, name: name, fd: fd}
	if err := unix.Fstat(fd, &f.stat); err != nil {
		f.close()
		return nil, fmt.Errorf("%w: stat token file: %w", ErrUnavailable, err)
	}
	return f, nil
}

// denied says whose file it is that was refused.
func (d *directory) denied(name, action string, cause error) error {
	var stat unix.Stat_t
	switch err := unix.Fstatat(d.fd, name, &stat, unix.AT_SYMLINK_NOFOLLOW); {
	case errors.Is(err, unix.ENOENT):
		return ErrNotFound
	case err != nil:
		return fmt.Errorf("%w: %s token file: %w", ErrUnavailable, action, cause)
	}
	return &deniedError{action: action, owner: int(stat.Uid), err: cause}
}

func (f *file) close() { _ = unix.Close(f.fd) }

// trusted returns an error unless only those who may issue tokens can have
// written the file.
func (f *file) trusted(owners []int) error {
	mode := uint32(f.stat.Mode)
	switch {
	case mode&unix.S_IFMT != unix.S_IFREG:
		return fmt.Errorf("%w: not a regular file", ErrUntrusted)
	case f.stat.Nlink == 0:
		return ErrNotFound
	case f.stat.Nlink != 1:
		return fmt.Errorf("%w: %d links, want 1", ErrUntrusted, f.stat.Nlink)
	case !slices.Contains(owners, int(f.stat.Uid)):
		return fmt.Errorf("%w: owner %d may not issue tokens", ErrUntrusted, f.stat.Uid)
	case mode&(unix.S_IWGRP|unix.S_IWOTH) != 0:
		return fmt.Errorf("%w: mode %04o lets others write", ErrUntrusted, mode&0o7777)
	}
	return nil
}

// remove deletes the file if its name still leads to it, and returns
// ErrNotFound to everyone but the one who deleted it.
func (f *file) remove() error {
	var named unix.Stat_t
	err := unix.Fstatat(f.dir.fd, f.name, &named, unix.AT_SYMLINK_NOFOLLOW)
	switch {
	case errors.Is(err, unix.ENOENT):
		return ErrNotFound
	case err != nil:
		return fmt.Errorf("%w: stat token file: %w", ErrUnavailable, err)
	case named.Dev != f.stat.Dev || named.Ino != f.stat.Ino:
		return fmt.Errorf("%w: replaced while it was read", ErrNotFound)
	}
	err = unix.Unlinkat(f.dir.fd, f.name, 0)
	switch {
	case errors.Is(err, unix.ENOENT):
		return ErrNotFound
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM), errors.Is(err, unix.EROFS):
		return &deniedError{action: "delete", owner: int(f.stat.Uid), err: err}
	case err != nil:
		return fmt.Errorf("%w: delete token file: %w", ErrUnavailable, err)
	}
	return f.gone()
}

// gone makes sure that the file that was read has no name any more: somebody
// may have linked it elsewhere, or put another under its name, to use it again.
func (f *file) gone() error {
	var after unix.Stat_t
	if err := unix.Fstat(f.fd, &after); err != nil {
		return fmt.Errorf("%w: stat token file: %w", ErrUnavailable, err)
	}
	if after.Nlink != 0 {
		return fmt.Errorf("%w: still linked after it was deleted", ErrUntrusted)
	}
	return nil
}

func (f *file) size() int64 { return f.stat.Size }

func (f *file) readSome(p []byte) (int, error) { return unix.Read(f.fd, p) }

// changed returns when the content of the file was written last.
func (f *file) changed() time.Time { return time.Unix(f.stat.Mtim.Unix()) }

func (f *file) owner() int { return int(f.stat.Uid) }

// list opens the directory's list of names. The caller must close it.
func (d *directory) list() (*os.File, error) {
	fd, err := retry(func() (int, error) { return unix.FcntlInt(uintptr(d.fd), unix.F_DUPFD_CLOEXEC, 0) })
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), d.path), nil
}

// look returns who owns a file and when its content was written last. It opens nothing.
func (d *directory) look(name string) (owner int, written time.Time, err error) {
	var stat unix.Stat_t
	if err := unix.Fstatat(d.fd, name, &stat, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return 0, time.Time{}, err
	}
	return int(stat.Uid), time.Unix(stat.Mtim.Unix()), nil
}

// ownerOf returns the user id of the owner of a directory.
func ownerOf(info fs.FileInfo) int {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid)
	}
	return noOwner
}
