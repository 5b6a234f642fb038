package process

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// limitMemory has the kernel refuse this process more than limit bytes of private, writable memory beyond what it has mapped
// now. What is mapped now may be large and is hardly used, as with the race detector.
func limitMemory(limit int64) error {
	mapped, err := dataBytes()
	if err != nil {
		return err
	}
	var r syscall.Rlimit
	if err := syscall.Getrlimit(unix.RLIMIT_DATA, &r); err != nil {
		return fmt.Errorf("read RLIMIT_DATA: %w", err)
	}
	most := uint64(limit) + mapped //nolint:gosec // limit is positive
	r.Cur, r.Max = min(r.Cur, most), min(r.Max, most)
	if err := syscall.Setrlimit(unix.RLIMIT_DATA, &r); err != nil {
		return fmt.Errorf("set RLIMIT_DATA: %w", err)
	}
	return nil
}

// dataBytes returns how much private, writable memory this process has mapped.
func dataBytes() (uint64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, fmt.Errorf("read the size of the process: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmData:"); ok {
			kib, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 54)
			if err != nil {
				return 0, fmt.Errorf("read the size of the process: %w", err)
			}
			return kib << 10, nil
		}
	}
	return 0, fmt.Errorf("read the size of the process: no VmData")
}

// offer has the kernel end this process before its parent if the machine, or the cgroup of both, has no memory left.
func offer() { _ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0o600) }
