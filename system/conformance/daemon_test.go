package conformance

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

const (
	startTimeout = 2 * time.Minute // the race detector makes a slow start slower
	stopTimeout  = time.Minute     // beyond shutdown.timeout
)

// daemon is one strowger process, or one that somebody else runs and that has no process here.
type daemon struct {
	addr     string
	tokenDir string

	cmd    *exec.Cmd
	log    *daemonLog
	exited chan struct{} // closed when the process is gone
	err    error         // how it exited; set before exited is closed
}

// buildDaemon compiles the daemon and returns the path of its binary.
func buildDaemon(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "strowger")
	args := []string{"build", "-o", binary}
	if raceEnabled {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, "strowger/cmd/strowger")...).CombinedOutput()
	if err != nil {
		t.Fatalf("build daemon: %v\n%s", err, out)
	}
	return binary
}

// startDaemon runs command with its arguments and waits until it says on stderr where it listens.
// extraEnv joins an environment free of the daemon's own variables.
func startDaemon(command []string, tokenDir string, extraEnv ...string) (*daemon, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, "STROWGER_") })
	cmd.Env = append(cmd.Env, extraEnv...)
	endWithParent(cmd)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("start daemon: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start daemon: %w", err)
	}
	d := &daemon{tokenDir: tokenDir, cmd: cmd, log: newDaemonLog(), exited: make(chan struct{})}
	go func() {
		defer close(d.exited)
		readErr := d.log.read(stderr)
		d.err = errors.Join(cmd.Wait(), readErr)
	}()
	select {
	case d.addr = <-d.log.listening:
		return d, nil
	case <-d.exited:
		return nil, fmt.Errorf("daemon exited before it listened: %w\n%s", d.err, d.log.tail())
	case <-time.After(startTimeout):
		_ = cmd.Process.Kill()
		<-d.exited
		return nil, fmt.Errorf("daemon does not listen after %v\n%s", startTimeout, d.log.tail())
	}
}

// showLog adds the end of the daemon's log to what t says.
func (d *daemon) showLog(t *testing.T) {
	t.Helper()
	if d.log != nil {
		t.Logf("the end of the daemon's log:\n%s", d.log.tail())
	}
}

// running tells whether the process still is.
func (d *daemon) running() bool {
	select {
	case <-d.exited:
		return false
	default:
		return true
	}
}

// stop asks the process to end and returns what was wrong with it: an exit status other than 0,
// a stop that took too long, log lines that must not be.
func (d *daemon) stop() error {
	// A process that is gone already cannot be signalled; how it went is told below.
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	var late error
	select {
	case <-d.exited:
	case <-time.After(stopTimeout):
		late = fmt.Errorf("daemon still runs %v after SIGTERM", stopTimeout)
		_ = d.cmd.Process.Kill()
		<-d.exited
	}
	err := errors.Join(late, d.log.complaint())
	if d.err != nil {
		err = errors.Join(err, fmt.Errorf("daemon exited: %w", d.err))
	}
	if err != nil {
		return fmt.Errorf("%w\nthe end of its log:\n%s", err, d.log.tail())
	}
	return nil
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
