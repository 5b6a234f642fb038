package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"strowger/transport/wire"
)

// Messages a topic takes.
type (
	join struct {
		peer *Peer
		from *actor.PID // gets *Joined; nil: nobody waits
	}
	leave struct{ peer *Peer }
	// broadcast goes to all members but the one who sent it.
	broadcast struct {
		envelope *wire.Envelope
		from     *Peer
		lease    *Lease
	}
	// reply goes to the one who asked, a member or not.
	reply struct {
		envelope *wire.Envelope
		to       *Peer
		lease    *Lease
	}
)

func (m *broadcast) release() { m.lease.Release() }
func (m *reply) release()     { m.lease.Release() }

// Joined says that a subscriber is a member of one more topic, or an instance of its service.
type Joined struct{}

// topic is the stream of what one service says: broadcasts to its members and replies to those
// who asked. Both go this one way, so that a subscriber sees them in the order in which the
// service wrote them.
// On restart: the members are kept; the egress holds them, not this actor.
type topic struct {
	deps  *Deps
	group Group
}

func newTopic(d *Deps) *actor.Props {
	t := &topic{deps: d, group: d.Egress.NewGroup()}
	return Props(d, "topic", func() actor.Actor { return t }, actor.WithGuardian(d.Permanent))
}

// Receive handles one message.
func (t *topic) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *broadcast:
		t.broadcast(m)
	case *reply:
		t.reply(m)
	case *join:
		t.join(ctx, m)
	case *leave:
		t.group.Remove(m.peer.Socket)
	case *passing:
		m.passed()
	default:
		t.deps.unknown(ctx)
	}
}

func (t *topic) broadcast(m *broadcast) {
	t.deps.Counters.Broadcasts.Add(1)
	t.group.Send(Frame{Bytes: wire.TextFrame(m.envelope), Lease: m.lease}, m.from.Socket)
	m.lease.Release()
}

func (t *topic) reply(m *reply) {
	t.deps.Counters.Replies.Add(1)
	m.to.Socket.Send(Frame{Bytes: wire.TextFrame(m.envelope), Lease: m.lease})
	m.lease.Release()
}

func (t *topic) join(ctx actor.Context, m *join) {
	t.group.Add(m.peer.Socket)
	if m.from != nil {
		ctx.Send(m.from, &Joined{})
	}
}
