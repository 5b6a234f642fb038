package supervisor

import (
	"errors"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// isHang reports whether a child has failed because it hung.
func isHang(reason any) bool {
	err, ok := reason.(error)
	return ok && errors.Is(err, ErrHung)
}

// failed decides what follows a failure. The child is suspended (hurt) or does not run (no pid).
func (s *supervisor) failed(c *child, reason, message any) {
	now := s.o.Clock.Now()
	c.failures++
	c.last = Failure{At: now, Reason: reason}
	s.tell(&ChildFailed{c.spec.Name, c.generation, reason,
		actor.UnwrapEnvelopeMessage(message), actor.UnwrapEnvelopeSender(message)})
	was, worked := c.stage, now
	if isHang(reason) {
		worked = c.well
	}
	if was == up && worked.Sub(c.since) >= c.spec.Pace.Period {
		c.attempt = 0
	}
	c.rest()
	if c.pid == nil {
		c.gone()
	}
	switch {
	case s.closed:
	case s.ending, was == halting, was == stopping:
		// It is on its way down and what then comes is decided already.
		s.settle()
	case c.spec.Restart == Temporary:
		c.final = true
		if c.pid == nil {
			c.stage = finished
		}
		c.halt()
		s.settle()
	case c.breaker == HalfOpen:
		s.open(c)
	default:
		s.count(c, now)
	}
}

// counted is a failure that counts until its period is over.
type counted struct {
	at     time.Time
	period time.Duration
}

// count enters the failure into the window and chooses between a restart, the breaker and giving up.
func (s *supervisor) count(c *child, now time.Time) {
	window := &s.window
	if c.spec.alone {
		window = &c.window
	}
	*window = slices.DeleteFunc(*window, func(f counted) bool { return now.Sub(f.at) > f.period })
	period := c.spec.Pace.Period
	if isHang(c.last.Reason) {
		period = c.spec.HangPeriod
	}
	*window = append(*window, counted{now, period})
	failures := len(*window)
	switch {
	case c.spec.obstacle() != nil:
		s.open(c)
	case failures <= c.spec.Pace.Intensity:
		s.restart(c)
	case c.spec.Breaker != nil:
		s.open(c)
	default:
		s.tell(&ChildGaveUp{c.spec.Name, failures, c.last.Reason})
		s.cause = &GaveUp{c.spec.Name, failures, c.spec.Pace.Period, c.last.Reason}
		s.end()
	}
}

// restart brings the child back: at once after an isolated failure, and then in place if it still
// has its mailbox; after a pause otherwise, and then in place only if its spec says so.
func (s *supervisor) restart(c *child) {
	c.attempt++
	isolated := c.attempt == 1
	inPlace := (isolated || c.spec.InPlace) && c.pid != nil
	pause := s.pause(c)
	s.tell(&ChildRestarting{c.spec.Name, pause, inPlace})
	if inPlace {
		c.stage = crashed
	} else {
		c.halt()
	}
	if !isolated {
		c.wait = s.after(pause, s.settle)
	}
	s.haltGroup(c)
	s.settle()
}

// pause returns how long to wait before the start that follows the child's failures in a row.
func (s *supervisor) pause(c *child) time.Duration {
	if c.attempt <= 1 {
		return 0
	}
	pace := c.spec.Pace
	longest := min(pace.Backoff, pace.BackoffCap)
	for range c.attempt - 2 {
		if longest > pace.BackoffCap/2 {
			longest = pace.BackoffCap
			break
		}
		longest *= 2
	}
	return time.Duration(s.o.Random() * float64(longest))
}

// haltGroup takes down those that are restarted together with c.
func (s *supervisor) haltGroup(c *child) {
	strategy := s.strategy(c)
	if strategy == OneForOne {
		return
	}
	at := slices.Index(s.children, c)
	for i, other := range s.children {
		if i == at || i < at && strategy == RestForOne || other.spec.Group != c.spec.Group {
			continue
		}
		if other.spec.Group != "" && (other.stage == up || other.stage == crashed) && other.spec.Restart != Temporary {
			s.tell(&ChildRestarting{Child: other.spec.Name})
		}
		if other.spec.Restart == Temporary && other.pid != nil {
			other.final = true
		}
		other.halt()
	}
}
