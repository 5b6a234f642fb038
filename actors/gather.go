package actors

import (
	"slices"
	"time"

	"strowger/actors/envelope"
	"strowger/actors/runtime"
)

// Messages about parts that a service in this process gathers.
type (
	gather struct {
		by, from *Peer
		envelope *envelope.Envelope
		within   time.Duration
		take     func([]Answer)
	}
	// gathered ends a gathering whose time is over.
	gathered struct {
		unmissed
		key envelope.Key
	}
)

func (*gather) toService()   {}
func (*gathered) toService() {}

// lost lets the service go on with what it has.
func (m *gather) lost(*Deps, runtime.Loss) { m.take(nil) }

// Gather asks the instances on other nodes, each of which gets the request as a GatheredPart. It calls take once, from any
// goroutine, with what they have answered within the time.
func (r *Request) Gather(within time.Duration, take func([]Answer)) {
	r.elsewhere.service.Send(&gather{by: r.elsewhere.by, from: r.From, envelope: r.Envelope, within: within, take: take})
}

// gathering waits for the parts of instances.
type gathering struct {
	take    func([]Answer)
	answers []Answer
	left    []*Peer // that have not answered
	stop    func() bool
	service string
	asker   string // id under which other nodes were asked
	nodes   []Node // that were asked
}

// gatherings are those under way, by the id of the request to other nodes. It is nil until there is one.
type gatherings map[envelope.Key]*gathering

// gather asks the other instances. The request has an id of its own, because the asker may use its id again.
func (s *service) gather(m *gather) {
	id := envelope.QuoteString(envelope.NewID())
	e := *m.envelope
	e.RequestID = id
	// So has the asker: what comes too late is for nobody, and the nodes may know the asker as a visitor of another one.
	p := part{kind: GatheredPart, from: m.from, asker: envelope.NewID(), within: m.within}
	g := &gathering{take: m.take, service: s.name, asker: p.asker}
	for _, i := range s.askParts(&e, s.others(m.from, &e, m.by), p) {
		g.left = append(g.left, i.peer)
		if n := i.peer.node; n != nil && !slices.Contains(g.nodes, n) {
			g.nodes = append(g.nodes, n)
		}
	}
	if len(g.left) == 0 {
		m.take(nil)
		return
	}
	if s.gathers == nil {
		s.gathers = gatherings{}
	}
	key := envelope.KeyOf(id)
	s.gathers[key] = g
	g.stop = s.self.After(s.deps.Clock, m.within, &gathered{key: key})
}

// answers reports whether a message answers a part, and keeps it then.
func (g gatherings) answers(m *say) bool {
	if len(g) == 0 {
		return false
	}
	key := requestKey(m.envelope)
	one := g[key]
	if one == nil {
		return false
	}
	if slices.Contains(one.left, m.from) {
		name := ""
		if m.from.node != nil {
			name = m.from.node.Name()
		}
		one.answers = append(one.answers, Answer{Node: name, Envelope: m.envelope})
		g.drop(key, m.from)
	}
	return true
}

// drop notes that an instance answers no more. It reports whether there is such a gathering.
func (g gatherings) drop(key envelope.Key, by *Peer) bool {
	one := g[key]
	if one == nil {
		return false
	}
	one.left = slices.DeleteFunc(one.left, func(p *Peer) bool { return p == by })
	if len(one.left) == 0 {
		g.end(key)
	}
	return true
}

// lost notes that an instance is gone.
func (g gatherings) lost(by *Peer) {
	for key := range g {
		g.drop(key, by)
	}
}

// end hands over what has come.
func (g gatherings) end(key envelope.Key) {
	one := g[key]
	if one == nil {
		return
	}
	delete(g, key)
	one.stop()
	for _, n := range one.nodes {
		n.Send(&Parcel{Kind: GoneParcel, Service: one.service, Subscriber: one.asker})
	}
	one.take(one.answers)
}
