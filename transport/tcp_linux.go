package transport

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// giveUpAfter has the kernel end the connection when what was sent is not acknowledged for as long as a silent
// peer has that is probed at such intervals. It sends no probes meanwhile, and would try for a quarter of an hour.
func giveUpAfter(fd int, every time.Duration) {
	limit := max(every, 0) * (1 + probes)
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(limit/time.Millisecond))
}

// acked returns how many bytes the peer's system has acknowledged.
func acked(conn net.Conn) (bytes uint64, known bool) {
	control(conn, func(fd int) {
		if info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			bytes, known = info.Bytes_acked, true
		}
	})
	return bytes, known
}
