package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// crashPatience is how long the last words of Go's runtime may wait at a socket, in microseconds for each
// piece of them.
const crashPatience = 20_000

// ownLog returns file, or where that is stderr a duplicate of it for the log alone. What then writes to stderr
// itself does not wait for a reader: Go's runtime does when it ends the process after a panic or SIGQUIT, and the
// process would stay until somebody read its pipe. Others who have the pipe open do not notice.
func ownLog(file *os.File) *os.File {
	fd := int(file.Fd())
	var stat unix.Stat_t
	if fd != unix.Stderr || unix.Fstat(fd, &stat) != nil {
		return file
	}
	switch stat.Mode & unix.S_IFMT {
	case unix.S_IFSOCK: // journald's, which cannot be opened again
		// Where it fails, the runtime waits as it would without.
		_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &unix.Timeval{Usec: crashPatience})
		return file
	case unix.S_IFIFO:
		if own, err := divert(fd); err == nil {
			return own
		}
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
