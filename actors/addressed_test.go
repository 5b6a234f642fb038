package actors

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/envelope"
	"strowger/actors/runtime"
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
	w.deps.Speak(speaker, answerTo(r, `1`), new(runtime.Window), 1)
	push := answerTo(r, `2`)
	push.RequestID = nil
	w.deps.Speak(speaker, push, new(runtime.Window), 1)
	r.Release()
	asker.gets(` s/x #"1" 1`, ` s/x #"" 2`)
	w.settleName(member, "s")
	member.silent()
}

// A name that has ended and comes back still knows whom a message is for: those who asked it before and are
// connected, and nobody else.
func TestMessageForOneAskerOfANameThatCameBack(t *testing.T) {
	w := newWorld(t)
	w.change(func(s *Settings) { s.UnsolicitedReplies = true })
	s := w.service("s")
	asker, left, stranger := w.client(), w.client(), w.client()
	id, leftID := asker.answered(s), left.answered(s)
	other := w.service("other")
	stranger.writef(`{"service":"other"}`)
	strangerID := other.asked(` other/ #"" null`)
	for round := range 3 {
		route := w.deps.Registry.Lookup("s")
		w.gone(s)
		w.ended(route.Service.PID())
		if round == 1 {
			w.gone(left)
		}
		s = w.service("s")
		member := w.client("s")
		s.writef(`{"service":"s","topic":"x","resource_id":%q,"payload":1}`, id)
		if m := asker.next(); string(m.Payload) != "1" || string(m.ResourceID) != `""` {
			t.Errorf("payload %s for resource %s, want 1 and none", m.Payload, m.ResourceID)
		}
		// So is a reply, where replies may come that nobody waits for.
		s.writef(`{"service":"s","topic":"x","request_id":"9","resource_id":%q,"payload":2}`, id)
		asker.gets(` s/x #"9" 2`)
		for _, nobody := range []string{strangerID, leftID} {
			if nobody == leftID && round == 0 {
				s.writef(`{"service":"s","topic":"x","resource_id":%q,"payload":3}`, nobody)
				left.gets(` s/x #"" 3`)
				continue
			}
			s.writef(`{"service":"s","topic":"x","resource_id":%q}`, nobody)
			if m := member.next(); string(m.ResourceID) != `"`+nobody+`"` {
				t.Errorf("resource_id %s, want %s", m.ResourceID, nobody)
			}
		}
		w.settleName(s, "s")
		member.silent()
		w.gone(member)
	}
	route := w.deps.Registry.Lookup("s")
	w.look(route.Service.PID(), func(a actor.Actor) {
		if n := len(a.(*service).pending.askers); n != 1 {
			t.Errorf("the service knows %d askers, want 1", n)
		}
	})
	w.gone(asker)
	w.settle(route.Service.PID())
	w.look(route.Service.PID(), func(a actor.Actor) {
		if n := len(a.(*service).pending.askers); n != 0 {
			t.Errorf("the service knows %d askers that have left", n)
		}
	})
	w.gone(stranger)
	w.deps.askers.byID.Range(func(id, _ any) bool {
		t.Errorf("%s is still known as an asker", id)
		return true
	})
}
