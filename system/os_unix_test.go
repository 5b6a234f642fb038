//go:build unix

package system

import (
	"syscall"
	"testing"
)

// The signals that stop a process and have it go on.
const (
	stop = syscall.SIGSTOP
	goOn = syscall.SIGCONT
)

// needStop skips the test where a process cannot be stopped.
func needStop(*testing.T) {}

// socketOf is how package syscall has a socket.
func socketOf(fd uintptr) int { return int(fd) }
