package transport

import "golang.org/x/sys/windows"

// The errors of the kernel that decide what is done. Those that package syscall calls ETIMEDOUT and so on are
// never returned by a socket.
const (
	timedOut      = windows.WSAETIMEDOUT
	noHost        = windows.WSAEHOSTUNREACH
	noNetwork     = windows.WSAENETUNREACH
	noDescriptor  = windows.WSAEMFILE
	badDescriptor = windows.WSAEBADF
	notListening  = windows.WSAEINVAL
	notSocket     = windows.WSAENOTSOCK
)
