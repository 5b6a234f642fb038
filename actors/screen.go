package actors

import (
	"strowger/actors/filter"
	"strowger/transport/wire"
)

// mayAsk reports whether an instance is there and its policy lets the request through.
func (s *service) mayAsk(instance *Peer, m *ask) bool {
	return instance.serving() &&
		s.deps.policy(instance).AllowRequest(m.from.subject(), m.envelope.Topic, m.envelope.Payload)
}

// screen returns what the one who asked may see of a reply; nil for nothing at all. In place of a
// reply that is dropped it is a 403 if the request has no answer yet, so that nobody waits in vain.
func (s *service) screen(m *say, to *Peer, r *request) *wire.Envelope {
	f, subject := s.deps.policy(m.from), to.subject()
	topic, _ := wire.Text(m.envelope.Topic)
	payload, verdict := f.Apply(f.Class(subject), topic, m.envelope.Payload, nil)
	if verdict == filter.Deliver {
		if r != nil {
			r.served = true
		}
		e := *m.envelope
		e.Payload, e.ResourceID = payload, nil
		return &e
	}
	s.deps.Counters.Dead(Filtered)
	if r == nil || r.served || f.Streams(topic) {
		return nil
	}
	r.served = true
	return wire.Forbidden.Answer(m.envelope)
}
