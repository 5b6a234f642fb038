package actors

import (
	"strowger/actors/filter"
	"strowger/transport/wire"
)

// view is a topic's members as one filter sees them: those it gives the same are one audience, and
// what it gives nothing in no case are in none. A topic has one view for each filter its service
// speaks through, nearly always one.
type view struct {
	filter    *filter.Filter
	speakers  int // instances that speak through it
	audiences map[filter.Class]*audience
}

// audience is the members of one class.
type audience struct {
	group Group
	size  int
}

// add makes a peer part of the audience of its class. A peer is added once.
func (v *view) add(p *Peer, e Egress) {
	class := v.filter.Class(p.subject())
	if class == (filter.Class{}) {
		return
	}
	a := v.audiences[class]
	if a == nil {
		a = &audience{group: e.NewGroup()}
		v.audiences[class] = a
	}
	a.group.Add(p.Socket)
	a.size++
}

// remove undoes add. A peer never changes, so it still has the class that it was added to.
func (v *view) remove(p *Peer) {
	class := v.filter.Class(p.subject())
	a := v.audiences[class]
	if a == nil {
		return
	}
	a.group.Remove(p.Socket)
	a.size--
	if a.size == 0 {
		delete(v.audiences, class)
	}
}

// cast sends what a speaker said to every audience, filtered and encoded once for each; nobody
// gets what its class does not see. Scratch is written over and returned, grown if need be.
func (v *view) cast(m *broadcast, scratch []byte) []byte {
	topic, _ := wire.Text(m.envelope.Topic)
	var whole []byte // the frame of those who see everything
	for class, audience := range v.audiences {
		out, verdict := v.filter.Apply(class, topic, m.envelope.Payload, scratch)
		if verdict == filter.Drop {
			continue
		}
		frame := whole
		switch {
		case len(out) < len(m.envelope.Payload):
			frame = encode(m.envelope, out)
			scratch = out
		case whole == nil:
			whole = wire.TextFrame(m.envelope)
			frame = whole
		}
		audience.group.Send(Frame{Bytes: frame, Lease: m.lease}, m.from.Socket)
	}
	return scratch
}

// encode returns the envelope's frame with another payload, which is copied.
func encode(e *wire.Envelope, payload []byte) []byte {
	with := *e
	with.Payload = payload
	return wire.TextFrame(&with)
}
