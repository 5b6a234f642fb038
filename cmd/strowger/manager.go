package main

import (
	"context"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"strowger/actors/clock"
)

// The variables by which a service manager such as systemd says that it wants to be told how the process is.
const (
	notifyVariable      = "NOTIFY_SOCKET"
	watchdogVariable    = "WATCHDOG_USEC"
	watchdogPIDVariable = "WATCHDOG_PID"
)

// statusEvery is the time between two looks for a new status.
const statusEvery = 10 * time.Second

// tellTimeout bounds how long the manager may take a message, which it does at once unless it hangs.
const tellTimeout = time.Second

// manager is the service manager that has started the process, as sd_notify(3) and sd_watchdog_enabled(3) describe
// it. Without one its methods do nothing. They may be called from any goroutine.
type manager struct {
	socket   string        // empty: there is none
	watchdog time.Duration // the manager ends the process when it has not heard of it for so long; 0: never
	clock    clock.Clock
	log      *slog.Logger

	mu     sync.Mutex // Protects following.
	failed bool       // that it cannot be told is logged
}

// newManager returns the manager that the environment names.
func newManager(environ []string, log *slog.Logger) *manager {
	m := &manager{clock: clock.Wall{}, log: log}
	var usec, pid string
	for _, entry := range environ {
		switch name, value, _ := strings.Cut(entry, "="); name {
		case notifyVariable:
			m.socket = value
		case watchdogVariable:
			usec = value
		case watchdogPIDVariable:
			pid = value
		}
	}
	if n, err := strconv.ParseInt(usec, 10, 64); err == nil && n > 0 && m.socket != "" && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		m.watchdog = time.Duration(n) * time.Microsecond
	}
	return m
}

// tell sends the manager one message of several lines. That it cannot be told is logged once.
func (m *manager) tell(lines ...string) {
	if m.socket == "" {
		return
	}
	err := send(m.socket, strings.Join(lines, "\n"))
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil && !m.failed {
		m.log.Warn("the service manager cannot be told how the router is", "file", m.socket, "err", err)
	}
	m.failed = err != nil
}

// send sends a message to a socket of the file system, or to an abstract one, whose name begins with @.
func send(socket, message string) error {
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(tellTimeout)); err != nil {
		return err
	}
	_, err = conn.Write([]byte(message))
	return err
}

// status is what the manager shows of a router, as systemctl status does.
func status(r router) string {
	return "STATUS=" + plural(r.Connections(), "connection") + ", " + plural(r.Services(), "service")
}

// ready says that r serves.
func (m *manager) ready(r router) { m.tell("READY=1", status(r)) }

// reloading says that the settings are read anew, until ready is called.
func (m *manager) reloading() {
	m.tell(append([]string{"RELOADING=1"}, monotonic()...)...)
}

// stopping says that the process ends.
func (m *manager) stopping() { m.tell("STOPPING=1", "STATUS=stopping") }

// keep says from time to time how r is, until ctx ends. It feeds the watchdog as long as r is healthy.
func (m *manager) keep(ctx context.Context, r router) {
	if m.socket == "" {
		return
	}
	every := statusEvery
	if m.watchdog > 0 {
		every = min(every, m.watchdog/2) // as sd_watchdog_enabled(3) recommends
	}
	due := make(chan struct{}, 1)
	said := status(r)
	for {
		if m.watchdog > 0 && r.Healthy() == nil {
			m.tell("WATCHDOG=1")
		}
		if now := status(r); now != said {
			said = now
			m.tell(now)
		}
		stop := m.clock.AfterFunc(every, func() { poke(due) })
		select {
		case <-due:
		case <-ctx.Done():
			stop()
			return
		}
	}
}

// poke puts a value into c unless there is one.
func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
