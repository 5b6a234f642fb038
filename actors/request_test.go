package actors

import (
	"fmt"
	"testing"

	"strowger/actors/envelope"
	"strowger/actors/refusals"
)

// protocol 5.3
func TestRequestWithoutUsableName(t *testing.T) {
	for _, c := range []struct{ name, message string }{
		{"absent", `{"topic":"x","request_id":"1"}`},
		{"empty", `{"service":"","topic":"x","request_id":"1"}`},
		{"list", `{"service":["s"],"topic":"x","request_id":"1"}`},
		{"null", `{"service":null,"topic":"x","request_id":"1"}`},
		{"a number that no float64 holds", `{"service":"s","topic":"x","request_id":"1","payload":1e999}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.service("s")
			p := w.client()
			p.writef("%s", c.message)
			p.gets(`400 INVALID/x #"1" null`)
			w.wantDead(NotSendable, 1)
		})
	}
}

// protocol 5.2: what the client says about itself is replaced by what its token says.
func TestRequestIsStamped(t *testing.T) {
	w := newWorld(t)
	s, p := w.service("s"), w.client()
	p.writef(`{"service":"s","topic":"x","request_id":"1","payload":{"b":1,"a":[]},"permissions":{"root":true},"domain_name":"evil","domain_uuid":"evil","resource_id":"evil"}`)
	m := s.next()
	if got, want := line(m), ` s/x #"1" {"b":1,"a":[]}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, f := range []struct {
		name string
		got  envelope.Raw
		want string
	}{
		{"permissions", m.Permissions, `{"see":true}`},
		{"domain_name", m.DomainName, `"a.example"`},
		{"domain_uuid", m.DomainUUID, `"uuid-a"`},
	} {
		if string(f.got) != f.want {
			t.Errorf("%s is %s, want %s", f.name, f.got, f.want)
		}
	}
	if id, _ := envelope.Text(m.ResourceID); len(id) != 32 {
		t.Errorf("resource_id is %s, want 32 hex digits", m.ResourceID)
	}
}

func TestEveryInstanceGetsTheRequest(t *testing.T) {
	w := newWorld(t)
	instances := []*peer{w.service("s"), w.service("s"), w.service("s")}
	p := w.client()
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	id := instances[0].asked(` s/x #"1" null`)
	for _, s := range instances[1:] {
		if got := s.asked(` s/x #"1" null`); got != id {
			t.Errorf("resource_id %s, want %s", got, id)
		}
	}
	for i, s := range instances {
		s.writef(`{"service":"s","topic":"x","request_id":"1","resource_id":%q,"payload":%d}`, id, i)
		p.gets(fmt.Sprintf(` s/x #"1" %d`, i))
	}
}

// protocol 5.5: a reply goes to whoever asked, subscribed or not, without its resource_id.
func TestReply(t *testing.T) {
	w := newWorld(t)
	s, p, other := w.service("s"), w.client(), w.client("s")
	p.writef(`{"service":"s","topic":"x","request_id":1.0}`)
	id := s.asked(` s/x #1.0 null`)
	s.writef(`{"service":"s","topic":"x","request_id":1,"resource_id":%q,"status_code":200,"payload":[1]}`, id)
	m := p.next()
	if got, want := line(m), `200 s/x #1 [1]`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if string(m.ResourceID) != `""` {
		t.Errorf("resource_id %s left on the reply", m.ResourceID)
	}
	w.settleName(s, "s")
	other.silent()
	s.silent()
}

func TestReplyToNobody(t *testing.T) {
	for _, c := range []struct {
		name, resource, request string
		want                    DeadReason
	}{
		{"unknown resource", `"0123"`, `"1"`, UnknownSubscriber},
		{"no resource", `""`, `"1"`, UnknownSubscriber},
		{"resource of wrong type", `7`, `"1"`, UnknownSubscriber},
		{"request never made", "", `"2"`, UnsolicitedReply},
		{"request id of another type", "", `1`, UnsolicitedReply},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			s, p := w.service("s"), w.client("s")
			p.writef(`{"service":"s","request_id":"1"}`)
			id := s.asked(` s/ #"1" null`)
			if c.resource == "" {
				c.resource = `"` + id + `"`
			}
			s.writef(`{"service":"s","request_id":%s,"resource_id":%s}`, c.request, c.resource)
			w.settleName(s, "s")
			p.silent()
			w.wantDead(c.want, 1)
		})
	}
}

// A service may write to whoever asked it anything before, if the setting says so.
func TestUnsolicitedReply(t *testing.T) {
	w := newWorld(t)
	w.change(func(s *Settings) { s.UnsolicitedReplies = true })
	s, p, stranger := w.service("s"), w.client(), w.client("s")
	p.writef(`{"service":"s","request_id":"1"}`)
	id := s.asked(` s/ #"1" null`)
	s.writef(`{"service":"s","request_id":"99","resource_id":%q}`, id)
	p.gets(` s/ #"99" null`)
	w.settleName(s, "s")
	stranger.silent()
}

