package actors

import (
	"slices"

	"strowger/actors/envelope"
	"strowger/actors/runtime"
)

func (*watch) toTopic()   {}
func (*unwatch) toTopic() {}

// watch notes that a node watches the service.
func (t *topic) watch(m *watch) {
	if !slices.Contains(t.nodes, m.node) {
		t.nodes = append(t.nodes, m.node)
	}
	if t.presence != nil {
		t.presence.meet(m.node)
	}
	t.clearWills(m.node)
	m.done()
}

func (t *topic) unwatch(n Node) {
	t.nodes = slices.DeleteFunc(t.nodes, func(watching Node) bool { return watching == n })
	if t.presence != nil {
		t.presence.part(n)
	}
}

// forward sends a broadcast once to each node that watches the service. It is not filtered: the nodes do so.
func (t *topic) forward(m *broadcast) {
	p := &Parcel{
		Kind: BroadcastParcel, Service: m.from.Name, Instance: m.from.ID, Class: m.from.Class, KnownClass: m.from.KnownClass,
		Open: m.open, Text: textOf(m.envelope), Lease: m.Lease(),
	}
	for _, n := range t.nodes {
		if !n.Send(p) {
			t.deps.Counters.Dead(NodeGone)
		}
	}
}

// replyAway sends what from said to the node of the visitor that asked.
func (d *Deps) replyAway(from, to *Peer, e *envelope.Envelope, lease *runtime.Lease) {
	p := &Parcel{
		Kind: ReplyParcel, Service: from.Name, Instance: from.ID, Class: from.Class, KnownClass: from.KnownClass,
		Subscriber: to.ID, Text: textOf(e), Lease: lease,
	}
	if !to.node.Send(p) {
		d.bury(NodeGone, ReplyLetter, e, from)
	}
}

// textOf returns an envelope as JSON.
func textOf(e *envelope.Envelope) []byte { return e.Append(make([]byte, 0, e.Size())) }

// offered returns an instance of this node as others know it.
func (i *instance) offered() Offered {
	p := i.peer
	o := Offered{Name: p.Name, ID: p.ID, Class: p.Class, KnownClass: p.KnownClass, Inside: p.inside, Everywhere: p.everywhere, Leaving: i.leaving}
	if p.local != nil {
		o.Policy = p.local.policy
	}
	return o
}

// tell tells other nodes that an instance has changed.
func (s *service) tell(i *instance) {
	if s.deps.Cluster != nil && i.peer.node == nil {
		s.deps.Cluster.Offered(i.offered(), nil)
	}
}

// withdrawn tells other nodes that an instance of this one is gone.
func (d *Deps) withdrawn(p *Peer) {
	if d.Cluster != nil && p.node == nil {
		d.Cluster.Withdrawn(p.Name, p.ID)
	}
}
