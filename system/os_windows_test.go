package system

import (
	"os"
	"syscall"
	"testing"
)

// goOn stands for the signal that has a stopped process go on. There is none.
const goOn = syscall.Signal(0)

// stop is never called: needStop skips its tests.
func stop(t *testing.T, _ *os.Process) { needStop(t) }

// needStop skips the test where a process cannot be stopped.
func needStop(t *testing.T) {
	t.Helper()
	t.Skip("Windows has no signal that stops a process")
}

// socketOf is how package syscall has a socket.
func socketOf(fd uintptr) syscall.Handle { return syscall.Handle(fd) }
