package actors

import (
	"fmt"
	"testing"

	"strowger/actors/envelope"
)

// inquire asks the router whether somebody offers a service.
func (p *peer) inquire(service string) {
	p.w.t.Helper()
	p.writef(`{"service":"strowger","topic":"offered","request_id":"o","payload":{"service":%q}}`, service)
}

func offeredAnswer(offered bool) string {
	return fmt.Sprintf(`200 strowger/offered #"o" {"offered":%v}`, offered)
}

// protocol 5.10
func TestOffered(t *testing.T) {
	for _, subscribed := range []bool{false, true} {
		t.Run(fmt.Sprintf("subscribed %v", subscribed), func(t *testing.T) {
			w := newWorld(t)
			// Answers of the setting do not stand in for this one.
			w.change(func(s *Settings) { s.UnknownService = envelope.NotFound.Code })
			p := w.client()
			if subscribed {
				p = w.client("s")
			}
			check := func(want bool) {
				t.Helper()
				p.inquire("s")
				p.gets(offeredAnswer(want))
			}
			check(false)
			first := w.service("s")
			check(true)
			second := w.service("s")
			first.writef(leavingMessage)
			first.gets(leavingAnswer)
			check(true)
			second.writef(leavingMessage)
			second.gets(leavingAnswer)
			check(false)
			w.gone(first)
			w.gone(second)
			check(false)
			w.wantDead(UnknownService, 0)
		})
	}
}

// A service in the router offers its name whether or not it runs: it answers for itself.
func TestOfferedInside(t *testing.T) {
	w := newWorld(t)
	p := w.client()
	w.local("s")
	p.inquire("s")
	p.gets(offeredAnswer(true))
}

func TestOfferedOfNothing(t *testing.T) {
	for _, payload := range []string{`null`, `"s"`, `{}`, `{"service":""}`, `{"service":["s"]}`, `["service"]`} {
		t.Run(payload, func(t *testing.T) {
			w := newWorld(t)
			p := w.client()
			p.writef(`{"service":"strowger","topic":"offered","request_id":"o","payload":%s}`, payload)
			p.gets(`400 INVALID/offered #"o" null`)
			w.wantDead(NotSendable, 1)
		})
	}
}

// The answer comes after those to what the client asked the service before.
func TestOfferedFollowsRequests(t *testing.T) {
	w := newWorld(t)
	w.change(func(s *Settings) { s.UnknownService = envelope.NotFound.Code })
	p := w.client("s")
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	p.inquire("s")
	p.gets(`404 s/x #"1" null`, offeredAnswer(false))
}

// A service may have the router's name: all but this one topic is asked of it.
func TestServiceOfTheRoutersName(t *testing.T) {
	w := newWorld(t)
	s, p := w.service("strowger"), w.client("strowger")
	for i, topic := range []string{`"x"`, `""`, `7`, `["offered"]`} {
		p.writef(`{"service":"strowger","topic":%s,"request_id":"%d"}`, topic, i)
		if got := string(s.next().Topic); got != topic {
			t.Errorf("the service got topic %s, want %s", got, topic)
		}
	}
	s.writef(`{"service":"strowger","topic":"offered","payload":1}`)
	p.gets(` strowger/offered #"" 1`)
	p.inquire("strowger")
	p.gets(offeredAnswer(true))
	s.silent()
}
