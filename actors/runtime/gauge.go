package runtime

import (
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// Gauge tells from outside how much waits for one actor. The zero value is ready.
type Gauge struct{ mailbox atomic.Pointer[mailbox] }

// Watch returns props for the one actor whose mailbox is to be told of.
func (g *Gauge) Watch(props *actor.Props) *actor.Props {
	return props.Configure(actor.WithMailbox(func() actor.Mailbox {
		m := &mailbox{}
		g.mailbox.Store(m)
		return m
	}))
}

// Depth returns how many messages wait; 0 before the actor was spawned. Any goroutine may ask.
func (g *Gauge) Depth() int {
	if m := g.mailbox.Load(); m != nil {
		return m.UserMessageCount()
	}
	return 0
}
