//go:build unix

package transport

import (
	"net"
	"syscall"
)

// unread reports whether bytes of the peer wait in the kernel. A router that did not come to read them
// must not take their sender for dead.
func unread(conn net.Conn) bool {
	waits := false
	control(conn, func(fd int) {
		n, _, err := syscall.Recvfrom(fd, make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		waits = err == nil && n > 0
	})
	return waits
}
