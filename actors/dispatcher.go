package actors

import (
	"runtime"
	"sync/atomic"
)

// maxIdle is how many goroutines wait for the next mailbox to run. They are kept for their stacks: a
// new goroutine begins with a small one, and to grow it takes longer than most messages.
const maxIdle = 64

// burst is how many messages an actor handles before it lets others run.
const burst = 256

// workers is the dispatcher of all actors: a mailbox with something in it is run by a goroutine that
// waits, or by a new one if none does. So no mailbox ever waits for another.
type workers struct {
	jobs    chan func()
	idle    atomic.Int32
	stopped atomic.Bool
}

func newWorkers() *workers { return &workers{jobs: make(chan func())} }

// Schedule has f called soon, on another goroutine.
func (w *workers) Schedule(f func()) {
	select {
	case w.jobs <- f:
	default:
		go w.run(f)
	}
}

// Throughput is the library's word for burst.
func (w *workers) Throughput() int { return burst }

func (w *workers) run(f func()) {
	for f != nil {
		f()
		if w.idle.Add(1) > maxIdle || w.stopped.Load() {
			w.idle.Add(-1)
			return
		}
		f = <-w.jobs
		w.idle.Add(-1)
	}
}

// stop ends the goroutines that wait. Mailboxes are run as before, by a new one each.
func (w *workers) stop() {
	w.stopped.Store(true)
	for w.idle.Load() > 0 {
		select {
		case w.jobs <- nil:
		default:
			// It is about to wait, or has just got something to do.
			runtime.Gosched()
		}
	}
}
