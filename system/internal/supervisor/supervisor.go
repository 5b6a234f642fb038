package supervisor

import (
	"fmt"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

type (
	// Shutdown tells a supervisor to stop its children, the last one first and one at a time unless they stop together,
	// and then itself. Whoever requests it gets a ShutdownCompleted once the children are gone. Stopping
	// the actor in the library's way stops all children at once.
	Shutdown struct {
		// Hurry abandons the child that is being stopped and gives each of the others at most this time. It is for
		// a Shutdown that takes too long. 0 leaves the children the time that they have.
		Hurry time.Duration
	}
	// ShutdownCompleted answers Shutdown.
	ShutdownCompleted struct{}
	// Exited tells a supervisor that the goroutine of a child has ended within a call, by runtime.Goexit. The child handles
	// nothing any more, and nobody can restart it in place. A deferred function of the child sends it.
	Exited struct{ Child *actor.PID }
)

// supervisor is the actor. It is its own actor.SupervisorStrategy, so failures of children are
// handled in its own goroutine.
//
// On restart: all children are stopped and started anew with the counters at zero, those included that were added. Only
// the generations go on counting.
type supervisor struct {
	o        Options
	ctx      actor.Context
	roll     *roll
	children []*child
	window   []counted // failures within their period, of the children that are not counted by themselves

	settling, unsettled bool

	ending bool // stopping all children for good
	cause  *GaveUp
	told   bool          // ending because of Shutdown
	hurry  time.Duration // the most time a child has to stop; 0: what its Spec says
	askers []*actor.PID  // wait for ShutdownCompleted
	closed bool          // the library stops or restarts us
}

var _ actor.SupervisorStrategy = (*supervisor)(nil)

// New returns how to spawn a supervisor, or everything that is wrong with o. The props may
// be spawned again once the actor has stopped, as a parent of this package does.
func New(o Options) (*actor.Props, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("supervisor: %w", err)
	}
	all := newRoll(o.Children)
	return actor.PropsFromProducer(func() actor.Actor {
		s := &supervisor{o: o, roll: all}
		for i := range all.entries {
			s.children = append(s.children, all.entries[i].child())
		}
		return s
	}), nil
}

// Receive handles commands, timers and the ends of children.
func (s *supervisor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		s.ctx = ctx
		s.settle()
	case *actor.Stopping, *actor.Restarting:
		s.close()
	case *actor.Terminated:
		s.terminated(m)
	case *fired:
		s.fire(m)
	case *Exited:
		s.exited(m)
	case *pong:
		s.answered(m)
	case *Inspect:
		ctx.Respond(s.snapshot())
	case *Order:
		ctx.Respond(s.obey(m))
	case *Add:
		ctx.Respond(&Obeyed{s.add(m.Child)})
	case *Remove:
		if err := s.remove(ctx.Sender(), m.Child); err != nil {
			ctx.Respond(&Obeyed{err})
		}
	case *Shutdown:
		s.shutdown(ctx.Sender(), m.Hurry)
	case *actor.Stopped, *actor.DeadLetterResponse, *Ping:
	default:
		s.tell(&MessageIgnored{fmt.Sprintf("%T", m)})
	}
}

// HandleFailure is called by the library, in this actor's goroutine, when a child has panicked. The
// child is suspended until it is restarted or stopped.
func (s *supervisor) HandleFailure(_ *actor.ActorSystem, _ actor.Supervisor, who *actor.PID,
	_ *actor.RestartStatistics, reason, message any) {
	c := s.find(who)
	// An actor that panics while it stops neither stops any more nor restarts.
	_, dying := message.(*actor.Stop)
	_, registered := s.ctx.ActorSystem().ProcessRegistry.Get(who)
	dying = dying || !registered
	switch {
	case c == nil:
		s.ctx.Stop(who)
	case dying:
		s.abandon(c, reason)
		s.failed(c, reason, message)
	case s.closed || c.stage == stopping:
		// Suspended, it handles neither Shutdown nor what it was to drain.
		s.ctx.Stop(who)
		s.failed(c, reason, message)
	default:
		c.hurt = true
		s.failed(c, reason, message)
	}
}

func (s *supervisor) terminated(m *actor.Terminated) {
	c := s.find(m.Who)
	if c == nil {
		return
	}
	if m.Why == actor.TerminatedReason_NotFound {
		s.tell(&ChildAbandoned{c.spec.Name, c.generation, m.Who, errOverdue(c.spec.StopTimeout)})
	} else {
		s.tell(&ChildStopped{c.spec.Name, c.generation, m.Who})
	}
	unasked := c.stage == up && !s.closed
	switch {
	case unasked && c.spec.Restart == Permanent:
		c.pid = nil
		s.failed(c, ErrEnded, nil)
		return
	case unasked:
		c.final = true
	}
	c.gone()
	if s.closed && c.removed {
		s.forget(c) // the next life does not know it
	}
	s.settle()
}

func (s *supervisor) shutdown(asker *actor.PID, hurry time.Duration) {
	s.told = true
	if asker != nil {
		s.askers = append(s.askers, asker)
	}
	if hurry > 0 && s.hurry == 0 && !s.closed {
		s.hurry = hurry
		for _, c := range s.children {
			s.hasten(c)
		}
	}
	s.end()
}

// hasten shortens the time of a child that is being stopped.
func (s *supervisor) hasten(c *child) {
	switch {
	case c.stage != stopping:
	case c.spec.Nested:
		s.ctx.Send(c.pid, &Shutdown{Hurry: s.hurry})
	case c.spec.StopTimeout > 0:
		c.deadline.cancel()
		s.overdue(c, s.o.Clock.Now().Sub(c.told).Round(time.Millisecond))
	}
}

// end stops all children for good.
func (s *supervisor) end() {
	s.ending = true
	for _, c := range s.children {
		c.wait.cancel()
		c.halt()
	}
	s.settle()
}

// close is the library's way to stop or restart us: it stops the children itself and waits for
// them. Our mailbox may be suspended, so the deadlines act without us.
func (s *supervisor) close() {
	s.closed = true
	system, self := s.ctx.ActorSystem(), s.ctx.Self()
	for _, c := range s.children {
		c.rest()
		c.wait.cancel()
		c.deadline.cancel()
		if c.pid == nil || c.spec.StopTimeout <= 0 {
			continue
		}
		pid := c.pid
		c.deadline = &timer{stop: s.o.Clock.AfterFunc(c.spec.StopTimeout, func() { forsake(system, self, pid) })}
	}
}

// finish is called once when all children have stopped for good.
func (s *supervisor) finish() {
	s.closed = true
	for _, asker := range s.askers {
		s.ctx.Send(asker, &ShutdownCompleted{})
	}
	if s.cause != nil && s.o.Failed != nil {
		select {
		case s.o.Failed <- s.cause:
		default:
		}
	}
	if s.told || s.o.Failed != nil {
		s.ctx.Stop(s.ctx.Self())
		return
	}
	// The library reports a panic to our parent, which decides what becomes of us.
	panic(s.cause)
}

func (s *supervisor) find(pid *actor.PID) *child {
	i := slices.IndexFunc(s.children, func(c *child) bool { return c.pid != nil && c.pid.Equal(pid) })
	if i < 0 {
		return nil
	}
	return s.children[i]
}
