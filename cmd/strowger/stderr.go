package main

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// errNoStderr is why a line cannot be written where stderr is closed.
var errNoStderr = errors.New("stderr is closed")

// closed is a writer that takes nothing.
type closed struct{}

// Write implements io.Writer.
func (closed) Write([]byte) (int, error) { return 0, errNoStderr }

// openLog returns w, or a writer that fails where w was closed when the process started, as by 2>&-. Go's
// runtime opens /dev/null in its place, so each line would seem to be written. The runtime opens it for
// reading and writing, a shell's 2>/dev/null for writing alone: what goes there is not missed.
func openLog(w io.Writer) io.Writer {
	file, ok := w.(*os.File)
	if !ok {
		return w
	}
	flags, err := unix.FcntlInt(file.Fd(), unix.F_GETFL, 0)
	if err != nil {
		return closed{}
	}
	var here, null unix.Stat_t
	if unix.Fstat(int(file.Fd()), &here) != nil || unix.Stat(os.DevNull, &null) != nil {
		return file
	}
	if flags&unix.O_ACCMODE == unix.O_RDWR && here.Rdev == null.Rdev && here.Mode&unix.S_IFMT == unix.S_IFCHR {
		return closed{}
	}
	return ownLog(file)
}
