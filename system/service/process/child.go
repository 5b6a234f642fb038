package process

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"strowger/system/internal/runner"
	"strowger/system/service"
)

// child is a process in which a service runs, as its parent sees it.
type child struct {
	*wrapper
	home    *runner.Setup
	log     *slog.Logger
	queue   *queue
	cmd     *exec.Cmd
	in, out *os.File // this process's ends of the pipes
	lines   *os.File // its end of the one for the child's output
	output  *output
	up      chan struct{} // closed when Setup has returned in the child
	ended   chan struct{} // closed when the process has ended
	done    chan struct{} // closed when nothing of the child is left
	pong    chan struct{}
	frames  atomic.Uint64 // that came and were handled
	busy    atomic.Bool   // one is being handled

	mu       sync.Mutex // Protects following.
	requests map[uint64]*request
	waiting  int    // bytes of the requests that the service has not looked at
	dead     bool   // takes no requests any more
	reaped   bool   // its number may be another process's
	stopping bool   // was told to
	finished bool   // by itself
	cause    error  // why it was killed; nil: it was not
	failed   *crash // what it said of its failure
	noRoom   time.Time
	omitted  int
}

// crash is why the service has failed, and at which request.
type crash struct {
	*runner.Crash
	at *runner.Request
}

// settings are what the child has to know besides the service.
type settings struct {
	Memory       int64      `json:"memory,omitempty"`
	MessageBytes int        `json:"message_bytes"`
	QueueBytes   int        `json:"queue_bytes"`
	Pool         int        `json:"pool"`
	Level        slog.Level `json:"level"`
}

// start starts a child. The error says why there is none.
func start(w *wrapper, home *runner.Setup) (*child, error) {
	c := &child{wrapper: w, home: home, log: home.Log(), queue: newQueue(w.o.QueueBytes), up: make(chan struct{}), ended: make(chan struct{}), done: make(chan struct{}),
		pong: make(chan struct{}, 1), requests: make(map[uint64]*request)}
	c.output = newOutput(c.log, w.o.LogLines)
	theirs, err := c.prepare()
	if err != nil {
		return nil, err
	}
	begun := make(chan error, 1)
	go c.own(theirs, begun)
	if err := <-begun; err != nil {
		return nil, err
	}
	context.AfterFunc(home, func() { c.kill(nil) })
	return c, nil
}

