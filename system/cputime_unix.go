//go:build unix

package system

import (
	"syscall"
	"time"
)

// cpuTime returns how long the process has used a processor, 0 if that is not known.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
