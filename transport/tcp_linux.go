package transport

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// giveUpAfter has the kernel end the connection when what was sent is not acknowledged for so long. It
// sends no keepalive probes meanwhile, and would try for a quarter of an hour.
func giveUpAfter(c *net.TCPConn, d time.Duration) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(d/time.Millisecond))
	})
}

// acked returns how many bytes the peer's system has acknowledged.
func acked(conn net.Conn) (bytes uint64, known bool) {
	c, ok := underlying(conn).(*net.TCPConn)
	if !ok {
		return 0, false
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, false
	}
	_ = raw.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			bytes, known = info.Bytes_acked, true
		}
	})
	return bytes, known
}
