// Package process runs the servers under test and reads from /proc what they use.
package process

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	startTimeout = 20 * time.Second
	stopTimeout  = 15 * time.Second
)

// Process is a running server.
type Process struct {
	// Addr is where it listens.
	Addr netip.AddrPort

	cmd    *exec.Cmd
	exited chan struct{}
	err    error // why it exited; once exited is closed
	tail   tail
}

// Start runs a command and waits until it says where it listens: a line of its output that has
// "msg":"listening" and then "addr":"HOST:PORT". It is killed when the caller's process ends.
func Start(cmd *exec.Cmd) (*Process, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	output, input, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	cmd.Stdout, cmd.Stderr = input, input
	p := &Process{cmd: cmd, exited: make(chan struct{})}
	// Linux kills a child when the thread that started it ends, and a locked goroutine's thread
	// lives as long as Wait below.
	started := make(chan error)
	go p.run(input, started)
	if err := <-started; err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", cmd.Path, err), output.Close())
	}
	addr := make(chan netip.AddrPort, 1)
	go p.follow(output, addr)
	select {
	case p.Addr = <-addr:
		return p, nil
	case <-p.exited:
		return nil, fmt.Errorf("%s ended before it listened: %w\n%s", cmd.Path, p.err, p.tail.String())
	case <-time.After(startTimeout):
		return nil, errors.Join(fmt.Errorf("%s does not listen after %s\n%s", cmd.Path, startTimeout, p.tail.String()), p.Stop())
	}
}

// PID is the id of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Alive returns an error with the end of the output if the process has ended.
func (p *Process) Alive() error {
	select {
	case <-p.exited:
		return fmt.Errorf("server ended: %w\n%s", p.err, p.tail.String())
	default:
		return nil
	}
}

// Signal sends a signal.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Stop ends the process, politely at first, and waits for it.
func (p *Process) Stop() error {
	if err := p.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop server: %w", err)
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(stopTimeout):
	}
	err := p.Signal(syscall.SIGKILL)
	<-p.exited
	return err
}

func (p *Process) run(input *os.File, started chan<- error) {
	runtime.LockOSThread()
	err := p.cmd.Start()
	_ = input.Close() // the child has it
	started <- err
	if err != nil {
		return
	}
	if p.err = p.cmd.Wait(); p.err == nil {
		p.err = errors.New("exit status 0")
	}
	close(p.exited)
}

// follow reads the output until it ends and finds the address in it.
func (p *Process) follow(output io.ReadCloser, found chan<- netip.AddrPort) {
	defer output.Close()
	address := regexp.MustCompile(`"msg":"listening".*"addr":"([0-9.]+:[0-9]+)"`)
	seen := false
	lines := bufio.NewReader(output)
	for {
		line, err := lines.ReadString('\n')
		p.tail.add(line)
		if match := address.FindStringSubmatch(line); match != nil && !seen {
			if addr, err := netip.ParseAddrPort(match[1]); err == nil {
				seen = true
				found <- addr
			}
		}
		if err != nil {
			return
		}
	}
}

// tail keeps the last lines of the output.
type tail struct {
	mu    sync.Mutex // protects lines
	lines []string
}

const tailLines = 20

func (t *tail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == tailLines {
		t.lines = append(t.lines[:0], t.lines[1:]...)
	}
	t.lines = append(t.lines, line)
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := ""
	for _, line := range t.lines {
		text += line
	}
	return text
}
