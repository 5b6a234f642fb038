package e2e

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// onSocket starts a daemon whose log is a socket, as journald gives one to a unit.
func onSocket(t *testing.T) *quiet {
	t.Helper()
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return startQuietOn(t, os.NewFile(uintptr(ends[0]), "reader"), os.NewFile(uintptr(ends[1]), "writer"))
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
			for _, host := range []string{"a.example", "b.example", "c.example"} {
				q.configure(many(host)...)
				q.reload(host)
			}
			if err := q.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
				t.Fatal(err)
			}
			select {
			case <-q.exited:
			case <-time.After(deadline):
				t.Fatalf("still runs %v after SIGQUIT", deadline)
			}
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
			<-q.exited
		})
	}
}

// A reader of a socket that is stuck keeps nobody from being served, nor the router from stopping, and misses no line
// without being told once it reads again.
func TestLogSocketIsStuck(t *testing.T) {
	q := onSocket(t)
	for _, host := range []string{"a.example", "b.example", "c.example"} {
		q.configure(many(host)...)
		q.reload(host)
	}
	if err := q.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(q.line(), `"msg":"stopped"`) {
	}
	<-q.exited
	if q.err != nil {
		t.Errorf("exited with %v", q.err)
	}
}
