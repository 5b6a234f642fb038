package actors

import (
	"slices"

	"strowger/actors/envelope"
)

// unserved answers a request for a name that nobody serves. While the last instance is leaving, the
// request gets the 503 that it would get from a service that stops.
func (s *service) unserved(m *ask) {
	if !slices.ContainsFunc(s.instances, func(i *instance) bool { return i.leaving && !i.brief && i.peer.serving() }) {
		s.deps.unavailable(m.from, m.envelope)
		return
	}
	s.deps.bury(UnknownService, RequestLetter, m.envelope, m.from)
	// A page would take an answer without an id for a broadcast.
	if requestKey(m.envelope) != (envelope.Key{}) {
		s.deps.answer(m.from.Outlet, envelope.Unavailable, m.envelope)
	}
}

// unavailable answers a request for a service that nobody offers, if the setting says so
// (protocol 11.19: pages expect silence).
func (d *Deps) unavailable(to *Peer, e *envelope.Envelope) {
	d.bury(UnknownService, RequestLetter, e, to)
	code := d.settings().UnknownService
	if code == 0 && to.node == nil && calls(to.Outlet) {
		code = envelope.NotFound.Code // no silence for a peer that waits
	}
	switch code {
	case envelope.NotFound.Code:
		d.answer(to.Outlet, envelope.NotFound, e)
	case envelope.Unavailable.Code:
		d.answer(to.Outlet, envelope.Unavailable, e)
	}
}
