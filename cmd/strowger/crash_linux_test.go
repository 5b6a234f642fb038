package main

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSocketOfOthers leaves a socket alone that is not the one that systemd made for the unit: whoever else has it must
// not get EAGAIN.
func TestSocketOfOthers(t *testing.T) {
	for name, test := range map[string]struct {
		stream string // JOURNAL_STREAM, as a format of device and inode
		want   bool
	}{
		"journald's":        {"%d:%d", true},
		"not systemd's":     {"", false},
		"another inode":     {"%d:1%d", false},
		"another device":    {"1%d:%d", false},
		"something besides": {"%d:%d:", false},
	} {
		t.Run(name, func(t *testing.T) {
			ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(ends[0]) //nolint:errcheck // the test has ended
			var stat unix.Stat_t
			if err := unix.Fstat(ends[1], &stat); err != nil {
				t.Fatal(err)
			}
			stderr := os.NewFile(uintptr(ends[1]), "stderr")
			defer stderr.Close()
			cmd := exec.Command(os.Args[0], "-test.run=^TestLogOfProcess$")
			cmd.Stderr = stderr
			cmd.Env = append(os.Environ(), loggingLines+"=3", "JOURNAL_STREAM=")
			if test.stream != "" {
				cmd.Env = append(cmd.Env, fmt.Sprintf("JOURNAL_STREAM="+test.stream, stat.Dev, stat.Ino))
			}
			if err := cmd.Run(); err != nil {
				t.Fatal(err)
			}
			flags, err := unix.FcntlInt(uintptr(ends[1]), unix.F_GETFL, 0)
			if err != nil {
				t.Fatal(err)
			}
			if got := flags&unix.O_NONBLOCK != 0; got != test.want {
				t.Errorf("non-blocking: %v, want %v", got, test.want)
			}
		})
	}
}
