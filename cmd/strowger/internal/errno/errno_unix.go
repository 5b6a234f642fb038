//go:build unix

// Package errno has the errors of the operating system that the program explains to its user. Windows returns others for
// sockets than those that package syscall calls by these names.
package errno

import "syscall"

// Errors of sockets.
const (
	Refused             = syscall.ECONNREFUSED
	Reset               = syscall.ECONNRESET
	AddressInUse        = syscall.EADDRINUSE
	AddressNotAvailable = syscall.EADDRNOTAVAIL
	AccessDenied        = syscall.EACCES
)
