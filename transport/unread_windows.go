package transport

import (
	"net"
	"unsafe"

	"golang.org/x/sys/windows"
)

// fionread asks for the number of bytes that can be read; winsock2.h calls it FIONREAD.
const fionread = 0x4004667f

// unread reports whether bytes of the peer wait in the kernel. A router that did not come to read them
// must not take their sender for dead.
func unread(conn net.Conn) bool {
	bytes := uint32(0)
	control(conn, func(fd int) {
		var size uint32
		_ = windows.WSAIoctl(windows.Handle(fd), fionread, nil, 0, (*byte)(unsafe.Pointer(&bytes)), uint32(unsafe.Sizeof(bytes)), &size, nil, 0)
	})
	return bytes > 0
}
