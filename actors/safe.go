package actors

import (
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/envelope"
)

// Crash is why an actor failed: what was thrown, at what message, and where.
type Crash struct {
	Actor   string // the PID's name
	Kind    string // connection, topic and so on
	Reason  any
	Message any
	Stack   []byte
}

// Envelope returns the routed message at which the actor failed, nil if it was none.
func (c *Crash) Envelope() *envelope.Envelope {
	switch m := c.Message.(type) {
	case *ask:
		return m.envelope
	case *say:
		return m.envelope
	case *broadcast:
		return m.envelope
	case *reply:
		return m.envelope
	}
	return nil
}

// Error returns the reason; the stack is for the log.
func (c *Crash) Error() string { return fmt.Sprint(c.Reason) }

// Safe is around every actor that routes; the services, janitors, admin pages and supervisors of
// package system have guards of their own. It logs a panic with its stack before the supervisor hears of
// it, buries the message that caused it, answers its requester with 500, and keeps a panic in
// Restarting, Stopping or Stopped from hanging the parent.
type Safe struct {
	inner   actor.Actor
	kind    string
	deps    *Deps
	stopped bool
}

// leased is a message that holds a share of its sender's window.
type leased interface{ release() }

// crasher is an actor that cleans up when it panics, before its supervisor decides.
type crasher interface{ Crashed() }

// Props returns how to spawn an actor of a kind: own mailbox, Safe around it.
func Props(d *Deps, kind string, produce func() actor.Actor, more ...actor.PropsOption) *actor.Props {
	options := append(d.Mailbox(), more...)
	return actor.PropsFromProducer(func() actor.Actor {
		return &Safe{inner: produce(), kind: kind, deps: d}
	}, options...)
}

// Mailbox returns how an actor gets a mailbox of this package.
func (d *Deps) Mailbox() []actor.PropsOption {
	return []actor.PropsOption{actor.WithMailbox(newMailbox), actor.WithDispatcher(d.workers)}
}

// Receive passes the message on to the actor inside.
func (s *Safe) Receive(ctx actor.Context) {
	defer s.recover(ctx)
	switch ctx.Message().(type) {
	case *actor.Stopped:
		s.stopped = true
	}
	s.inner.Receive(ctx)
}

func (s *Safe) recover(ctx actor.Context) {
	reason := recover()
	if reason == nil {
		return
	}
	message := ctx.Message()
	crash := &Crash{Actor: ctx.Self().GetId(), Kind: s.kind, Reason: reason, Message: message, Stack: debug.Stack()}
	s.deps.Log.Error("actor panicked", "actor", ctx.Self().GetId(), "kind", s.kind,
		"message", fmt.Sprintf("%T", message), "reason", fmt.Sprint(reason), "stack", string(crash.Stack))
	s.deps.Counters.Panics.Add(1)
	if s.deps.OnCrash != nil {
		s.deps.OnCrash(crash)
	}
	if l, ok := message.(leased); ok {
		s.deps.Counters.Dead(ActorCrashed)
		l.release()
	}
	if c, ok := s.inner.(crasher); ok {
		c.Crashed()
	}
	switch m := message.(type) {
	case *actor.Restarting, *actor.Stopping, *actor.Stopped:
		return
	case *ask:
		s.deps.answer(m.from.Socket, envelope.InternalError, m.envelope)
	}
	panic(crash)
}

// unknown is the default case of every Receive.
func (d *Deps) unknown(ctx actor.Context) {
	switch ctx.Message().(type) {
	case actor.SystemMessage, actor.AutoReceiveMessage:
		return
	}
	d.Counters.Dead(UnknownMessage)
	d.Log.Error("unknown message", "actor", ctx.Self().GetId(), "message", fmt.Sprintf("%T", ctx.Message()))
}

// stopOnFailure ends an actor that panicked: a connection, or the subscriber behind it.
type stopOnFailure struct{ log *slog.Logger }

func (s *stopOnFailure) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID,
	_ *actor.RestartStatistics, _, _ any) {
	s.log.Warn("actor stopped after a panic", "actor", child.GetId())
	supervisor.StopChildren(child)
}

// restartOnFailure restarts an actor in place; its mailbox is kept, the message that crashed it
// is lost.
type restartOnFailure struct{ log *slog.Logger }

func (s *restartOnFailure) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID,
	_ *actor.RestartStatistics, _, _ any) {
	s.log.Warn("actor restarted after a panic", "actor", child.GetId())
	supervisor.RestartChildren(child)
}

// Bury counts a message that was sent to an actor that is no more, and gives back what it holds. A
// request whose service left while it was on its way is answered like one for a name nobody offers.
func (d *Deps) Bury(message any) {
	if claimed, ok := message.(*tokenClaimed); ok {
		d.unneeded(claimed, false)
		return
	}
	l, ok := message.(leased)
	if !ok {
		return
	}
	if a, ok := message.(*ask); ok {
		d.unavailable(a.from, a.envelope)
	} else {
		d.Counters.Dead(ActorStopped)
	}
	l.release()
}
