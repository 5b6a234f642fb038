// Package regular reads files that are regular ones. Anything else, such as a named pipe that nobody
// writes to, could keep its reader waiting for ever.
package regular

import (
	"fmt"
	"io"
	"os"
	"syscall"
)

// TooLargeError says that a file is larger than the caller wants to read.
type TooLargeError struct{ Limit int64 }

// Error returns how large the file may be.
func (e *TooLargeError) Error() string { return fmt.Sprintf("is larger than %d bytes", e.Limit) }

// ReadFile returns what is in the file, which may have limit bytes. Errors of the file system are a
// *fs.PathError, the others do not name the file.
func ReadFile(path string, limit int64) ([]byte, error) {
	// Without O_NONBLOCK it is opening a pipe that waits. It means nothing for regular files.
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the file and what failed
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err //nolint:wrapcheck // as above
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("is %s, not a regular file", kind(info.Mode()))
	}
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, err //nolint:wrapcheck // as above
	}
	if int64(len(data)) > limit {
		return nil, &TooLargeError{limit}
	}
	return data, nil
}

func kind(mode os.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&os.ModeNamedPipe != 0:
		return "a pipe"
	case mode&os.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}
