package system

import (
	"syscall"
	"testing"
)

// The signals that stop a process and have it go on. There are none.
const (
	stop = syscall.Signal(0)
	goOn = syscall.Signal(0)
)

// needStop skips the test where a process cannot be stopped.
func needStop(t *testing.T) {
	t.Helper()
	t.Skip("Windows has no signal that stops a process")
}

// socketOf is how package syscall has a socket.
func socketOf(fd uintptr) syscall.Handle { return syscall.Handle(fd) }