// Another service cannot answer a request that was not routed to it.
func TestReplyOfAnotherService(t *testing.T) {
	w := newWorld(t)
	w.change(func(s *Settings) { s.UnsolicitedReplies = true })
	s, thief, p := w.service("s"), w.service("thief"), w.client("s", "thief")
	p.writef(`{"service":"s","request_id":"1"}`)
	id := s.asked(` s/ #"1" null`)
	thief.writef(`{"service":"thief","request_id":"1","resource_id":%q}`, id)
	thief.writef(`{"service":"s","request_id":"1","resource_id":%q}`, id)
	w.settleName(thief, "thief")
	w.settleName(thief, "s")
	p.silent()
	w.wantDead(UnknownSubscriber, 1)
	w.wantDead(ForeignName, 1)
}

func TestLateReply(t *testing.T) {
	for _, c := range []struct {
		name string
		swept,
		unsolicited bool
		want DeadReason // deadReasons: delivered
	}{
		{"late", false, false, LateReply},
		{"long after", true, false, UnsolicitedReply},
		{"late but unsolicited ones are welcome", false, true, deadReasons},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.change(func(s *Settings) { s.UnsolicitedReplies = c.unsolicited })
			s, p := w.service("s"), w.client()
			p.writef(`{"service":"s","request_id":"1"}`)
			id := s.asked(` s/ #"1" null`)
			timeout := w.deps.settings().RequestTimeout
			w.clock.Advance(timeout)
			if c.swept {
				w.clock.Advance(timeout)
			}
			s.writef(`{"service":"s","request_id":"1","resource_id":%q}`, id)
			if c.want == deadReasons {
				p.gets(` s/ #"1" null`)
				return
			}
			w.settleName(s, "s")
			p.silent()
			w.wantDead(c.want, 1)
		})
	}
}

// protocol 11.17
func TestReplyWithoutResource(t *testing.T) {
	setUp := func(t *testing.T) (w *world, s, a, b *peer) {
		w = newWorld(t)
		w.change(func(s *Settings) { s.RepliesWithoutResource = true })
		return w, w.service("s"), w.client("s"), w.client("s")
	}
	t.Run("the only one", func(t *testing.T) {
		w, s, a, b := setUp(t)
		a.writef(`{"service":"s","request_id":"1"}`)
		s.asked(` s/ #"1" null`)
		s.writef(`{"service":"s","request_id":"1","payload":"for a"}`)
		a.gets(` s/ #"1" "for a"`)
		w.settleName(s, "s")
		b.silent()
	})
	t.Run("ambiguous", func(t *testing.T) {
		w, s, a, b := setUp(t)
		for _, p := range []*peer{a, b} {
			p.writef(`{"service":"s","request_id":"1"}`)
			s.asked(` s/ #"1" null`)
		}
		s.writef(`{"service":"s","request_id":"1"}`)
		w.settleName(s, "s")
		a.silent()
		b.silent()
		w.wantDead(AmbiguousReply, 1)
	})
	t.Run("one asker of two has gone", func(t *testing.T) {
		w, s, a, b := setUp(t)
		for _, p := range []*peer{a, b} {
			p.writef(`{"service":"s","request_id":"1"}`)
			s.asked(` s/ #"1" null`)
		}
		a.leave()
		w.ended(a.pid)
		w.settleName(s, "s")
		s.writef(`{"service":"s","request_id":"1"}`)
		w.settleName(s, "s")
		b.silent() // it may be what a was to get
		w.wantDead(AmbiguousReply, 1)
	})
	t.Run("behind one that has gone and is answered", func(t *testing.T) {
		w, s, a, b := setUp(t)
		a.writef(`{"service":"s","request_id":"1"}`)
		id := s.asked(` s/ #"1" null`)
		a.leave()
		w.ended(a.pid)
		w.settleName(s, "s")
		s.writef(`{"service":"s","request_id":"1","resource_id":%q}`, id)
		b.writef(`{"service":"s","request_id":"1"}`)
		s.asked(` s/ #"1" null`)
		s.writef(`{"service":"s","request_id":"1","payload":"for b"}`)
		b.gets(` s/ #"1" "for b"`)
		w.wantDead(UnknownSubscriber, 1)
	})
	t.Run("the only one has gone", func(t *testing.T) {
		w, s, a, b := setUp(t)
		a.writef(`{"service":"s","request_id":"1"}`)
		s.asked(` s/ #"1" null`)
		a.leave()
		w.ended(a.pid)
		w.settleName(s, "s")
		s.writef(`{"service":"s","request_id":"1"}`)
		w.settleName(s, "s")
		b.silent()
		w.wantDead(UnknownSubscriber, 1)
	})
	t.Run("a timed out one still makes it ambiguous", func(t *testing.T) {
		w, s, a, b := setUp(t)
		a.writef(`{"service":"s","request_id":"1"}`)
		s.asked(` s/ #"1" null`)
		w.clock.Advance(w.deps.settings().RequestTimeout)
		b.writef(`{"service":"s","request_id":"1"}`)
		s.asked(` s/ #"1" null`)
		s.writef(`{"service":"s","request_id":"1"}`)
		w.settleName(s, "s")
		a.silent()
		b.silent()
		w.wantDead(AmbiguousReply, 1)
	})
	t.Run("answered already", func(t *testing.T) {
		w, s, a, _ := setUp(t)
		a.writef(`{"service":"s","request_id":"1"}`)
		s.asked(` s/ #"1" null`)
		s.writef(`{"service":"s","request_id":"1"}`)
		a.gets(` s/ #"1" null`)
		s.writef(`{"service":"s","request_id":"1"}`)
		w.settleName(s, "s")
		a.silent()
		w.wantDead(UnsolicitedReply, 1)
	})
}

