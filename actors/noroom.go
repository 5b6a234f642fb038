package actors

import (
	"strowger/actors/envelope"
	"strowger/actors/meter"
	"strowger/actors/refusals"
)

// tooMany answers a request for which the table has no room.
func (s *service) tooMany(m *ask) {
	var cause refusals.Cause
	switch {
	case s.pending.asker(m.from).open >= s.pending.limit():
		cause = refusals.PendingRequests
	case s.pending.crowded():
		cause = refusals.ServiceRequests
	default:
		cause = refusals.PendingBytes
	}
	s.refuse(cause, m.from)
	s.busy(m.from, m.envelope)
}

// refuse counts and logs that a request is not dealt with as its asker may expect.
func (s *service) refuse(why refusals.Cause, from *Peer) {
	if from.node != nil {
		return // its own node does
	}
	s.deps.refusals.Add(refusals.Event{
		Cause: why, Kind: s.name, Role: Client.String(), Remote: from.Remote.String(),
		More: []any{"service", refusals.Clip(s.name), "subscriber", from.ID, "user", from.UserName},
	})
}

// busy answers a request that finds no room.
func (s *service) busy(to *Peer, e *envelope.Envelope) {
	s.deps.bury(TooManyRequests, RequestLetter, e, to)
	s.deps.answer(to.Outlet, envelope.Unavailable, e)
}

// refused takes a request from an instance that had no room for it. It is over if nobody else has it.
func (s *service) refused(m *refused) {
	r := m.request
	if !r.lose(m.by) {
		return // answered, or its time is over
	}
	m.by.open--
	if r.asker.peer.node != nil {
		s.handBack(r, m.by, true, false)
	} else if m.by.peer.everywhere {
		s.passOn(r, m.by, nil, true)
		return
	}
	s.noRoom(r)
}

// noRoom ends a request that an instance had no room for, unless another instance has it.
func (s *service) noRoom(r *request) {
	if len(r.takers) > 0 {
		return
	}
	to, e := r.asker, r.envelope
	s.measure(r, meter.Busy, s.deps.Awake())
	s.pending.remove(r)
	if !to.left && e != nil && !r.served && to.peer.node == nil {
		s.refuse(refusals.SlowService, to.peer)
		s.busy(to.peer, e)
	}
}
