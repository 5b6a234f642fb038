package actors

import (
	"context"
	"log/slog"

	"strowger/actors/filter"
	"strowger/actors/refusals"
	"strowger/transport/wire"
)

// mayAsk returns the rule of an instance's policy that refuses a request; empty if it lets it through.
func (s *service) mayAsk(instance, from *Peer, e *wire.Envelope) (rule string) {
	return s.deps.policy(instance).Refusal(from.subject(), e.Topic, e.Payload)
}

// The two causes of a 403. The first is counted as forbidden, the second as filtered.
const (
	requestRefused = "request refused by policy: the service did not see it"
	replyDropped   = "reply dropped by policy: the request was carried out and answered 403"
)

// log403 says why somebody was answered 403: at warning the first time for each cause, later at debug.
// Rule tells what the policy has against it, in words of the policy.
func (s *service) log403(cause, key string, instance, to *Peer, rule func() string) {
	level := slog.LevelDebug
	if !s.deps.notices.again(notice{name: s.name, class: instance.Class, rule: cause + " " + key}) {
		level = slog.LevelWarn
	}
	if ctx := context.Background(); s.deps.Log.Enabled(ctx, level) {
		s.deps.Log.Log(ctx, level, cause, "service", refusals.Clip(s.name), "class", refusals.Clip(instance.Class), "subscriber", to.ID,
			"user", refusals.Clip(to.UserName), "rule", rule(), "setting", "policies")
	}
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
	s.log403(replyDropped, "", m.from, to.peer, func() string { return f.Explain(to.peer.subject(), topic, e.Payload).Rule })
	return wire.Forbidden.Answer(e)
}

// failure reports whether a reply says that a request was not carried out.
func failure(e *wire.Envelope) bool {
	code := e.StatusCode
	return len(code) == 3 && (code[0] == '4' || code[0] == '5')
}
