package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// ownLog returns file. If file is stderr and a pipe, or a socket that systemd made for this process, ownLog returns a
// duplicate for the log alone, and from then on writes to stderr itself do not wait for a reader. Go's runtime writes
// there when it ends the process after a panic or SIGQUIT, and must not wait until somebody reads. Other processes that
// write to the pipe notice nothing.
func ownLog(file *os.File) *os.File {
	fd := int(file.Fd())
	var stat unix.Stat_t
	if fd != unix.Stderr || unix.Fstat(fd, &stat) != nil {
		return file
	}
	var own *os.File
	var err error
	switch kind := stat.Mode & unix.S_IFMT; {
	case kind == unix.S_IFIFO:
		own, err = divert(fd)
	case kind == unix.S_IFSOCK && isJournal(stat):
		own, err = share(fd)
	default:
		return file
	}
	if err != nil {
		return file
	}
	return own
}

// isJournal reports whether a file is the connection to journald that systemd made for a unit, which nobody outside of
// the unit has. systemd puts its device and inode into JOURNAL_STREAM.
func isJournal(stat unix.Stat_t) bool {
	return os.Getenv("JOURNAL_STREAM") == fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
}

// share makes fd, a socket, one whose writes never wait, and returns a duplicate whose Write waits. A socket cannot be
// opened again, so whoever else has it, such as stdout, does not wait from then on either.
func share(fd int) (*os.File, error) {
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("duplicate stderr: %w", err)
	}
	if err := unix.SetNonblock(own, true); err != nil {
		_ = unix.Close(own)
		return nil, fmt.Errorf("keep stderr from waiting: %w", err)
	}
	return os.NewFile(uintptr(own), "stderr"), nil // not blocking, so Go waits for it as for a connection
}

// divert puts in the place of fd, a pipe, one whose writes never wait, and returns what fd was.
func divert(fd int) (*os.File, error) {
	hasty, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open stderr again: %w", err)
	}
	defer unix.Close(hasty) //nolint:errcheck // its duplicate stays
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("duplicate stderr: %w", err)
	}
	if err := unix.Dup3(hasty, fd, 0); err != nil {
		_ = unix.Close(own)
		return nil, fmt.Errorf("replace stderr: %w", err)
	}
	return os.NewFile(uintptr(own), "stderr"), nil
}
