package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// ownLog returns file. If file is stderr and a pipe, ownLog returns a duplicate for the log alone, and from then on
// writes to stderr itself do not wait for a reader. Go's runtime writes there when it ends the process after a panic or
// SIGQUIT, and must not wait until somebody reads the pipe. Other processes that write to the pipe notice nothing.
func ownLog(file *os.File) *os.File {
	fd := int(file.Fd())
	var stat unix.Stat_t
	if fd != unix.Stderr || unix.Fstat(fd, &stat) != nil {
		return file
	}
	// A socket, such as journald's, cannot be opened again. There the runtime waits for the reader.
	if stat.Mode&unix.S_IFMT != unix.S_IFIFO {
		return file
	}
	if own, err := divert(fd); err == nil {
		return own
	}
	return file
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
