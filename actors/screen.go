package actors

import (
	"strowger/actors/filter"
	"strowger/transport/wire"
)

// mayAsk reports whether an instance's policy lets a request through.
func (s *service) mayAsk(instance, from *Peer, e *wire.Envelope) bool {
	return s.deps.policy(instance).AllowRequest(from.subject(), e.Topic, e.Payload)
}

// screen returns what the one who asked may see of a reply; nil for nothing at all. In place of a
// reply that is dropped it is a 403 if the request has no answer yet, so that nobody waits in vain; a
// failure keeps its status and loses its payload. Why a service in this process could not do what
// was asked is no data: it is not filtered.
// The envelope is changed in place.
func (s *service) screen(m *say, to *asker, r *request) *wire.Envelope {
	e := m.envelope
	e.ResourceID = nil
	if m.open || m.from.local != nil && failure(e) {
		return e
	}
	f := s.deps.policy(m.from)
	topic, _ := wire.Text(e.Topic)
	payload, verdict := f.Apply(to.classOf(f), topic, e.Payload, nil)
	if verdict == filter.Deliver {
		if r != nil {
			r.served = true
		}
		e.Payload = payload
		return e
	}
	s.deps.Counters.Dead(Filtered)
	if r == nil || r.served {
		return nil
	}
	if failure(e) {
		// That it failed may be known, not what it was about.
		r.served = true
		e.Payload = nil
		return e
	}
	if f.Streams(topic) {
		return nil
	}
	r.served = true
	return wire.Forbidden.Answer(e)
}

// failure reports whether a reply says that a request was not carried out.
func failure(e *wire.Envelope) bool {
	code := e.StatusCode
	return len(code) == 3 && (code[0] == '4' || code[0] == '5')
}
