package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// daemon is one strowger process.
type daemon struct {
	addr     string
	tokenDir string

	cmd    *exec.Cmd
	log    *daemonLog
	exited chan struct{} // closed when the process is gone
	err    error         // how it exited; set before exited is closed
	once   sync.Once     // guards stopping
}

// openServices is the policy of the tests' own services: everybody sees everything.
const openServices = "\npolicies:\n  lab_plain_service:\n    scopes: [{to: all}]\n"

// startDaemon runs the daemon with a configuration file of this text and openServices, and stops it
// when t ends.
func startDaemon(t *testing.T, yaml string) *daemon {
	t.Helper()
	return startDaemonAt(t, yaml, "127.0.0.1:0", t.TempDir())
}

// startDaemonAt is startDaemon with an address and a directory for tokens.
func startDaemonAt(t *testing.T, yaml, addr, tokenDir string) *daemon {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "strowger.yaml")
	if err := os.WriteFile(config, []byte(yaml+openServices), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &daemon{tokenDir: tokenDir, log: newDaemonLog(), exited: make(chan struct{})}
	d.cmd = exec.Command(path, "serve", "--listen", addr, "--token-dir", d.tokenDir, "--config", config)
	d.cmd.Env = slices.DeleteFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, "STROWGER_") })
	// Other daemons of other tests run at the same time.
	d.cmd.Env = append(d.cmd.Env, "STROWGER_ADMIN__ADDRESS=")
	groupProcess(d.cmd)
	stderr, err := d.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatalf("start daemon: %v", err)
	}
	go func() {
		defer close(d.exited)
		readErr := d.log.read(stderr)
		d.err = errors.Join(d.cmd.Wait(), readErr)
	}()
	t.Cleanup(func() { d.stop(t) })
	select {
	case d.addr = <-d.log.listening:
	case <-d.exited:
		t.Fatal("daemon exited before it listened")
	case <-time.After(deadline):
		t.Fatalf("daemon does not listen after %v", deadline)
	}
	return d
}

// hostPort returns the two parts of the address, as arguments of the PHP scripts.
func (d *daemon) hostPort(t *testing.T) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(d.addr)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

// stop asks the process to end, once, and fails t when it does not exit with status 0 or has logged
// what a healthy daemon does not.
func (d *daemon) stop(t *testing.T) {
	t.Helper()
	d.once.Do(func() {
		// A process that is gone already cannot be signalled; how it went is told below.
		_ = d.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-d.exited:
		case <-time.After(deadline):
			t.Errorf("daemon still runs %v after SIGTERM", deadline)
			_ = d.cmd.Process.Kill()
			<-d.exited
		}
		if d.err != nil {
			t.Errorf("daemon exited: %v", d.err)
		}
		if err := d.log.complaint(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the end of the daemon's log:\n%s", d.log.tail())
		}
	})
}

// daemonLog keeps what a daemon writes to stderr.
type daemonLog struct {
	listening chan string // the address, once

	mu    sync.Mutex // Protects following.
	lines []string
}

// tailLines is how many lines a failure shows.
const tailLines = 40

func newDaemonLog() *daemonLog { return &daemonLog{listening: make(chan string, 1)} }

// read keeps r's lines until it ends.
func (l *daemonLog) read(r io.Reader) error {
	reader := bufio.NewReader(r)
	announced := false
	for {
		line, err := reader.ReadString('\n')
		if line != "" {
			line = strings.TrimSuffix(line, "\n")
			l.mu.Lock()
			l.lines = append(l.lines, line)
			l.mu.Unlock()
			if addr := listenAddr(line); addr != "" && !announced {
				announced = true
				l.listening <- addr
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read log: %w", err)
		}
	}
}

// listenAddr returns the address that a line announces, "" for any other line.
func listenAddr(line string) string {
	var record struct{ Msg, Addr string }
	if err := json.Unmarshal([]byte(line), &record); err != nil || record.Msg != "listening" {
		return ""
	}
	return record.Addr
}

// complaint returns an error for every line that a healthy daemon does not write.
func (l *daemonLog) complaint() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var complaints []error
	for _, line := range l.lines {
		var record struct{ Level string }
		isRecord := json.Unmarshal([]byte(line), &record) == nil
		switch {
		case isRecord && record.Level == "ERROR", strings.Contains(line, "panic"), strings.Contains(line, "DATA RACE"):
			complaints = append(complaints, fmt.Errorf("daemon log: %s", line))
		}
	}
	return errors.Join(complaints...)
}

func (l *daemonLog) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines[max(0, len(l.lines)-tailLines):], "\n")
}
