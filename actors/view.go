package actors

import (
	"time"

	"strowger/actors/envelope"
	"strowger/actors/filter"
)

// view is a topic's members as one filter sees them: those it gives the same are one audience, and
// what it gives nothing in no case are in none. A topic has one view for each filter its service
// speaks through, nearly always one.
type view struct {
	filter    *filter.Filter
	speakers  int // instances that speak through it
	audiences map[filter.Class]*audience
	filtered  envelope.Envelope // what one audience gets, while it is encoded
	looked    time.Time         // when it was last asked why a broadcast reached nobody
}

// audience is the members of one class.
type audience struct {
	group Group
	size  int
}

// add makes a peer part of the audience of its class. A peer is added once.
func (v *view) add(p *Peer, d *Deps) {
	class := v.filter.Class(p.subject())
	if class == (filter.Class{}) {
		return
	}
	a := v.audiences[class]
	if a == nil {
		a = &audience{group: d.Egress.NewGroup()}
		v.audiences[class] = a
	}
	if err := a.group.Add(p.Outlet); err != nil {
		d.Log.Error("member gets no broadcasts", "subscriber", p.ID, "err", err)
	}
	a.size++
}

// remove undoes add. A peer never changes, so it still has the class that it was added to.
func (v *view) remove(p *Peer) {
	class := v.filter.Class(p.subject())
	a := v.audiences[class]
	if a == nil {
		return
	}
	a.group.Remove(p.Outlet)
	a.size--
	if a.size == 0 {
		delete(v.audiences, class)
	}
}

// cast sends what a speaker said to every audience, filtered and encoded once for each; nobody
// gets what its class does not see. It reports whether some audience got it. Scratch is written over and returned,
// grown if need be.
func (v *view) cast(egress Egress, m *broadcast, scratch []byte) (grown []byte, reached bool) {
	topic, _ := envelope.View(m.envelope.Topic)
	var whole Message // what those get who see everything
	glimpse := v.filter.Glimpse(m.envelope.Payload)
	for class, audience := range v.audiences {
		if glimpse.Foreign(class) {
			continue
		}
		out, verdict := v.filter.Apply(class, topic, m.envelope.Payload, scratch)
		if verdict == filter.Drop {
			continue
		}
		reached = true
		message := whole
		switch {
		case len(out) < len(m.envelope.Payload):
			message = v.encode(egress, m.envelope, out)
			scratch = out
		case whole.Form == nil:
			whole = egress.Encode(m.envelope)
			message = whole
		}
		message.Lease = m.Lease()
		audience.group.Send(message, m.from.Outlet)
	}
	return scratch, reached
}

// lacking returns the rule that keeps a broadcast from an audience because a key is absent, empty if there is none. It
// looks once a second at most.
func (v *view) lacking(topic string, payload []byte, now time.Time) (rule string) {
	if now.Sub(v.looked) < time.Second {
		return ""
	}
	v.looked = now
	for class := range v.audiences {
		if rule = v.filter.Lacking(class, topic, payload); rule != "" {
			return rule
		}
	}
	return ""
}

// encode returns the envelope with another payload, which is copied. The envelope that Encode gets would be
// allocated for each audience if it did not belong to the view.
func (v *view) encode(egress Egress, e *envelope.Envelope, payload []byte) Message {
	v.filtered = *e
	v.filtered.Payload = payload
	m := egress.Encode(&v.filtered)
	v.filtered = envelope.Envelope{}
	return m
}
