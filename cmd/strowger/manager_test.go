package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"strowger/actors/clock/clocktest"
)

// managerSocket is the socket on which a service manager hears of a process.
type managerSocket struct {
	t    *testing.T
	conn *net.UnixConn
	name string
}

func newManagerSocket(t *testing.T) *managerSocket {
	t.Helper()
	dir, err := os.MkdirTemp("", "notify") // a short name: the kernel takes 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return listenAsManager(t, filepath.Join(dir, "socket"))
}

func listenAsManager(t *testing.T, name string) *managerSocket {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &managerSocket{t, conn, name}
}

// hears wants the next message to be these lines; each is a pattern.
func (s *managerSocket) hears(lines ...string) {
	s.t.Helper()
	if err := s.conn.SetReadDeadline(time.Now().Add(deadline)); err != nil {
		s.t.Fatal(err)
	}
	buffer := make([]byte, 4096)
	n, err := s.conn.Read(buffer)
	if err != nil {
		s.t.Fatalf("waiting for %q: %v", lines, err)
	}
	if got := string(buffer[:n]); !regexp.MustCompile("^" + strings.Join(lines, "\n") + "$").MatchString(got) {
		s.t.Errorf("the manager hears %q, want %q", got, lines)
	}
}

// TestServeTellsItsManager has a manager hear of a whole life.
func TestServeTellsItsManager(t *testing.T) {
	s := newManagerSocket(t)
	file := filepath.Join(t.TempDir(), "strowger.yaml")
	writeFile(t, file, "limits: {depth: 9}\n")
	r := begin(t, func(p *program) {
		newFakeRouter().install(p)
		p.environ = []string{"NOTIFY_SOCKET=" + s.name}
	}, "serve", "--config", file)
	s.hears("READY=1", "STATUS=2 connections, 1 service")
	reloads := []string{"RELOADING=1"}
	if len(monotonic()) > 0 {
		reloads = append(reloads, `MONOTONIC_USEC=[1-9]\d+`)
	}
	for _, settings := range []string{"limits: {depth: 10}\n", "limits: {depth: 1}\n"} { // the second one is wrong
		writeFile(t, file, settings)
		r.signals.send(t, syscall.SIGHUP)
		s.hears(reloads...)
		s.hears("READY=1", "STATUS=2 connections, 1 service")
	}
	r.signals.send(t, syscall.SIGTERM)
	s.hears("STOPPING=1", "STATUS=stopping")
	r.wait(0)
}

// TestServeThatCannotStart never says that it is ready.
func TestServeThatCannotStart(t *testing.T) {
	s := newManagerSocket(t)
	r := begin(t, func(p *program) {
		f := newFakeRouter()
		f.startErr = syscall.EADDRINUSE
		f.install(p)
		p.environ = []string{"NOTIFY_SOCKET=" + s.name}
	}, "serve")
	r.wait(1)
	if err := s.conn.SetReadDeadline(time.Now()); err != nil { // whatever it has said is there
		t.Fatal(err)
	}
	if n, err := s.conn.Read(make([]byte, 100)); err == nil {
		t.Errorf("the manager hears %d bytes", n)
	}
}

// TestWatchdog feeds the watchdog while the router is healthy, and only then.
func TestWatchdog(t *testing.T) {
	s := newManagerSocket(t)
	hands := clocktest.New()
	m := newManager([]string{"NOTIFY_SOCKET=" + s.name, "WATCHDOG_USEC=8000000", "WATCHDOG_PID=" + strconv.Itoa(os.Getpid())}, slog.New(slog.DiscardHandler))
	m.clock = hands
	f := newFakeRouter()
	var hangs atomic.Bool
	f.healthy = func() error {
		if hangs.Load() {
			return errors.New("the router hangs")
		}
		return nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); m.keep(ctx, f) }()
	s.hears("WATCHDOG=1") // at once
	hands.AwaitTimers(t, 1)
	hangs.Store(true)
	for range 3 {
		hands.Advance(4 * time.Second)
		hands.AwaitTimers(t, 1)
	}
	m.tell("STATUS=before") // the manager has heard nothing else so far
	s.hears("STATUS=before")
	hangs.Store(false)
	hands.Advance(3 * time.Second)
	m.tell("STATUS=early") // before half of the time
	s.hears("STATUS=early")
	hands.Advance(time.Second)
	s.hears("WATCHDOG=1")
	cancel()
	<-ended
}

// TestNewManager reads the environment.
func TestNewManager(t *testing.T) {
	pid := strconv.Itoa(os.Getpid())
	for name, test := range map[string]struct {
		environ  []string
		socket   string
		watchdog time.Duration
	}{
		"nobody":            {nil, "", 0},
		"a watchdog alone":  {[]string{"WATCHDOG_USEC=1000000"}, "", 0},
		"no watchdog":       {[]string{"NOTIFY_SOCKET=@a"}, "@a", 0},
		"a watchdog":        {[]string{"NOTIFY_SOCKET=/a", "WATCHDOG_USEC=30000000"}, "/a", 30 * time.Second},
		"ours":              {[]string{"NOTIFY_SOCKET=/a", "WATCHDOG_USEC=1000000", "WATCHDOG_PID=" + pid}, "/a", time.Second},
		"another process's": {[]string{"NOTIFY_SOCKET=/a", "WATCHDOG_USEC=1000000", "WATCHDOG_PID=1" + pid}, "/a", 0},
		"no number":         {[]string{"NOTIFY_SOCKET=/a", "WATCHDOG_USEC=30s"}, "/a", 0},
		"a negative number": {[]string{"NOTIFY_SOCKET=/a", "WATCHDOG_USEC=-1"}, "/a", 0},
	} {
		t.Run(name, func(t *testing.T) {
			m := newManager(test.environ, nil)
			if m.socket != test.socket || m.watchdog != test.watchdog {
				t.Errorf("socket %q, watchdog %v, want %q, %v", m.socket, m.watchdog, test.socket, test.watchdog)
			}
		})
	}
}

// A manager that is gone is a line of the log, and no more than one.
func TestManagerIsGone(t *testing.T) {
	log := newOutput()
	m := newManager([]string{"NOTIFY_SOCKET=/nonexistent/socket"}, slog.New(slog.NewJSONHandler(log, nil)))
	m.tell("STATUS=a")
	m.tell("STATUS=b")
	if got := log.String(); strings.Count(got, "the service manager cannot be told") != 1 || !strings.Contains(got, `"file":"/nonexistent/socket"`) {
		t.Errorf("log: %s", got)
	}
	new(manager).keep(t.Context(), nil) // without a manager there is nothing to do
}
