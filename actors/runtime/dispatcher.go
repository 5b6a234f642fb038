package runtime

import (
	"runtime"
	"sync/atomic"
)

// maxIdle is how many goroutines wait for the next mailbox to run. They are kept for their stacks: a
// new goroutine begins with a small one, and to grow it takes longer than most messages.
const maxIdle = 64

// spare is how many of them are kept also while there is little to do.
const spare = 8

// burst is how many messages an actor handles before it lets others run.
const burst = 256

// dispatcher runs the mailboxes of all actors: a mailbox with something in it is run by a goroutine that
// waits, or by a new one if none does. So no mailbox ever waits for another.
type dispatcher struct {
	jobs    chan runner
	idle    atomic.Int32
	least   atomic.Int32 // idle at the same time at least, since the last trim
	stopped atomic.Bool
}

// scheduler is what a mailbox needs of a dispatcher.
type scheduler interface {
	// schedule has r run soon, on another goroutine.
	schedule(r runner)
}

// runner is a mailbox, or a task.
type runner interface{ run() }

// task is a function to be called once.
type task func()

func (t task) run() { t() }

func newDispatcher() *dispatcher { return &dispatcher{jobs: make(chan runner)} }

// Schedule has f called soon, on another goroutine.
func (d *dispatcher) Schedule(f func()) { d.schedule(task(f)) }

func (d *dispatcher) schedule(r runner) {
	select {
	case d.jobs <- r:
	default:
		go d.run(r)
	}
}

// Throughput is the library's word for burst.
func (d *dispatcher) Throughput() int { return burst }

func (d *dispatcher) run(r runner) {
	for r != nil {
		r.run()
		if d.idle.Add(1) > maxIdle || d.stopped.Load() {
			d.idle.Add(-1)
			return
		}
		if r = <-d.jobs; r == nil {
			return // whoever sent that has counted it
		}
		if left := d.idle.Add(-1); left < d.least.Load() {
			d.least.Store(left) // two at once may note the larger number, which is right enough
		}
	}
}

// trim ends the goroutines that were not needed since the last call, but for a few.
func (d *dispatcher) trim() {
	for n := d.least.Load(); n > spare && d.dismiss(); n-- {
	}
	d.least.Store(d.idle.Load())
}

// dismiss ends a goroutine that waits. It returns false if none does at the moment.
func (d *dispatcher) dismiss() bool {
	select {
	case d.jobs <- nil:
		d.idle.Add(-1)
		return true
	default:
		return false
	}
}

// stop ends the goroutines that wait. Mailboxes are run as before, by a new one each.
func (d *dispatcher) stop() {
	d.stopped.Store(true)
	for d.idle.Load() > 0 {
		if !d.dismiss() {
			// It is about to wait, or has just got something to do.
			runtime.Gosched()
		}
	}
}
