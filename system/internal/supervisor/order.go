package supervisor

import (
	"errors"
	"fmt"
)

// Order has a supervisor do something with one child, for an operator. Whoever requests it gets an Obeyed as soon as it
// is decided: a child may take its StopTimeout to stop.
type Order struct {
	Child string
	Do    Deed
}

// Obeyed answers Order. Err says why nothing was done; nil: it is done or under way.
type Obeyed struct{ Err error }

// Deed is what an Order has done, or a set of such.
type Deed uint8

// The deeds. Restart stops and starts a child that runs, and starts one that waits at once. Stop keeps a child down
// until Start. Reset closes the breaker, forgets the failures so far and starts a child that waits at once.
const (
	DoRestart Deed = 1 << iota
	DoStop
	DoStart
	DoReset
)

// Words returns the deeds of a set, each as a word.
func (d Deed) Words() []string {
	var words []string
	for i, word := range []string{"restart", "stop", "start", "reset"} {
		if d&(1<<i) != 0 {
			words = append(words, word)
		}
	}
	return words
}

// The errors of Order say what the child does.
var (
	errAllStop  = errors.New("all of them stop")
	errRemoved  = errors.New("it is being removed")
	errStops    = errors.New("it is being stopped")
	errRuns     = errors.New("it is not stopped")
	errStopped  = errors.New("it is stopped: start it")
	errNoReason = errors.New("its breaker is closed, and it does not wait")
)

// possible returns what an order can have done with a child now.
func (s *supervisor) possible(c *child) Deed {
	switch {
	case s.ending || s.closed || c.removed || c.stage == halting || c.stage == stopping:
		return 0
	case c.stage == finished:
		return DoStart
	case c.breaker != Closed || c.wait.pending():
		return DoRestart | DoStop | DoReset
	}
	return DoRestart | DoStop
}

func (s *supervisor) obey(o *Order) *Obeyed {
	if c := s.named(o.Child); c != nil {
		return &Obeyed{s.order(c, o.Do)}
	}
	return &Obeyed{fmt.Errorf("there is no child %q", o.Child)}
}

func (s *supervisor) order(c *child, do Deed) error {
	if s.possible(c)&do == 0 {
		return s.obstacle(c, do)
	}
	switch do {
	case DoRestart:
		s.anew(c)
	case DoStop:
		s.retire(c)
	case DoStart:
		c.final, c.stage = false, down
	case DoReset:
		c.wait.cancel()
		s.pardon(c)
	}
	s.settle()
	return nil
}

// obstacle returns why something cannot be done with a child now.
func (s *supervisor) obstacle(c *child, do Deed) error {
	switch {
	case s.ending || s.closed:
		return errAllStop
	case c.removed:
		return errRemoved
	case c.stage == halting || c.stage == stopping:
		return errStops
	case c.stage == finished:
		return errStopped
	case do == DoStart:
		return errRuns
	}
	return errNoReason
}

// anew starts a child that waits, as a probe if its breaker is open, and stops one that runs to start it again.
func (s *supervisor) anew(c *child) {
	c.wait.cancel()
	if c.breaker == Open {
		c.breaker = HalfOpen
		s.tell(&BreakerHalfOpened{c.spec.Name})
	}
	if c.stage == up || c.stage == crashed {
		s.tell(&ChildRestarting{Child: c.spec.Name})
		c.halt()
	}
}

// retire stops a child until it is told to start.
func (s *supervisor) retire(c *child) {
	c.wait.cancel()
	s.pardon(c)
	s.tell(&ChildRetired{c.spec.Name})
	c.final = true
	if c.pid == nil {
		c.stage = finished
		return
	}
	c.halt()
}

// pardon forgets the failures of a child.
func (s *supervisor) pardon(c *child) {
	c.window, c.attempt = nil, 0
	c.quiet.cancel()
	if c.breaker != Closed {
		c.breaker = Closed
		s.tell(&BreakerClosed{c.spec.Name})
	}
}
