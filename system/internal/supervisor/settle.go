package supervisor

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// settle does everything that can be done now: it stops who is to be stopped, in reverse order, and
// when that is over starts who may be started, in order. Whoever changes a child's stage calls it.
func (s *supervisor) settle() {
	if s.settling || s.closed {
		s.unsettled = true
		return
	}
	s.settling = true
	for s.unsettled = true; s.unsettled; {
		s.unsettled = false
		s.sweep()
		if s.stopDue() {
			continue
		}
		if s.ending {
			s.settling = false
			s.finish()
			return
		}
		s.startDue()
	}
	s.settling = false
}

// strategy returns the strategy by which a child is restarted.
func (s *supervisor) strategy(c *child) Strategy {
	if c.spec.Group != "" {
		return s.o.Groups[c.spec.Group]
	}
	return s.o.Strategy
}

// stopDue stops children, those of one group one at a time and the last one first. It reports whether nothing starts
// because one of the supervisor's own strategy, or of all that end, is being stopped.
func (s *supervisor) stopDue() (waits bool) {
	for i, c := range slices.Backward(s.children) {
		if c.stage == halting && !s.stopsLater(i) {
			s.stop(c)
		}
		switch {
		case c.stage != halting && c.stage != stopping:
		case s.ending && s.o.Together:
			waits = true
		case c.stage == stopping && (s.ending || c.spec.Group == "" && s.o.Strategy != OneForOne):
			return true
		}
	}
	return waits
}

// stopsLater reports whether a child has to wait with its stop for one that comes after the one at i: for one of the same
// group, or, when all end, for one that needs it.
func (s *supervisor) stopsLater(i int) bool {
	c := s.children[i]
	grouped := c.spec.Group != "" && s.strategy(c) != OneForOne
	return slices.ContainsFunc(s.children[i+1:], func(later *child) bool {
		stops := later.stage == stopping || s.ending && later.stage == halting
		return stops && (grouped && later.spec.Group == c.spec.Group || s.ending && slices.Contains(later.spec.After, c.spec.Name))
	})
}

func (s *supervisor) stop(c *child) {
	c.stage = stopping
	switch {
	case c.hurt:
		s.ctx.Stop(c.pid)
	case c.spec.Nested:
		s.ctx.Send(c.pid, &Shutdown{Hurry: s.hurry})
	case c.spec.Drain:
		s.ctx.Poison(c.pid)
	default:
		s.ctx.Stop(c.pid)
	}
	if c.spec.StopTimeout <= 0 {
		return
	}
	limit := c.spec.StopTimeout
	if s.hurry > 0 {
		limit = min(limit, s.hurry)
	}
	c.told = s.o.Clock.Now()
	c.deadline = s.after(limit, func() {
		s.overdue(c, limit)
		s.settle()
	})
}

// overdue abandons a child that has not stopped within limit.
func (s *supervisor) overdue(c *child, limit time.Duration) {
	s.abandon(c, errOverdue(limit))
	c.gone()
}

func errOverdue(limit time.Duration) error { return fmt.Errorf("not stopped after %s", limit) }

// startDue starts children.
func (s *supervisor) startDue() {
	for i, c := range s.children {
		switch {
		case s.unsettled:
			return
		case s.waits(i):
		case c.stage == crashed:
			s.restartInPlace(c)
		case c.stage == down:
			s.start(c)
		}
	}
}

// waits reports whether a child must not start yet. Of a group, none starts before the pause of one in front of it is
// over, nor while one is being stopped; with all_for_one, none before all pauses are over.
func (s *supervisor) waits(i int) bool {
	c := s.children[i]
	strategy := s.strategy(c)
	if c.wait.pending() || strategy == OneForOne {
		return c.wait.pending()
	}
	for j, other := range s.children {
		if other.spec.Group != c.spec.Group {
			continue
		}
		if other.stage == halting || other.stage == stopping || other.wait.pending() && (j < i || strategy == AllForOne) {
			return true
		}
	}
	return false
}

// restartInPlace keeps the mailbox. The order overtakes what is in there, so whatever is sent from
// now on is handled by the new incarnation.
func (s *supervisor) restartInPlace(c *child) {
	process, _ := s.ctx.ActorSystem().ProcessRegistry.Get(c.pid)
	process.SendSystemMessage(c.pid, &actor.Restart{})
	c.hurt = false
	c.restarts++
	s.cameUp(c)
	s.tell(&ChildUp{c.spec.Name, c.generation, c.pid, true})
}

func (s *supervisor) start(c *child) {
	c.generation = c.generations.Add(1)
	pid, err := s.spawn(c)
	if err != nil {
		s.failed(c, err, nil)
		return
	}
	c.pid = pid
	s.cameUp(c)
	if !c.started && c.failures == 0 {
		s.tell(&ChildStarted{c.spec.Name, c.generation, pid})
	} else {
		c.restarts++
		s.tell(&ChildUp{c.spec.Name, c.generation, pid, false})
	}
	c.started = true
}

func (s *supervisor) cameUp(c *child) {
	c.stage, c.since = up, s.o.Clock.Now()
	c.well = c.since
	s.probe(c)
	s.watch(c)
}

// spawn turns a panic of a producer into an error.
func (s *supervisor) spawn(c *child) (pid *actor.PID, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			pid, err = nil, &StartError{Reason: reason}
		}
	}()
	props := c.spec.Props
	if c.spec.Produce != nil {
		props = c.spec.Produce(c.generation)
	}
	if props == nil {
		return nil, &StartError{Reason: errors.New("no props")}
	}
	pid, err = s.ctx.SpawnNamed(props, fmt.Sprintf("%s-%d", c.spec.Name, c.generation))
	if err != nil {
		return nil, &StartError{Reason: err}
	}
	return pid, nil
}

// StartError is the reason of a failure when a child could not be started; Reason is what its
// producer panicked with, or an error.
type StartError struct{ Reason any }

// Error says what the reason does.
func (e *StartError) Error() string { return fmt.Sprintf("start: %v", e.Reason) }

// Unwrap returns the reason if that is an error.
func (e *StartError) Unwrap() error {
	err, _ := e.Reason.(error)
	return err
}
