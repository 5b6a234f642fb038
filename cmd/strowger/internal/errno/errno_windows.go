// Package errno has the errors of the operating system that the program explains to its user. Windows returns others for
// sockets than those that package syscall calls by these names.
package errno

import "golang.org/x/sys/windows"

// Errors of sockets.
const (
	Refused             = windows.WSAECONNREFUSED
	Reset               = windows.WSAECONNRESET
	AddressInUse        = windows.WSAEADDRINUSE
	AddressNotAvailable = windows.WSAEADDRNOTAVAIL
	AccessDenied        = windows.WSAEACCES
)
