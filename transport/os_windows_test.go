package transport

import (
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

func processorTime(b *testing.B) time.Duration {
	var created, ended, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(windows.CurrentProcess(), &created, &ended, &kernel, &user); err != nil {
		b.Fatal(err)
	}
	const unit = 100 * time.Nanosecond
	ticks := func(f windows.Filetime) time.Duration {
		return time.Duration(f.HighDateTime)<<32 | time.Duration(f.LowDateTime)
	}
	return (ticks(kernel) + ticks(user)) * unit
}

// socketOf is how package syscall has a socket.
func socketOf(fd uintptr) syscall.Handle { return syscall.Handle(fd) }
