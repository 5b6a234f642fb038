//go:build !linux

package transport

import (
	"errors"
	"syscall"
)

// writeNow returns how many bytes there was room for; EAGAIN means none.
func writeNow(fd int, p []byte) (int, error) {
	for {
		n, err := syscall.Write(fd, p)
		if !errors.Is(err, syscall.EINTR) {
			return max(n, 0), err
		}
	}
}
