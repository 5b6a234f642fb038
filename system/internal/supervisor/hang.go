package supervisor

import (
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Ping asks a child whether it still handles messages. The library answers when Receive returns, so
// Receive need not know the type; a default case can tell it by its being an
// actor.AutoReceiveMessage.
type Ping struct {
	owner *supervisor
	child *child
}

// pong answers a Ping.
type pong struct{ ping *Ping }

// AutoReceiveMessage marks the ping as not meant for the actor's own code.
func (*Ping) AutoReceiveMessage() {}

// GetAutoResponse is what the library answers for the child.
func (p *Ping) GetAutoResponse(actor.Context) any { return &pong{p} }

var _ actor.AutoRespond = (*Ping)(nil)

// watch pings the child after a while.
func (s *supervisor) watch(c *child) {
	if c.spec.PingEvery == 0 {
		return
	}
	c.pinger = s.after(c.spec.PingEvery, func() {
		c.ping = &Ping{s, c}
		s.ctx.Request(c.pid, c.ping)
		s.expect(c, c.spec.PingTimeout, s.o.Slept(), c.spec.call())
	})
}

// expect waits for the answer to a ping. Slept is how long the process had not run by now. If it does not
// run for a part of the wait, the child gets that time again: it could not do anything either. Call is the call that
// the child was in when the wait began. If it is in another one after the wait, it is busy, and gets the whole time for
// that one.
func (s *supervisor) expect(c *child, wait, slept time.Duration, call uint64) {
	c.pinger = s.after(wait, func() {
		now, in := s.o.Slept(), c.spec.call()
		missed := min(now-slept, c.spec.PingTimeout)
		switch {
		case in != call || in == noCall:
			s.expect(c, c.spec.PingTimeout, now, in)
		case missed > 0:
			s.expect(c, missed, now, call)
		default:
			s.hung(c)
		}
	})
}

// noCall is what Spec.Call returns of a child that is in no call, and anyCall what stands for the call of a child
// without Spec.Call.
const (
	noCall  = uint64(0)
	anyCall = ^uint64(0)
)

func (s *Spec) call() uint64 {
	if s.Call == nil {
		return anyCall
	}
	return s.Call()
}

func (s *supervisor) answered(m *pong) {
	c := m.ping.child
	if m.ping.owner != s || c.ping != m.ping {
		return
	}
	c.ping, c.well = nil, s.o.Clock.Now()
	c.pinger.cancel()
	s.watch(c)
}

// hung replaces a child that does not answer. What it holds is lost.
func (s *supervisor) hung(c *child) {
	s.abandon(c, ErrHung)
	s.failed(c, ErrHung, nil)
}

// exited replaces a child whose goroutine has ended, unless it was to stop anyway.
func (s *supervisor) exited(m *Exited) {
	c := s.find(m.Child)
	switch {
	case c == nil:
	case c.stage == stopping:
		c.deadline.cancel()
		s.abandon(c, errGone)
		c.gone()
		s.settle()
	default:
		s.abandon(c, ErrExited)
		s.failed(c, ErrExited, nil)
	}
}

// errGone is the reason when the goroutine of a child has ended while the child stopped.
var errGone = errors.New("its goroutine ended while it stopped")

// abandon takes a child out of the system that cannot be stopped.
func (s *supervisor) abandon(c *child, reason any) {
	s.tell(&ChildAbandoned{c.spec.Name, c.generation, c.pid, reason})
	forsake(s.ctx.ActorSystem(), s.ctx.Self(), c.pid)
	c.pid = nil
}

// forsake makes messages to a child dead letters, has it stop should it ever return, and has its
// parent not wait for that. It may be called from any goroutine.
func forsake(system *actor.ActorSystem, parent, child *actor.PID) {
	if process, ok := system.ProcessRegistry.Get(child); ok {
		process.SendSystemMessage(child, &actor.Stop{})
		system.ProcessRegistry.Remove(child)
	}
	if process, ok := system.ProcessRegistry.Get(parent); ok {
		process.SendSystemMessage(parent, &actor.Terminated{Who: child, Why: actor.TerminatedReason_NotFound})
	}
}
