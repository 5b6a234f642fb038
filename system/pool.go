package system

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"

	"strowger/system/internal/introspect"
)

// claimers is how many token files are read at once, and how many other tokens are checked.
const claimers = 8

// pools are the two that look at tokens: those in files, and those that are checked by keys. A file system that hangs
// holds up the first alone.
type pools struct{ files, bearers *pool }

// Go implements actors.Pool.
func (p pools) Go(name string, f func()) bool {
	if isBearer(name) {
		return p.bearers.try(f)
	}
	return p.files.try(f)
}

// pool runs blocking work on a bounded number of goroutines, which are given back when
// there is none.
type pool struct {
	max     int
	limit   func() int     // work that may wait when try is called
	start   func(f func()) // on another goroutine
	running sync.WaitGroup

	log *slog.Logger

	mu      sync.Mutex // Protects following.
	queue   []func()
	busy    int
	closed  bool
	refused int64 // work for which there was no room
}

// newPool returns a pool of n goroutines. Limit returns how much of what peers ask for may wait.
func newPool(n int, limit func() int, start func(f func()), log *slog.Logger) *pool {
	return &pool{max: n, limit: limit, start: start, log: log}
}

// Go runs f soon, on another goroutine, however many wait; after wait it drops f. It is for the router's own work.
func (p *pool) Go(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.add(f)
}

// try is Go for what peers ask for. It returns false, and drops f, if as much waits as may.
func (p *pool) try(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) >= p.limit() {
		p.refused++
		return false
	}
	p.add(f)
	return true
}

// add puts f into the queue. The caller holds mu.
func (p *pool) add(f func()) {
	if p.closed {
		return
	}
	p.queue = append(p.queue, f)
	if p.busy == p.max {
		return
	}
	p.busy++
	p.running.Add(1)
	p.start(p.run)
}

func (p *pool) run() {
	defer p.running.Done()
	for f := p.take(); f != nil; f = p.take() {
		p.do(f)
	}
}

// do keeps a panic in one piece of work from ending the process. Who waits for the result has a
// deadline.
func (p *pool) do(f func()) {
	defer func() {
		if reason := recover(); reason != nil {
			p.log.Error("worker panicked", "reason", fmt.Sprint(reason), "stack", string(debug.Stack()))
		}
	}()
	f()
}

func (p *pool) take() func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == 0 {
		p.busy--
		return nil
	}
	f := p.queue[0]
	p.queue[0] = nil
	p.queue = p.queue[1:]
	return f
}

// stats returns how busy the pool is.
func (p *pool) stats() introspect.Pool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return introspect.Pool{Size: int64(p.max), Running: int64(p.busy), Waiting: int64(len(p.queue)), Refused: p.refused}
}

// wait returns when all work is done, or with ctx's error: a file system may hang for ever.
func (p *pool) wait(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	idle := p.busy == 0
	p.mu.Unlock()
	if idle {
		p.running.Wait()
		return nil
	}
	done := make(chan struct{})
	go func() {
		p.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
