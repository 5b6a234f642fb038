package actors

import (
	"strowger/actors/envelope"
	"strowger/actors/filter"
	"strowger/actors/refusals"
	"strowger/config/policy"
)

// preside begins or ends to tell who watches, as the policies say now.
func (t *topic) preside() {
	f := t.presiding()
	before := t.presence
	if before == nil && f == nil || before != nil && f != nil && before.filter.Alike(f) {
		return
	}
	t.presence = nil
	if f != nil {
		t.presence = t.newPresence(f)
	}
	if before != nil {
		before.end(t.presence)
	}
	t.progress.presence.Store(f != nil)
}

// presiding returns the filter of the service's instances if it tells who watches, and nil otherwise. While there is no
// instance the last one counts, and before the first one whatever has a policy under the name.
func (t *topic) presiding() *filter.Filter {
	var f *filter.Filter
	inside := t.insideSpeaks()
	some := false
	for p := range t.speakers {
		if inside && !p.inside {
			continue // it is passive
		}
		own := t.deps.policy(p)
		if some && !own.Alike(f) {
			if own.Presence() || f.Presence() {
				t.deps.Log.Warn("nobody is told who watches a service, because its instances have different policies", "service", refusals.Clip(t.name), "setting", "policies")
			}
			return nil
		}
		f, some = own, true
		t.last = Identity{Name: p.Name, Class: p.Class, Policy: p.Policy}
	}
	if !some {
		if t.last.Name == "" {
			t.last = Identity{Name: t.name, Class: policy.BuiltinClass(t.name)}
		}
		f = t.deps.policy(&Peer{Identity: t.last})
	}
	if !f.Presence() {
		return nil
	}
	return f
}

// insideSpeaks reports whether an instance is inside the process of some node.
func (t *topic) insideSpeaks() bool {
	for p := range t.speakers {
		if p.inside {
			return true
		}
	}
	return false
}

// asksWho reports whether a request asks who watches the service, and the router is to answer it.
func (s *service) asksWho(m *ask) bool {
	if !s.progress.presence.Load() {
		return false
	}
	topic, _ := envelope.View(m.envelope.Topic)
	return topic == filter.PresenceTopic
}

// who passes a request on to the topic, which knows.
func (s *service) who(m *ask) {
	s.topic.Send(&ask{Held: m.Pass(), envelope: m.envelope, size: m.size, from: m.from})
}

// unwatched ends to tell who watches when the topic stops. Nobody is there who would hear of it.
func (t *topic) unwatched() {
	if t.presence != nil {
		t.presence.end(t.presence)
	}
}

// settingsChanged goes by what the settings say now.
func (t *topic) settingsChanged() {
	t.refresh()
	if t.presence != nil {
		t.presence.seat()
	}
}

// answerWho answers who watches the service. The list is what clients of the asker's class were told last.
func (t *topic) answerWho(m *ask) {
	t.refresh()
	p := t.presence
	if p == nil {
		// The policy has changed while the request was on its way.
		t.deps.answer(m.from.Outlet, envelope.Unavailable, m.envelope)
		return
	}
	class := p.filter.Class(m.from.subject())
	what, tells := p.filter.Onlooker(class)
	rule := p.filter.Refusal(m.from.subject(), m.envelope.Topic, m.envelope.Payload)
	if rule != "" || !tells {
		t.deps.Counters.Dead(Forbidden)
		t.deps.refusals.Add(refusals.Event{Cause: refusals.RequestRefused, Kind: t.name + " " + filter.PresenceTopic + " " + rule,
			More: []any{"service", t.name, "subscriber", m.from.ID, "user", m.from.UserName, "remote", m.from.Remote.String(), "rule", rule}})
		t.deps.answer(m.from.Outlet, envelope.Forbidden, m.envelope)
		return
	}
	a := envelope.Offered.Answer(m.envelope)
	a.Payload = p.list(class, &what)
	t.deps.own(m.from.Outlet, a, m.from.Outlet.Send)
}
