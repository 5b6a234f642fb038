package runtime

import (
	"runtime"
	"sync/atomic"
)

// maxIdle is how many goroutines wait for the next mailbox to run. They are kept for their stacks: a
// new goroutine begins with a small one, and to grow it takes longer than most messages.
const maxIdle = 64

// burst is how many messages an actor handles before it lets others run.
const burst = 256

// dispatcher runs the mailboxes of all actors: a mailbox with something in it is run by a goroutine that
// waits, or by a new one if none does. So no mailbox ever waits for another.
type dispatcher struct {
	jobs    chan runner
	idle    atomic.Int32
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
		r = <-d.jobs
		d.idle.Add(-1)
	}
}

// stop ends the goroutines that wait. Mailboxes are run as before, by a new one each.
func (d *dispatcher) stop() {
	d.stopped.Store(true)
	for d.idle.Load() > 0 {
		select {
		case d.jobs <- nil:
		default:
			// It is about to wait, or has just got something to do.
			runtime.Gosched()
		}
	}
}
