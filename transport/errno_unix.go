//go:build unix

package transport

import "syscall"

// The errors of the kernel that decide what is done.
const (
	timedOut      = syscall.ETIMEDOUT
	noHost        = syscall.EHOSTUNREACH
	noNetwork     = syscall.ENETUNREACH
	noDescriptor  = syscall.EMFILE
	badDescriptor = syscall.EBADF
	notListening  = syscall.EINVAL
	notSocket     = syscall.ENOTSOCK
)
