package runner

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// run is one generation of a service's actor, with all its restarts in place.
type run struct {
	generation uint64
	steps      atomic.Uint64 // beginnings and ends of calls, so it is odd while the actor is in one
	abandoned  atomic.Bool   // the supervisor has given it up
	over       atomic.Bool   // its last call has ended
}

// call returns a number of the call that the actor is in, 0 if it is in none.
func (r *run) call() uint64 {
	if steps := r.steps.Load(); steps%2 == 1 {
		return steps
	}
	return 0
}

// former is a life that has ended and of which something may still run.
type former struct {
	life  *life
	stuck time.Time // from when on it has had time enough to end
}

// keep notes a life that has ended. i.mu is held.
func (i *Instance) keep(l *life, patience time.Duration) {
	i.formers = slices.DeleteFunc(i.formers, func(f former) bool { return f.life.running() == 0 })
	stuck := i.o.Clock.Now().Add(patience)
	for n := range i.formers {
		if f := &i.formers[n]; f.life == l {
			if stuck.Before(f.stuck) {
				f.stuck = stuck
			}
			return
		}
	}
	i.formers = append(i.formers, former{l, stuck})
}

// running returns how many goroutines of a life that has ended still run.
func (l *life) running() int {
	n := l.pool.busy() + int(l.listening.Load())
	if l.run.abandoned.Load() && !l.run.over.Load() {
		n++
	}
	return n
}

// remains returns how many goroutines of earlier lives still run. Nobody can end them from outside. i.mu is held.
func (i *Instance) remains() int {
	n := 0
	for _, f := range i.formers {
		n += f.life.running()
	}
	return n
}

// obstacle returns why the service must not be started: too many of its earlier lives do not end.
func (i *Instance) obstacle() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	lives, goroutines, now := 0, 0, i.o.Clock.Now()
	for _, f := range i.formers {
		if n := f.life.running(); n > 0 && !now.Before(f.stuck) {
			lives++
			goroutines += n
		}
	}
	if most := i.service.Limits.Abandoned; lives >= most {
		return fmt.Errorf("%d goroutines of %d earlier lives of the service do not end (Limits.Abandoned is %d)", goroutines, lives, most)
	}
	return nil
}
