//go:build unix

package main

import (
	"bytes"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// serve starts a router, waits until it listens, stops it, and returns its log.
func serve(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	log := &log{listens: make(chan struct{})}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	select {
	case <-log.listens:
	case err := <-ended:
		t.Fatalf("it ended: %v\n%s", err, log)
	case <-time.After(deadline):
		t.Fatalf("it does not listen\n%s", log)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it stopped with %v\n%s", err, log)
		}
	case <-time.After(deadline):
		t.Fatalf("it does not stop\n%s", log)
	}
	return log.String()
}

// log gathers what a router logs.
type log struct {
	mu      sync.Mutex // protects following
	text    bytes.Buffer
	once    sync.Once
	listens chan struct{} // closed when the router listens
}

func (l *log) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.text.Write(data)
	if strings.Contains(l.text.String(), `"msg":"listening"`) {
		l.once.Do(func() { close(l.listens) })
	}
	return n, err
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
