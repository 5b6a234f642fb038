package main

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// monotonic returns the time that systemd wants to know of a reload.
func monotonic() []string {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return nil
	}
	return []string{"MONOTONIC_USEC=" + strconv.FormatInt(now.Nano()/1000, 10)}
}
