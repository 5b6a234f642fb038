//go:build unix

package transport

import (
	"syscall"
	"testing"
	"time"
)

func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// socketOf is how package syscall has a socket.
func socketOf(fd uintptr) int { return int(fd) }