func TestTooManyRequests(t *testing.T) {
	w := newWorld(t)
	s, p, other := w.service("s"), w.client(), w.client()
	id := ""
	for i := range 4 {
		p.writef(`{"service":"s","request_id":%d}`, 1+i)
		id = s.asked(fmt.Sprintf(` s/ #%d null`, 1+i))
	}
	p.writef(`{"service":"s","topic":"x","request_id":5}`)
	p.gets(`503 s/x #5 null`)
	w.wantDead(TooManyRequests, 1)
	other.writef(`{"service":"s","request_id":1}`)
	s.asked(` s/ #1 null`)

	p.writef(`{"service":"s","topic":"x","request_id":4}`) // the service would have both
	p.gets(`503 s/x #4 null`)
	w.wantDead(TooManyRequests, 2)
	s.writef(`{"service":"s","request_id":2,"resource_id":%q}`, id)
	p.gets(` s/ #2 null`)
	p.writef(`{"service":"s","request_id":6}`)
	s.asked(` s/ #6 null`)

	w.clock.Advance(2 * w.deps.settings().RequestTimeout)
	for i := range 4 {
		p.writef(`{"service":"s","request_id":%d}`, 10+i)
		s.asked(fmt.Sprintf(` s/ #%d null`, 10+i))
	}
}

// All clients together may have so many unanswered requests at a service. Beyond that, those who have more than a few are
// answered 503, and the others are not.
func TestTooManyRequestsAtAService(t *testing.T) {
	const most = sparedRequests + 4
	w := newWorld(t)
	w.change(func(s *Settings) { s.PendingRequests, s.ServiceRequests = 10*most, most })
	s, p, other := w.service("s"), w.client(), w.client()
	id := ""
	ask := func(who *peer, request int) {
		t.Helper()
		who.writef(`{"service":"s","request_id":%d}`, request)
		id = s.asked(fmt.Sprintf(` s/ #%d null`, request))
	}
	for i := range most {
		ask(p, 1+i)
	}
	mine := id
	refused := func(request int) {
		t.Helper()
		p.writef(`{"service":"s","request_id":%d}`, request)
		p.gets(fmt.Sprintf(`503 s/ #%d null`, request))
	}
	refused(100)
	if n := w.deps.Refusals().Count(refusals.ServiceRequests); n != 1 {
		t.Errorf("counted %d times, want once", n)
	}
	for i := range sparedRequests {
		ask(other, 200+i) // which others cannot keep out
	}
	w.gone(other) // what it has asked gives way
	w.settleName(s, "s")
	refused(101)
	s.writef(`{"service":"s","request_id":%d,"resource_id":%q}`, 1, mine)
	p.gets(` s/ #1 null`)
	ask(p, 102) // in the place of the one that was answered
	refused(103)
	w.clock.Advance(3 * w.deps.settings().RequestTimeout) // all are forgotten
	for i := range most {
		ask(p, 300+i)
	}
	refused(400)
	w.gone(s) // and so has what it had
	for range most {
		p.next()
	}
	s = w.service("s")
	ask(p, 401)
}