// prepare makes the pipes and the command. It returns the child's ends, which are to be closed once it runs.
func (c *child) prepare() (theirs []*os.File, err error) {
	var all []*os.File
	defer func() {
		if err != nil {
			closeAll(all)
		}
	}()
	pipe := func() (r, w *os.File) {
		if err == nil {
			if r, w, err = os.Pipe(); err == nil {
				all = append(all, r, w)
			}
		}
		return r, w
	}
	toChild, in := pipe()
	out, fromChild := pipe()
	lines, toLines := pipe()
	if err != nil {
		return nil, fmt.Errorf("pipe: %w", err)
	}
	program, err := program()
	if err != nil {
		return nil, fmt.Errorf("find the program: %w", err)
	}
	c.in, c.out, c.lines = in, out, lines
	c.cmd = exec.Command(program, os.Args[1:]...) //nolint:gosec,noctx // it is this program; kill ends it
	c.cmd.Args[0] = os.Args[0]
	c.cmd.Stdout, c.cmd.Stderr = toLines, toLines
	c.cmd.Env = environment(c.o)
	if err := inherit(c.cmd, c.service.Name, toChild, fromChild); err != nil {
		return nil, err
	}
	return []*os.File{toChild, fromChild, toLines}, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

// own starts the child, and returns when nothing of it is left. The thread stays the same because Linux ends the child with
// the thread that has started it.
func (c *child) own(theirs []*os.File, begun chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := c.cmd.Start()
	closeAll(theirs)
	if err != nil {
		closeAll([]*os.File{c.in, c.out, c.lines})
		begun <- fmt.Errorf("start the process: %w", err)
		return
	}
	defer close(c.done)
	group, err := newGroup(c.cmd.Process, c.o.Memory)
	if err != nil {
		c.kill(err)
	}
	defer group.close()
	c.greet()
	begun <- nil
	var work sync.WaitGroup
	work.Go(func() { c.queue.write(c.in) })
	work.Go(c.listen)
	work.Go(func() { c.output.read(c.lines) })
	work.Go(c.watch)
	if awaitEnd(c.cmd.Process) {
		c.mu.Lock()
		killGroup(c.cmd.Process)
		c.reaped = true
		c.mu.Unlock()
	}
	err = c.cmd.Wait()
	c.mu.Lock()
	c.reaped = true
	c.mu.Unlock()
	close(c.ended)
	// What it has said is read to the end, unless a process that it has left behind keeps the pipes open.
	late := time.AfterFunc(grace, func() { closeAll([]*os.File{c.out, c.lines}) })
	unsent := c.queue.kill()
	_ = c.in.Close()
	work.Wait()
	late.Stop()
	closeAll([]*os.File{c.out, c.lines})
	c.settle(err, unsent)
}

// greet tells the child how it is to run.
func (c *child) greet() {
	s := settings{Memory: c.o.Memory, MessageBytes: c.o.MessageBytes, QueueBytes: c.o.QueueBytes, Pool: c.home.Pool(), Level: slog.LevelError}
	for _, level := range []slog.Level{slog.LevelWarn, slog.LevelInfo, slog.LevelDebug} {
		if c.log.Enabled(context.Background(), level) {
			s.Level = level
		}
	}
	text, err := json.Marshal(s)
	if err != nil {
		c.kill(fmt.Errorf("settings: %w", err)) // these can always be encoded
		return
	}
	c.queue.put(append(newFrame(frameStart, len(text)), text...))
}

// awaitUp returns when Setup has returned in the child. Otherwise it panics with the reason, and there is no child any more.
func (c *child) awaitUp() {
	late := time.NewTimer(c.o.StartTimeout)
	defer late.Stop()
	for {
		select {
		case <-c.up:
			return
		case <-late.C:
			c.kill(fmt.Errorf("Setup has not returned after %s (process.Options.StartTimeout): does the program call process.Service or process.Main for the service?", c.o.StartTimeout))
		case <-c.done:
			c.mu.Lock()
			failed := c.failed.Crash
			c.mu.Unlock()
			panic(failed) // as Setup would in this process
		}
	}
}

// wait is the source that a home waits for.
func (c *child) wait(ctx context.Context, _ service.Emit) error {
	<-ctx.Done()
	<-c.done
	return fmt.Errorf("process: %w", ctx.Err())
}

// kill ends the child without more ado. The first cause that is not nil is that of the failure. After it has ended kill does nothing.
func (c *child) kill(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reaped {
		return
	}
	if c.cause == nil && c.failed == nil {
		c.cause = cause
	}
	killGroup(c.cmd.Process)
}

// settle says what follows from the end of the child.
func (c *child) settle(ended error, unsent []uint64) {
	c.lose(unsent)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed == nil {
		c.failed = &crash{Crash: &runner.Crash{Service: c.service.Name, Task: "process", Reason: c.reason(ended), Stack: c.output.trace()}}
		if c.stopping || c.finished {
			return
		}
		c.tell()
	}
}

// tell lets the service fail if it was up. c.mu is held.
func (c *child) tell() {
	select {
	case <-c.up:
		c.home.Fail(c.failed.Crash, c.failed.at)
	default: // awaitUp says so
	}
}

// reason returns why the child has ended. c.mu is held.
func (c *child) reason(ended error) error {
	if c.cause != nil {
		return c.cause
	}
	text := "exit status 0"
	if ended != nil {
		text = ended.Error()
	}
	if first := c.output.first(); first != "" {
		text += ": " + first
	}
	return errors.New("the process has ended: " + text)
}

// lose answers the requests that were not sent.
func (c *child) lose(unsent []uint64) {
	c.mu.Lock()
	c.dead = true
	var lost []*runner.Request
	for _, number := range unsent {
		if r := c.requests[number]; r != nil && r.request != nil {
			lost = append(lost, r.request)
		}
	}
	c.mu.Unlock()
	for _, r := range lost {
		r.Refuse()
	}
}

// stop lets the child finish what it has. It is called in the service's goroutine, also after a failure.
func (c *child) stop() {
	if c.home.Err() != nil {
		c.kill(nil)
		return
	}
	c.mu.Lock()
	c.stopping = true
	c.mu.Unlock()
	c.queue.put(newFrame(frameStop, 0))
	limit := c.v.StopTimeout + grace
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case <-c.done:
		return
	case <-late.C:
	}
	c.log.Warn("the service's process does not stop and is killed", "limit", limit, "setting", "Supervision.StopTimeout")
	c.kill(nil)
	late.Reset(grace)
	select {
	case <-c.done:
	case <-late.C:
	}
}

// listen reads what the child says until it says no more.
func (c *child) listen() {
	in := bufio.NewReaderSize(c.out, wholeRead)
	for {
		kind, data, err := readFrame(in, c.o.MessageBytes+wholeRead)
		if err == nil {
			c.busy.Store(true)
			err = c.handle(kind, data)
			c.frames.Add(1)
			c.busy.Store(false)
		}
		switch {
		case errors.Is(err, errClosed), errors.Is(err, io.ErrUnexpectedEOF):
			// Most likely it is about to end, and how it ends says more.
			late := time.AfterFunc(grace, func() { c.kill(errClosed) })
			<-c.ended
			late.Stop()
			return
		case err != nil:
			if errors.Is(err, errLong) {
				err = fmt.Errorf("%w (process.Options.MessageBytes)", err)
			}
			c.kill(fmt.Errorf("the process is killed: %w", err))
			return
		}
	}
}
