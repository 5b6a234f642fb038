package system

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// claimers is how many token files are read at once.
const claimers = 8

// workers runs blocking work on a bounded number of goroutines, which are given back when
// there is none. The queue is as long as there are connections that authenticate.
type workers struct {
	max     int
	start   func(f func()) // on another goroutine
	running sync.WaitGroup

	log *slog.Logger

	mu     sync.Mutex // Protects following.
	queue  []func()
	busy   int
	closed bool
}

func newWorkers(n int, start func(f func()), log *slog.Logger) *workers {
	return &workers{max: n, start: start, log: log}
}

// Go runs f soon, on another goroutine; after wait it drops f.
func (w *workers) Go(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	w.queue = append(w.queue, f)
	if w.busy == w.max {
		return
	}
	w.busy++
	w.running.Add(1)
	w.start(w.run)
}

func (w *workers) run() {
	defer w.running.Done()
	for f := w.take(); f != nil; f = w.take() {
		w.do(f)
	}
}

// do keeps a panic in one piece of work from ending the process. Who waits for the result has a
// deadline.
func (w *workers) do(f func()) {
	defer func() {
		if p := recover(); p != nil {
			w.log.Error("worker panicked", "reason", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	f()
}

func (w *workers) take() func() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		w.busy--
		return nil
	}
	f := w.queue[0]
	w.queue[0] = nil
	w.queue = w.queue[1:]
	return f
}

// wait returns when all work is done, or with ctx's error: a file system may hang for ever.
func (w *workers) wait(ctx context.Context) error {
	w.mu.Lock()
	w.closed = true
	idle := w.busy == 0
	w.mu.Unlock()
	if idle {
		w.running.Wait()
		return nil
	}
	done := make(chan struct{})
	go func() {
		w.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// wallClock is the machine's clock.
type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

func (wallClock) AfterFunc(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
