package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"

	"strowger/bench/server"
)

// corpus is the directory of the recordings of a switch.
func (o options) corpus() string { return filepath.Join(o.root, "testdata", "fusionpbx", "corpus") }

// pin has the servers use the first processor if on is true. See leave.
func pin(servers []server.Spec, on bool) []server.Spec {
	for i := range servers {
		if on {
			servers[i].Core = "0"
		}
	}
	return servers
}

// leave has this process use all processors but the first one. It does nothing where there is only one.
func leave() error {
	if runtime.NumCPU() < 2 {
		return nil
	}
	var others unix.CPUSet
	for i := 1; i < runtime.NumCPU(); i++ {
		others.Set(i)
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("leave a processor: %w", err)
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			return fmt.Errorf("leave a processor: %w", err)
		}
		if err := unix.SchedSetaffinity(id, &others); err != nil {
			return fmt.Errorf("leave a processor: %w", err)
		}
	}
	return nil
}
