//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// shut tells whether a file was closed when the process started. Go's runtime opens /dev/null in its place, so each
// line would seem to be written. The runtime opens it for reading and writing, a shell's 2>/dev/null for writing alone:
// what goes there is not missed.
func shut(file *os.File) bool {
	flags, err := unix.FcntlInt(file.Fd(), unix.F_GETFL, 0)
	if err != nil {
		return true
	}
	var here, null unix.Stat_t
	if unix.Fstat(int(file.Fd()), &here) != nil || unix.Stat(os.DevNull, &null) != nil {
		return false
	}
	return flags&unix.O_ACCMODE == unix.O_RDWR && here.Rdev == null.Rdev && here.Mode&unix.S_IFMT == unix.S_IFCHR
}
