package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// ownLog returns file. If file is stderr and a pipe or a socket, ownLog returns a duplicate for the log alone, and from
// then on writes to stderr itself do not wait for a reader. Go's runtime writes there when it ends the process after a
// panic or SIGQUIT, and must not wait until somebody reads. Other processes that write to the pipe notice nothing.
func ownLog(file *os.File) *os.File {
	fd := int(file.Fd())
	var stat unix.Stat_t
	if fd != unix.Stderr || unix.Fstat(fd, &stat) != nil {
		return file
	}
	take := map[uint32]func(int) (*os.File, error){unix.S_IFIFO: divert, unix.S_IFSOCK: share}[stat.Mode&unix.S_IFMT]
	if take == nil {
		return file
	}
	if own, err := take(fd); err == nil {
		return own
	}
	return file
}

// share makes fd, a socket such as journald's, one whose writes never wait, and returns a duplicate whose Write waits.
// A socket cannot be opened again, so whoever else has it, such as stdout, does not wait from then on either.
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
