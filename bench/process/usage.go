package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process has used so far.
type Usage struct {
	// CPU is user and system time of all its threads, exact to 10 ms.
	CPU time.Duration
	// RSS and Peak are bytes of memory, now and at most.
	RSS, Peak int64
}

// tick is the unit of /proc/PID/stat, which Linux fixes for programs at 100 a second.
const tick = 10 * time.Millisecond

// Read returns what the process has used.
func Read(pid int) (Usage, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Usage{}, fmt.Errorf("read usage: %w", err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Usage{}, fmt.Errorf("read usage: %w", err)
	}
	cpu, err := parseStat(stat)
	if err != nil {
		return Usage{}, err
	}
	rss, err := parseStatus(status, "VmRSS:")
	if err != nil {
		return Usage{}, err
	}
	peak, err := parseStatus(status, "VmHWM:")
	return Usage{CPU: cpu, RSS: rss, Peak: peak}, err
}

// Files is how many files, sockets among them, the process has open.
func Files(pid int) (int, error) {
	names, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return 0, fmt.Errorf("read usage: %w", err)
	}
	return len(names), nil
}

// parseStat adds up fields 14 and 15. The program's name, field 2, may have spaces and ends with the
// last parenthesis.
func parseStat(stat []byte) (time.Duration, error) {
	end := bytes.LastIndexByte(stat, ')')
	words := strings.Fields(string(stat[end+1:]))
	if end < 0 || len(words) < 13 {
		return 0, fmt.Errorf("read usage: stat is %q", stat)
	}
	user, err := strconv.ParseInt(words[11], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read usage: user time: %w", err)
	}
	system, err := strconv.ParseInt(words[12], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read usage: system time: %w", err)
	}
	return time.Duration(user+system) * tick, nil
}

func parseStatus(status []byte, key string) (int64, error) {
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, key); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("read usage: %s %w", key, err)
			}
			return kib << 10, nil
		}
	}
	return 0, fmt.Errorf("read usage: no %s", key)
}
