package supervisor

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

type (
	// Add has a supervisor start one more child, which comes after all others. Whoever requests it gets an Obeyed when the
	// child has been told to start. One whose start fails is restarted as any other.
	Add struct{ Child Spec }
	// Remove has a supervisor stop a child and forget it. Whoever requests it gets an Obeyed when the child is gone. That
	// takes as long as the child takes to stop, StopTimeout at most.
	Remove struct{ Child string }
)

// roll is the children as they outlive restarts of the supervisor. Only the supervisor uses it.
type roll struct {
	entries []entry
	latest  uint64 // generation of those that were removed
}

type entry struct {
	spec        Spec
	generations *atomic.Uint64
}

func newRoll(specs []Spec) *roll {
	r := new(roll)
	for _, spec := range specs {
		r.add(spec)
	}
	return r
}

// add returns a child that has not started. Its generations begin after those of all children that were removed, so that
// no PID is used twice, even if one of them was abandoned and still runs.
func (r *roll) add(spec Spec) *child {
	e := entry{spec, new(atomic.Uint64)}
	e.generations.Store(r.latest)
	r.entries = append(r.entries, e)
	return e.child()
}

func (r *roll) remove(name string) {
	r.entries = slices.DeleteFunc(r.entries, func(e entry) bool {
		if e.spec.Name == name {
			r.latest = max(r.latest, e.generations.Load())
		}
		return e.spec.Name == name
	})
}

func (e *entry) child() *child {
	c := &child{spec: e.spec, generations: e.generations}
	if e.spec.Down {
		c.stage = finished
	}
	return c
}

// add starts a child.
func (s *supervisor) add(spec Spec) error {
	switch {
	case s.ending || s.closed:
		return errAllStop
	case s.named(spec.Name) != nil:
		return fmt.Errorf("child %q: name is taken", spec.Name)
	}
	spec, err := s.o.complete(spec)
	if err != nil {
		return fmt.Errorf("child %q: %w", spec.Name, err)
	}
	s.children = append(s.children, s.roll.add(spec))
	s.settle()
	return nil
}

// remove stops a child. Its asker is answered when it is gone.
func (s *supervisor) remove(asker *actor.PID, name string) error {
	c := s.named(name)
	switch {
	case c == nil:
		return fmt.Errorf("there is no child %q", name)
	case s.ending || s.closed:
		return errAllStop
	case c.removed:
		return errRemoved
	}
	c.removed, c.remover = true, asker
	s.roll.remove(name)
	if c.stage != finished {
		s.retire(c)
	}
	s.settle()
	return nil
}

// sweep forgets the removed children that are gone.
func (s *supervisor) sweep() {
	s.children = slices.DeleteFunc(s.children, func(c *child) bool {
		if !c.removed || c.stage != finished {
			return false
		}
		s.forget(c)
		return true
	})
}

// forget says that a removed child is gone, and answers who has had it removed.
func (s *supervisor) forget(c *child) {
	s.tell(&ChildRemoved{c.spec.Name})
	if c.remover != nil {
		s.ctx.Send(c.remover, &Obeyed{})
		c.remover = nil
	}
}

func (s *supervisor) named(name string) *child {
	i := slices.IndexFunc(s.children, func(c *child) bool { return c.spec.Name == name })
	if i < 0 {
		return nil
	}
	return s.children[i]
}