// protocol 10.6: requests with one id, or none, count like any others. Each reply makes room for one more.
func TestTooManyRequestsWithOneID(t *testing.T) {
	for name, id := range map[string]string{"an id": `"1"`, "no id": `""`} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s, p := w.service("s"), w.client()
			resource := ""
			for range 4 {
				p.writef(`{"service":"s","topic":"x","request_id":%s}`, id)
				resource = s.asked(` s/x #` + id + ` null`)
			}
			for n := range 3 {
				p.writef(`{"service":"s","topic":"x","request_id":%s}`, id)
				p.gets(`503 s/x #` + id + ` null`)
				w.wantDead(TooManyRequests, n+1)
				s.writef(`{"service":"s","topic":"x","request_id":%s,"resource_id":%q,"payload":%d}`, id, resource, n)
				p.gets(fmt.Sprintf(` s/x #%s %d`, id, n))
				p.writef(`{"service":"s","topic":"x","request_id":%s}`, id)
				s.asked(` s/x #` + id + ` null`)
			}
		})
	}
}

// A service that leaves resource_id out can answer each of several requests with one id.
func TestReplyWithoutResourceToOneID(t *testing.T) {
	w := newWorld(t)
	w.change(func(s *Settings) { s.RepliesWithoutResource = true })
	s, p := w.service("s"), w.client()
	for range 2 {
		p.writef(`{"service":"s","request_id":"1"}`)
		s.asked(` s/ #"1" null`)
	}
	for i := range 2 {
		s.writef(`{"service":"s","request_id":"1","payload":%d}`, i)
		p.gets(fmt.Sprintf(` s/ #"1" %d`, i))
	}
	s.writef(`{"service":"s","request_id":"1"}`)
	w.settleName(s, "s")
	p.silent()
	w.wantDead(UnsolicitedReply, 1)
}

// protocol 11.19
func TestUnknownService(t *testing.T) {
	for _, c := range []struct {
		status int
		want   string
	}{
		{0, ""}, {404, `404 s/x #"1" null`}, {503, `503 s/x #"1" null`},
	} {
		for _, watched := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d watched %v", c.status, watched), func(t *testing.T) {
				w := newWorld(t)
				w.change(func(s *Settings) { s.UnknownService = c.status })
				p := w.client()
				if watched {
					w.client("s")
				}
				p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
				if c.want == "" {
					w.settleName(p, "s")
					p.silent()
				} else {
					p.gets(c.want)
				}
				w.wantDead(UnknownService, 1)
			})
		}
	}
}

func TestServiceForgetsAskerThatHasGone(t *testing.T) {
	w := newWorld(t)
	w.change(func(s *Settings) { s.UnsolicitedReplies = true })
	s, p := w.service("s"), w.client()
	p.writef(`{"service":"s","request_id":"1"}`)
	id := s.asked(` s/ #"1" null`)
	p.leave()
	w.ended(p.pid)
	s.writef(`{"service":"s","request_id":"1","resource_id":%q}`, id)
	w.settleName(s, "s")
	w.wantDead(UnknownSubscriber, 1)
}

func TestForeignName(t *testing.T) {
	for _, name := range []string{`"other"`, `""`, `null`, `"S"`} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s, p := w.service("s"), w.client("other", "s")
			s.writef(`{"service_name":%s,"topic":"x"}`, name)
			w.settleName(s, "s")
			w.settleName(s, "other")
			p.silent()
			w.wantDead(ForeignName, 1)
		})
	}
}

// protocol 11.17: a reply to a request without an id is for the one who asked, not for everybody.
func TestReplyToRequestWithoutID(t *testing.T) {
	for _, id := range []string{``, `,"request_id":""`, `,"request_id":0`, `,"request_id":null`} {
		t.Run("request"+id, func(t *testing.T) {
			w := newWorld(t)
			s, p, other := w.service("s"), w.client("s"), w.client("s")
			p.writef(`{"service":"s","topic":"x"%s}`, id)
			m := s.next()
			s.writef(`{"service":"s","topic":"x","request_id":"","resource_id":%s,"payload":"secret"}`, m.ResourceID)
			p.gets(` s/x #"" "secret"`)
			s.writef(`{"service":"s","topic":"b","payload":"news"}`)
			p.gets(` s/b #"" "news"`)
			other.gets(` s/b #"" "news"`)
		})
	}
}

func TestReplyToRequestWithoutIDOfOneThatHasGone(t *testing.T) {
	w := newWorld(t)
	s, p, other := w.service("s"), w.client("s"), w.client("s")
	const requests = 3
	var m *envelope.Message
	for range requests {
		p.writef(`{"service":"s","topic":"x"}`)
		m = s.next()
	}
	p.leave()
	w.ended(p.pid)
	w.settleName(s, "s")
	for range requests {
		s.writef(`{"service":"s","topic":"x","resource_id":%s,"payload":"secret"}`, m.ResourceID)
	}
	s.writef(`{"service":"s","topic":"b","payload":"news"}`)
	other.gets(` s/b #"" "news"`)
	w.wantDead(UnknownSubscriber, requests)
}
