package runtime

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/clock"
)

// Ref is the way to one actor, which takes messages of type M. M is an interface with an unexported method
// that only the messages of that actor have, so that a message for another actor does not compile. A message
// to an actor that has stopped is lost: Runtime reports it. Methods may be called from any goroutine. The zero
// Ref is the way to nobody and takes nothing.
type Ref[M any] struct {
	pid     *actor.PID
	mailbox *mailbox
}

// Send posts a message.
func (r Ref[M]) Send(m M) { r.mailbox.PostUserMessage(m) }

// Run posts a message and, unless the actor is at work already, has it work on the goroutine of the caller,
// which saves the change of goroutines. The actor handles one message there, so that the caller is not held up
// by what others send. It is for messages that are soon dealt with.
func (r Ref[M]) Run(m M) {
	if r.mailbox.post(m) {
		r.mailbox.runOne()
	}
}

// After posts a message later, unless stop is called before.
func (r Ref[M]) After(c clock.Clock, delay time.Duration, m M) (stop func() bool) {
	return c.AfterFunc(delay, func() { r.Send(m) })
}

// Waiting returns how many messages wait for the actor.
func (r Ref[M]) Waiting() int { return r.mailbox.UserMessageCount() }

// PID returns the actor's place in the library's registry, for those who stop it, watch it or ask it with a
// future. It is nil for the zero Ref.
func (r Ref[M]) PID() *actor.PID { return r.pid }

// Same reports whether r and o are the way to one actor.
func (r Ref[M]) Same(o Ref[M]) bool { return r.mailbox == o.mailbox }

// Zero reports whether r is the way to nobody.
func (r Ref[M]) Zero() bool { return r.pid == nil }

// Self returns the way to the actor that handles a message in ctx. Its props must be those of a Runtime. The
// mailbox tells a new guard of itself only after the restart, so Self panics for the actor.Started of one.
func Self[M any](ctx actor.Context) Ref[M] {
	box := ctx.Actor().(*Guard).mailbox
	if box == nil {
		panic("runtime: Self while the actor restarts")
	}
	return Ref[M]{ctx.Self(), box}
}

// Watched returns the way to the actor that g watches.
func Watched[M any](pid *actor.PID, g *Gauge) Ref[M] { return Ref[M]{pid, g.mailbox.Load()} }

// Spawn starts an actor of a kind, which stands in logs and in its name.
func Spawn[M any](r *Runtime, kind string, produce func() actor.Actor, more ...actor.PropsOption) Ref[M] {
	var box *mailbox
	more = append(more, actor.WithMailbox(func() actor.Mailbox {
		box = new(mailbox)
		return box
	}))
	pid := r.spawn(r.Props(kind, produce, more...), kind)
	return Ref[M]{pid, box}
}
