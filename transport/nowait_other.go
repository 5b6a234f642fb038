//go:build unix && !linux

package transport

import (
	"errors"
	"syscall"
)

// nonBlocking says that the descriptors of connections do not block.
const nonBlocking = true

// writeNow returns how many bytes there was room for; EAGAIN means none.
func writeNow(fd int, p []byte) (int, error) {
	for {
		n, err := syscall.Write(fd, p)
		if !errors.Is(err, syscall.EINTR) {
			return max(n, 0), err
		}
	}
}
