package actors

import (
	"testing"

	"strowger/actors/envelope"
)

// answered has p ask the service s with a request id and get its answer. It returns the id of p.
func (p *peer) answered(s *peer) string {
	p.w.t.Helper()
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	id := s.asked(` s/x #"1" null`)
	s.writef(`{"service":"s","topic":"x","request_id":"1","resource_id":%q}`, id)
	p.gets(` s/x #"1" null`)
	return id
}

// protocol 5.4: a message with the resource_id of an asker is for that asker, whatever stands for its
// missing request_id.
func TestMessageForOneAsker(t *testing.T) {
	for _, requestID := range []string{``, `"request_id":"",`, `"request_id":"0",`, `"request_id":0,`, `"request_id":null,`,
		`"request_id":false,`, `"request_id":[],`, `"request_id":{},`} {
		t.Run(requestID, func(t *testing.T) {
			w := newWorld(t)
			s, member, asker, other := w.service("s"), w.client("s"), w.client(), w.client("s")
			id, otherID := asker.answered(s), other.answered(s)
			s.writef(`{"service":"s","payload":1}`)
			s.writef(`{"service":"s","topic":"x",%s"resource_id":%q,"payload":2}`, requestID, id)
			s.writef(`{"service":"s","payload":3}`)
			s.writef(`{"service":"s","topic":"x",%s"resource_id":%q,"payload":4}`, requestID, otherID)
			m := asker.next()
			if string(m.Payload) != "2" || string(m.ResourceID) != `""` {
				t.Errorf("payload %s for resource %s, want 2 and none", m.Payload, m.ResourceID)
			}
			// The order in which the service said it holds.
			for _, want := range []string{"1", "3", "4"} {
				if m := other.next(); string(m.Payload) != want || string(m.ResourceID) != `""` {
					t.Errorf("payload %s for resource %s, want %s and none", m.Payload, m.ResourceID, want)
				}
			}
			member.gets(` s/ #"" 1`, ` s/ #"" 3`)
			w.settleName(s, "s")
			for _, p := range []*peer{member, asker, other} {
				p.silent()
			}
		})
	}
}

// A message for one asker goes through the filter as a reply does. Nothing stands in for one that is
// dropped, because nobody waits for it.
func TestMessageForOneAskerIsFiltered(t *testing.T) {
	w := under(t, `{s_service: {topic_permissions: {secret: [nobody has it]}, key_permissions: {hidden: [nobody has it]}}}`)
	s, asker := w.service("s"), w.client("s")
	id := asker.answered(s)
	s.writef(`{"service":"s","topic":"secret","resource_id":%q}`, id)
	s.writef(`{"service":"s","topic":"x","resource_id":%q,"payload":{"hidden":1,"seen":2}}`, id)
	asker.gets(` s/x #"" {"seen":2}`)
	w.settleName(s, "s")
	asker.silent()
	w.wantDead(Filtered, 1)
}

// Where no asker who is connected has the id, a message without a request id is a broadcast, as it is.
func TestMessageForNobody(t *testing.T) {
	for _, c := range []struct {
		name string
		id   func(w *world, s *peer) string
	}{
		{"unknown", func(*world, *peer) string { return envelope.NewID() }},
		{"left", func(w *world, s *peer) string {
			asker := w.client()
			id := asker.answered(s)
			w.gone(asker)
			return id
		}},
		{"never asked", func(w *world, s *peer) string {
			other := w.service("other")
			p := w.client()
			p.writef(`{"service":"other"}`)
			return other.asked(` other/ #"" null`)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			s, member := w.service("s"), w.client("s")
			id := c.id(w, s)
			w.settleName(s, "s")
			s.writef(`{"service":"s","topic":"x","resource_id":%q}`, id)
			if m := member.next(); string(m.ResourceID) != `"`+id+`"` {
				t.Errorf("resource_id %s, want %s", m.ResourceID, id)
			}
		})
	}
}

// The same holds for a service in this process.
func TestMessageForOneAskerFromInside(t *testing.T) {
	w := newWorld(t)
	l, speaker := w.local("s")
	asker, member := w.client(), w.client("s")
	asker.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	r := l.next(t)
	w.deps.Speak(speaker, answerTo(r, `1`), nil)
	push := answerTo(r, `2`)
	push.RequestID = nil
	w.deps.Speak(speaker, push, nil)
	r.Release()
	asker.gets(` s/x #"1" 1`, ` s/x #"" 2`)
	w.settleName(member, "s")
	member.silent()
}
