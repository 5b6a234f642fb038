package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// onSocket starts a daemon whose log is a socket, as systemd gives it one of journald's. It takes little before it is full.
func onSocket(t *testing.T) *quiet {
	t.Helper()
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	reader, writer := os.NewFile(uintptr(ends[0]), "reader"), os.NewFile(uintptr(ends[1]), "writer")
	var stat syscall.Stat_t
	if err := errors.Join(syscall.SetsockoptInt(ends[1], syscall.SOL_SOCKET, syscall.SO_SNDBUF, 1<<14), syscall.Fstat(ends[1], &stat)); err != nil {
		t.Fatal(err)
	}
	return startQuietOn(t, reader, writer, fmt.Sprintf("JOURNAL_STREAM=%d:%d", stat.Dev, stat.Ino))
}

// kinds are what a log may be.
func kinds() map[string]func(*testing.T) *quiet {
	return map[string]func(*testing.T) *quiet{"pipe": startQuiet, "socket": onSocket}
}

// Go's runtime ends the process, as after a panic outside of actors, although what takes the log is full and nobody
// reads it.
func TestRuntimeEndsWhileLogReaderIsStuck(t *testing.T) {
	for name, start := range kinds() {
		t.Run(name, func(t *testing.T) {
			q := start(t)
			q.fill()
			if err := q.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
				t.Fatal(err)
			}
			q.exits("SIGQUIT")
			if exit := new(exec.ExitError); !errors.As(q.err, &exit) || exit.ExitCode() != 2 {
				t.Errorf("ended with %v, want the runtime's status 2", q.err)
			}
		})
	}
}

// What the runtime says at the end is read as ever.
func TestRuntimeEndsWithATrace(t *testing.T) {
	for name, start := range kinds() {
		t.Run(name, func(t *testing.T) {
			q := start(t)
			if err := q.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
				t.Fatal(err)
			}
			for !strings.Contains(q.line(), "SIGQUIT") {
			}
			for !strings.HasPrefix(q.line(), "goroutine ") {
			}
			q.exits("SIGQUIT")
		})
	}
}

// A reader of a socket that is stuck keeps nobody from being served, nor the router from stopping.
func TestLogSocketIsStuck(t *testing.T) { stuck(t, onSocket(t)) }

// When a socket is read again, a line says how many are missing.
func TestLogSocketFlowsAgain(t *testing.T) { flowsAgain(t, onSocket(t)) }
