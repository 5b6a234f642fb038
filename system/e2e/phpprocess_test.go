package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"strowger/system/internal/daemontest"
)

// phpProcess is one running script of testdata/php.
type phpProcess struct {
	script string
	stdin  io.WriteCloser
	events chan phpEvent // what it tells; closed when it is gone
	err    error         // how it ended; set before events is closed
}

// phpEvent is one line that a script prints.
type phpEvent struct {
	Event string `json:"event"` // authenticated, message, ping, closed, left
	Text  string `json:"text"`  // the envelope as it came, of the first two
	Code  int    `json:"code"`  // of closed
}

// startPHP runs a script against the daemon and waits until it has authenticated. It ends with t.
func startPHP(t *testing.T, d *daemon, script string, args ...string) *phpProcess {
	t.Helper()
	php := lookPath(t, "STROWGER_REQUIRE_PHP", "php")
	host, port := d.hostPort(t)
	path := filepath.Join("..", "..", "testdata", "php", script)
	cmd := exec.Command(php, slices.Concat([]string{"-n", "-d", "display_errors=stderr", path, host, port, d.TokenDir}, args)...)
	return runPHP(t, script, cmd)
}

// runPHP starts a script that tells what happens as those of testdata/php do, and waits until it has authenticated.
// It ends with t.
func runPHP(t *testing.T, script string, cmd *exec.Cmd) *phpProcess {
	t.Helper()
	daemontest.Group(cmd)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", script, err)
	}
	p := &phpProcess{script: script, stdin: stdin, events: make(chan phpEvent, 4096)}
	go func() {
		defer close(p.events)
		readErr := p.read(stdout)
		waitErr := cmd.Wait()
		if readErr != nil || waitErr != nil || stderr.Len() > 0 {
			p.err = fmt.Errorf("%s: read %v, exit %v, stderr %q", script, readErr, waitErr, &stderr)
		}
	}()
	t.Cleanup(func() { p.end(t, cmd) })
	p.want(t, "authenticated")
	return p
}

func (p *phpProcess) read(stdout io.Reader) error {
	reader := bufio.NewReader(stdout)
	for {
		line, err := reader.ReadBytes('\n')
		if err == io.EOF && len(line) == 0 {
			return nil
		}
		var event phpEvent
		if err := json.Unmarshal(line, &event); err != nil {
			return fmt.Errorf("line %q: %w", line, err)
		}
		p.events <- event
	}
}

// end closes the script's stdin, which ends it, and fails t for whatever it complained of.
func (p *phpProcess) end(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	// Closed already where a test let the script leave.
	_ = p.stdin.Close()
	late := time.After(deadline)
	for {
		select {
		case _, more := <-p.events:
			if more {
				continue
			}
			if p.err != nil {
				t.Error(p.err)
			}
			return
		case <-late:
			t.Errorf("%s still runs %v after the end of its input", p.script, deadline)
			_ = cmd.Process.Kill()
			late = nil
		}
	}
}

// tell writes a line of JSON to the script.
func (p *phpProcess) tell(t *testing.T, line any) {
	t.Helper()
	data, err := json.Marshal(line)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.stdin.Write(append(data, '\n')); err != nil {
		t.Fatalf("%s: %v", p.script, err)
	}
}

// want waits for what the script tells next, pings aside, and fails t unless it is this event.
func (p *phpProcess) want(t *testing.T, name string) phpEvent {
	t.Helper()
	late := time.After(deadline) // one for all: pings go on for ever
	for {
		select {
		case event, more := <-p.events:
			switch {
			case !more:
				t.Fatalf("%s is gone: %v", p.script, p.err)
			case event.Event == name:
				return event
			case event.Event != "ping":
				t.Fatalf("%s tells %+v, want %s", p.script, event, name)
			}
		case <-late:
			t.Fatalf("%s does not tell %s for %v", p.script, name, deadline)
		}
	}
}

// message waits for an envelope, which has to be what the script gets next.
func (p *phpProcess) message(t *testing.T) map[string]any {
	t.Helper()
	event := p.want(t, "message")
	var envelope map[string]any
	if err := json.Unmarshal([]byte(event.Text), &envelope); err != nil {
		t.Fatalf("%s got %q: %v", p.script, event.Text, err)
	}
	return envelope
}
