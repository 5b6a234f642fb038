package introspect

import (
	"strings"
	"time"

	"strowger/system/internal/supervisor"
)

// Observe enters what happened to a child of the supervisor at a path. It is meant to be called from
// supervisor.Options.Observe: it waits for nobody and does not panic.
func (t *Tree) Observe(path string, e supervisor.Event) {
	now := t.clock.Now()
	switch e := e.(type) {
	case *supervisor.ChildStarted:
		t.child(path, e.Child, func(r *row) { r.came(now, e.Generation) })
	case *supervisor.ChildUp:
		t.child(path, e.Child, func(r *row) { r.came(now, e.Generation) })
	case *supervisor.ChildFailed:
		failure := &Failure{At: now, Reason: reasonText(e.Reason), Stack: stackOf(e.Reason)}
		t.child(path, e.Child, func(r *row) { r.failed(failure, e.Generation) })
	case *supervisor.ChildRestarting:
		t.child(path, e.Child, func(r *row) { r.restarting(now, e.In) })
	case *supervisor.ChildRetired:
		t.child(path, e.Child, func(r *row) { r.retired(now) })
	case *supervisor.ChildStopped:
		t.child(path, e.Child, func(r *row) { t.gone(r, now, e.Generation) })
	case *supervisor.ChildAbandoned:
		t.child(path, e.Child, func(r *row) {
			r.node.Abandoned++
			t.gone(r, now, e.Generation)
		})
	case *supervisor.ChildRemoved:
		t.Remove(path + "/" + e.Child)
	case *supervisor.ChildGaveUp:
		t.gaveUp(path, now)
	case *supervisor.BreakerOpened:
		t.child(path, e.Child, func(r *row) {
			r.node.Breaker = Open
			r.restarting(now, e.For)
		})
	case *supervisor.BreakerHalfOpened:
		t.child(path, e.Child, func(r *row) { r.node.Breaker = HalfOpen })
	case *supervisor.BreakerClosed:
		t.child(path, e.Child, func(r *row) { r.node.Breaker = Closed })
	}
}

// child changes the row of a child, if there is room for it.
func (t *Tree) child(path, name string, change func(*row)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.revision++
	if r := t.row(path + "/" + name); r != nil {
		change(r)
	}
}

// enter notes a state and since when.
func (r *row) enter(s State, now time.Time) {
	if r.node.State != s {
		r.node.State, r.node.Since = s, now
	}
}

// stale reports whether an event is about a generation that was replaced: an abandoned supervisor
// may still report the ends of its children.
func (r *row) stale(generation uint64) bool { return generation < r.node.Generation }

// came notes that the child runs. Under a supervisor that was itself restarted that is announced as
// a first start; here it is one more.
func (r *row) came(now time.Time, generation uint64) {
	if r.stale(generation) {
		return
	}
	if r.node.Generation > 0 {
		r.node.Restarts++
	}
	r.node.State, r.node.Since = Running, now
	r.node.Generation, r.due = generation, time.Time{}
}

func (r *row) failed(failure *Failure, generation uint64) {
	now := failure.At
	r.node.Failures++
	r.node.Last = failure
	if r.stale(generation) {
		return
	}
	r.node.Generation = generation
	if r.node.State != Stopped {
		r.enter(Failed, now)
	}
}

func (r *row) restarting(now time.Time, in time.Duration) {
	if in <= 0 {
		r.enter(Restarting, now)
		return
	}
	r.due = now.Add(in)
	r.enter(Waiting, now)
}

// retired notes that a child that waits does not come back by itself. One that runs is going to stop.
func (r *row) retired(now time.Time) {
	if r.node.State != Running {
		r.due = time.Time{}
		r.enter(Stopped, now)
	}
}

// gone notes that a child does not run any more, nor do those below it. If it is to come back, that
// was announced before.
func (t *Tree) gone(r *row, now time.Time, generation uint64) {
	if r.stale(generation) {
		return
	}
	if r.node.State != Waiting && r.node.State != Restarting {
		r.enter(Stopped, now)
	}
	for _, below := range t.order {
		if strings.HasPrefix(below.path, r.path+"/") {
			below.due = time.Time{}
			below.enter(Stopped, now)
		}
	}
}

// gaveUp marks a supervisor as failed. Those of its children that run will be reported one by one;
// those that wait will not.
func (t *Tree) gaveUp(path string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	supervisor := t.row(path)
	if supervisor == nil {
		return
	}
	supervisor.enter(Failed, now)
	for _, r := range t.order {
		if r.parent == path && (r.node.State == Waiting || r.node.State == Restarting) {
			r.due = time.Time{}
			r.enter(Stopped, now)
		}
	}
}
