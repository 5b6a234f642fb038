package runtime

import (
	"fmt"
	"runtime/debug"

	"github.com/asynkron/protoactor-go/actor"
)

// Loss says why no actor handled a message.
type Loss int

// The reasons.
const (
	Panicked Loss = iota // the actor that it was for panicked at it
	Stopped              // the actor that it was for has stopped
	Unknown              // the actor that it was for does not know such messages
)

// Crash is why an actor failed: what was thrown, at what message, and where.
type Crash struct {
	Actor   string // the PID's name
	Kind    string // connection, topic and so on
	Reason  any
	Message any
	Stack   []byte
}

// Error returns the reason; the stack is for the log.
func (c *Crash) Error() string { return fmt.Sprint(c.Reason) }

// Trace returns the stack.
func (c *Crash) Trace() []byte { return c.Stack }

// Guard is around every actor that Props, Spawn or a Spawner makes. After each message it gives back the share
// of a window that the message still holds. It logs a panic with its stack before the supervisor hears of it,
// reports the panic and the message that is lost by it, and keeps a panic in Restarting, Stopping or Stopped
// from hanging the parent.
type Guard struct {
	*kind
	inner   actor.Actor
	mailbox *mailbox // set before the first message
	stopped bool
}

// kind is what the guards of all actors of one kind share.
type kind struct {
	name    string
	runtime *Runtime
	quiet   bool // panics are logged and counted elsewhere
}

// Crasher is an actor that cleans up when it panics, before its supervisor decides.
type Crasher interface{ Crashed() }

// Props returns how to spawn an actor of a kind with that name.
func (r *Runtime) Props(name string, produce func() actor.Actor, more ...actor.PropsOption) *actor.Props {
	return r.props(&kind{name: name, runtime: r}, produce, more)
}

// QuietProps is Props of an actor whose panics are logged and counted by its supervisor, as those of a listener
// that cannot listen are. The guard neither logs nor reports them, and they reach the supervisor as they are.
func (r *Runtime) QuietProps(name string, produce func() actor.Actor, more ...actor.PropsOption) *actor.Props {
	return r.props(&kind{name: name, runtime: r, quiet: true}, produce, more)
}

func (r *Runtime) props(k *kind, produce func() actor.Actor, more []actor.PropsOption) *actor.Props {
	return actor.PropsFromProducer(func() actor.Actor {
		return &Guard{kind: k, inner: produce()}
	}, append(r.Mailbox(), more...)...)
}

// Inner returns the actor inside, for tests.
func (g *Guard) Inner() actor.Actor { return g.inner }

// Receive passes the message on to the actor inside.
func (g *Guard) Receive(ctx actor.Context) {
	defer g.recover(ctx)
	message := ctx.Message()
	if _, ok := message.(*actor.Stopped); ok {
		g.stopped = true
	}
	g.inner.Receive(ctx)
	if h, ok := message.(holding); ok {
		h.held().Release()
	}
}

func (g *Guard) recover(ctx actor.Context) {
	reason := recover()
	if reason == nil {
		return
	}
	message := ctx.Message()
	escalated := reason
	if !g.quiet {
		escalated = g.crashed(ctx, reason, message)
	}
	if c, ok := g.inner.(Crasher); ok {
		c.Crashed()
	}
	switch message.(type) {
	case *actor.Restarting, *actor.Stopping, *actor.Stopped:
		return
	}
	g.runtime.lose(message, Panicked)
	panic(escalated)
}

// crashed logs and reports a panic.
func (g *Guard) crashed(ctx actor.Context, reason, message any) *Crash {
	crash := &Crash{Actor: ctx.Self().GetId(), Kind: g.kind.name, Reason: reason, Message: message, Stack: debug.Stack()}
	g.runtime.Log.Error("actor panicked", "actor", crash.Actor, "kind", g.kind.name,
		"message", fmt.Sprintf("%T", message), "reason", fmt.Sprint(reason), "stack", string(crash.Stack))
	g.runtime.crashed(crash)
	return crash
}

// Bury reports a message to an actor that is no more, and gives back what it holds.
func (r *Runtime) Bury(message any) { r.lose(message, Stopped) }

func (r *Runtime) lose(message any, why Loss) {
	r.lost(message, why)
	if h, ok := message.(holding); ok {
		h.held().Release()
	}
}

// Unknown is the default case of an actor's Receive. It reports and logs a message that the actor does not
// know, unless it is one of the library's.
func (r *Runtime) Unknown(ctx actor.Context) {
	switch ctx.Message().(type) {
	case actor.SystemMessage, actor.AutoReceiveMessage:
		return
	}
	r.lost(ctx.Message(), Unknown)
	r.Log.Error("unknown message", "actor", ctx.Self().GetId(), "message", fmt.Sprintf("%T", ctx.Message()))
}
