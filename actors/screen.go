package actors

import (
	"strowger/actors/envelope"
	"strowger/actors/filter"
	"strowger/actors/refusals"
)

// mayAsk returns the rule of an instance's policy that refuses a request; empty if it lets it through.
func (s *service) mayAsk(instance, from *Peer, e *envelope.Envelope) (rule string) {
	return s.deps.policy(instance).Refusal(from.subject(), e.Topic, e.Payload)
}

// log403 counts and logs why somebody was answered 403. The two causes are refusals.RequestRefused, which is
// also counted as Forbidden, and refusals.ReplyDropped, which is also counted as Filtered. Kind tells apart
// what has a line of its own for this service and class. Finding returns the path of the rule that decided
// and what it found, in words of the policy.
func (s *service) log403(cause refusals.Cause, kind string, instance, to *Peer, finding func() string) {
	setting := ""
	if s.deps.settings().Policies.Of(instance).Source == FromDefault {
		setting = "policies, routing.default_policy"
	}
	s.deps.refusals.Add(refusals.Event{
		Cause: cause, Kind: s.name + " " + instance.Class + " " + kind, Setting: setting,
		More:    []any{"service", s.name, "class", instance.Class, "subscriber", to.ID, "user", to.UserName, "remote", to.Remote.String()},
		Details: func() []any { return []any{"rule", finding()} },
	})
}

// screen returns what the one who asked may see of a reply; nil for nothing at all. In place of a
// reply that is dropped it is a 403 if the request has no answer yet, so that nobody waits in vain; a
// failure keeps its status and loses its payload. Why a service in this process could not do what
// was asked is no data: it is not filtered. What a visitor may see its node decides.
// The envelope is changed in place.
func (s *service) screen(m *say, to *asker, r *request) *envelope.Envelope {
	e := m.envelope
	e.ResourceID = nil
	if to.peer.node != nil || m.open || m.from.inside && failure(e) {
		if r != nil {
			r.served = true
		}
		return e
	}
	f := s.deps.policy(m.from)
	topic, _ := envelope.View(e.Topic)
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
	s.log403(refusals.ReplyDropped, "", m.from, to.peer, func() string { return f.Explain(to.peer.subject(), topic, e.Payload).Rule })
	return envelope.Forbidden.Answer(e)
}

// failure reports whether a reply says that a request was not carried out.
func failure(e *envelope.Envelope) bool {
	code := e.StatusCode
	return len(code) == 3 && (code[0] == '4' || code[0] == '5')
}
