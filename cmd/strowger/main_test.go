package main

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"strowger/cmd/strowger/internal/check"
)

// deadline bounds every wait.
const deadline = 2 * time.Minute

// programEnv makes the test's binary the program, so that a test can run it as a process of its own.
const programEnv = "TEST_AS_STROWGER"

func TestMain(m *testing.M) {
	if os.Getenv(programEnv) != "" {
		main()
	}
	goleak.VerifyTestMain(m)
}

// running is a command line under way in this process.
type running struct {
	t              *testing.T
	stdout, stderr *output
	signals        *signals
	status         chan int
}

// begin starts a command line; change, which may be nil, changes what it gets.
func begin(t *testing.T, change func(*program), args ...string) *running {
	t.Helper()
	r := &running{t: t, stdout: newOutput(), stderr: newOutput(), signals: newSignals(), status: make(chan int, 1)}
	p := &program{
		stdin:     strings.NewReader(""),
		stdout:    r.stdout,
		stderr:    r.stderr,
		notify:    r.signals.notify,
		newRouter: newSystem,
		newSite:   newSite,
		machine:   check.Local,
	}
	if change != nil {
		change(p)
	}
	go func() { r.status <- p.run(args) }()
	return r
}

// wait waits for the end and checks its status.
func (r *running) wait(want int) {
	r.t.Helper()
	select {
	case got := <-r.status:
		if got != want {
			r.t.Errorf("exit status %d, want %d\nstdout: %s\nstderr: %s", got, want, r.stdout, r.stderr)
		}
	case <-time.After(deadline):
		r.t.Fatalf("still runs\nstderr: %s", r.stderr)
	}
}

// output gathers what a command line writes.
type output struct {
	mu   sync.Mutex // protects following
	text bytes.Buffer
	grew chan struct{} // closed and replaced with each write
}

func newOutput() *output { return &output{grew: make(chan struct{})} }

func (o *output) Write(data []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.grew)
	o.grew = make(chan struct{})
	return o.text.Write(data)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// line waits for a line with all the texts in it and returns the first such one.
func (o *output) line(t *testing.T, texts ...string) string {
	t.Helper()
	late := time.After(deadline)
	for {
		o.mu.Lock()
		text, grew := o.text.String(), o.grew
		o.mu.Unlock()
		for line := range strings.Lines(text) {
			lacks := func(text string) bool { return !strings.Contains(line, text) }
			if strings.HasSuffix(line, "\n") && !slices.ContainsFunc(texts, lacks) {
				return line
			}
		}
		select {
		case <-grew:
		case <-late:
			t.Fatalf("no line with %q in:\n%s", texts, text)
		}
	}
}

// signals stands for the signals of a process.
type signals struct {
	mu       sync.Mutex // protects following
	handlers []handler
	added    chan struct{} // closed and replaced with each new handler
}

func newSignals() *signals { return &signals{added: make(chan struct{})} }

type handler struct {
	c       chan<- os.Signal
	signals []os.Signal
}

func (s *signals) notify(c chan<- os.Signal, sigs ...os.Signal) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers = append(s.handlers, handler{c, sigs})
	close(s.added)
	s.added = make(chan struct{})
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.handlers = slices.DeleteFunc(s.handlers, func(h handler) bool { return h.c == c })
	}
}

// handler returns who handles a signal, nil for nobody, and what is closed when that may change.
func (s *signals) handler(sig os.Signal) (c chan<- os.Signal, added <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.handlers {
		if slices.Contains(h.signals, sig) {
			return h.c, s.added
		}
	}
	return nil, s.added
}

// handled waits until somebody handles a signal.
func (s *signals) handled(t *testing.T, sig os.Signal) {
	t.Helper()
	late := time.After(deadline)
	for {
		c, added := s.handler(sig)
		if c != nil {
			return
		}
		select {
		case <-added:
		case <-late:
			t.Fatalf("nobody handles %v", sig)
		}
	}
}

// send sends a signal, which somebody must handle.
func (s *signals) send(t *testing.T, sig os.Signal) {
	t.Helper()
	c, _ := s.handler(sig)
	if c == nil {
		t.Fatalf("%v would end the process", sig)
	}
	c <- sig
}
