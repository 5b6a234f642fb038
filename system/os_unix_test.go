//go:build unix

package system

import (
	"os"
	"syscall"
	"testing"
)

// goOn is the signal that has a stopped process go on.
const goOn = syscall.SIGCONT

// stop stops a child of the test. It returns when every thread of the child stands still: Signal alone returns while a
// thread may still run and answer.
func stop(t *testing.T, child *os.Process) {
	t.Helper()
	if err := child.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var status syscall.WaitStatus
	_, err := syscall.Wait4(child.Pid, &status, syscall.WUNTRACED, nil)
	for err == syscall.EINTR {
		_, err = syscall.Wait4(child.Pid, &status, syscall.WUNTRACED, nil)
	}
	if err != nil || !status.Stopped() {
		t.Fatalf("wait for the child to stop: status %#x, %v", status, err)
	}
}

// needStop skips the test where a process cannot be stopped.
func needStop(*testing.T) {}

// socketOf is how package syscall has a socket.
func socketOf(fd uintptr) int { return int(fd) }
