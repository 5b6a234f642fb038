// Package daemontest builds the daemon and runs it as a process of its own, for tests.
package daemontest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// timeout is how long a daemon may take to start and to stop. The race detector makes it slow.
const timeout = 2 * time.Minute

// Daemon is a daemon that runs, or the address of one that somebody else runs.
type Daemon struct {
	Addr     string // where it listens
	TokenDir string // where it looks for tokens

	cmd    *exec.Cmd
	log    *log
	exited chan struct{} // closed when the process is gone
	err    error         // how it exited; set before exited is closed
	stop   func() error
}

// Build compiles the daemon into dir and returns the path of its binary. The race detector is in it if it is
// in the test.
func Build(dir string) (string, error) {
	path := filepath.Join(dir, "strowger")
	args := []string{"build", "-o", path}
	if raceEnabled {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, "strowger/cmd/strowger")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build daemon: %w\n%s", err, out)
	}
	return path, nil
}

// Command returns a command that runs the binary in a process group of its own (see Group). The daemon's
// variables are removed from its environment.
func Command(binary string, args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, "STROWGER_") })
	Group(cmd)
	return cmd
}

// Start starts cmd and waits until it says on stderr where it listens. The caller must call Stop.
func Start(cmd *exec.Cmd, tokenDir string) (*Daemon, error) {
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("start daemon: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start daemon: %w", err)
	}
	d := &Daemon{TokenDir: tokenDir, cmd: cmd, log: newLog(), exited: make(chan struct{})}
	d.stop = sync.OnceValue(d.terminate)
	go func() {
		defer close(d.exited)
		readErr := d.log.read(stderr)
		d.err = errors.Join(cmd.Wait(), readErr)
	}()
	select {
	case d.Addr = <-d.log.listening:
		return d, nil
	case <-d.exited:
		return nil, fmt.Errorf("daemon exited before it listened: %w\n%s", d.err, d.log.tail())
	case <-time.After(timeout):
		_ = cmd.Process.Kill()
		<-d.exited
		return nil, fmt.Errorf("daemon does not listen after %v\n%s", timeout, d.log.tail())
	}
}

// Log returns the end of what the daemon has logged, or "" if somebody else runs it.
func (d *Daemon) Log() string {
	if d.log == nil {
		return ""
	}
	return d.log.tail()
}

// Allow makes lines of the log with a text no complaint of Stop.
func (d *Daemon) Allow(text string) {
	d.log.mu.Lock()
	defer d.log.mu.Unlock()
	d.log.allowed = append(d.log.allowed, text)
}

// AdminAddr waits until the admin pages listen, and returns their address.
func (d *Daemon) AdminAddr(ctx context.Context) (string, error) {
	line, err := d.find(ctx, `"msg":"admin listening"`)
	if err != nil {
		return "", err
	}
	var record struct{ Addr string }
	if err := json.Unmarshal([]byte(line), &record); err != nil {
		return "", fmt.Errorf("read log: %w", err)
	}
	return record.Addr, nil
}

// Await waits until a line of the log has a text. It returns an error if ctx or the daemon ends first.
func (d *Daemon) Await(ctx context.Context, text string) error {
	_, err := d.find(ctx, text)
	return err
}

func (d *Daemon) find(ctx context.Context, text string) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel()
		select {
		case <-d.exited:
		case <-ctx.Done():
		}
	}()
	line, found := d.log.await(text, ctx.Done())
	if !found {
		return "", fmt.Errorf("the log never says %s:\n%s", text, d.log.tail())
	}
	return line, nil
}

// Stop asks the process to end and waits for it. It returns what was wrong: an exit status other than 0, a stop
// that took too long, errors, panics and races in the log. Later calls return the same.
func (d *Daemon) Stop() error { return d.stop() }

func (d *Daemon) terminate() error {
	// A process that is gone already cannot be signalled; d.err tells how it ended.
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	var late error
	select {
	case <-d.exited:
	case <-time.After(timeout):
		late = fmt.Errorf("daemon still runs %v after SIGTERM", timeout)
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

// running tells whether the process still is.
func (d *Daemon) running() bool {
	select {
	case <-d.exited:
		return false
	default:
		return true
	}
}
