package main

import (
	"errors"
	"io"
	"os"
)

// errNoStderr is why a line cannot be written where stderr is closed.
var errNoStderr = errors.New("stderr is closed")

// closed is a writer that takes nothing.
type closed struct{}

// Write implements io.Writer.
func (closed) Write([]byte) (int, error) { return 0, errNoStderr }

// openLog returns w, or a writer that fails where w was closed when the process started, as by 2>&-.
func openLog(w io.Writer) io.Writer {
	file, ok := w.(*os.File)
	if !ok {
		return w
	}
	if shut(file) {
		return closed{}
	}
	return ownLog(file)
}
