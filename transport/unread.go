package transport

import (
	"net"
	"syscall"
)

// unread reports whether bytes of the peer wait in the kernel. A router that did not come to read them
// must not take their sender for dead.
func unread(conn net.Conn) bool {
	c, ok := underlying(conn).(*net.TCPConn)
	if !ok {
		return false
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	waits := false
	_ = raw.Control(func(fd uintptr) {
		n, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		waits = err == nil && n > 0
	})
	return waits
}
