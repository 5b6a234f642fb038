package actors

import (
	"strowger/actors/envelope"
	"strowger/actors/runtime"
)

// answer sends one of the router's own answers.
func (d *Deps) answer(to Outlet, status envelope.Status, e *envelope.Envelope) {
	d.own(to, status.Answer(e), to.Send)
}

// own has an answer of the router's written. It takes its share of the window of the peer that gets it, so a
// peer that asks and does not read is not read from.
func (d *Deps) own(to Outlet, e *envelope.Envelope, write func(m Message)) {
	m := d.Egress.Encode(e, nil)
	to.Window().Charge(len(m.Form), func(l *runtime.Lease) {
		m.Lease = l
		write(m)
	})
}

// reply sends what from said to whoever asked.
func (d *Deps) reply(from, to *Peer, e *envelope.Envelope, lease *runtime.Lease) {
	d.Counters.Replies.Add(1)
	if to.node != nil {
		d.replyAway(from, to, e, lease)
		return
	}
	to.Outlet.Send(d.encode(e, lease))
}

// encode returns the envelope as a message that holds the lease.
func (d *Deps) encode(e *envelope.Envelope, lease *runtime.Lease) Message {
	m := d.Egress.Encode(e, nil)
	m.Lease = lease
	return m
}
