package system

import (
	"time"

	"golang.org/x/sys/windows"
)

// cpuTime returns how long the process has used a processor, 0 if that is not known.
func cpuTime() time.Duration {
	var created, ended, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(windows.CurrentProcess(), &created, &ended, &kernel, &user); err != nil {
		return 0
	}
	return ticks(kernel) + ticks(user)
}

// ticks returns a time that Windows counts in units of 100 ns.
func ticks(f windows.Filetime) time.Duration {
	return 100 * (time.Duration(f.HighDateTime)<<32 | time.Duration(f.LowDateTime))
}
