//go:build unix

package console

import "syscall"

// auditFlags keep the audit file from being a link, and its opening from waiting for the far end of a pipe.
const auditFlags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// modes says that the mode of a file tells who may read and write it.
const modes = true
