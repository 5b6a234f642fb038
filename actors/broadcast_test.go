package actors

import (
	"fmt"
	"testing"
)

// protocol 5.4: an empty request id makes a broadcast.
func TestBroadcast(t *testing.T) {
	for _, id := range []string{`""`, `"0"`, `0`, `null`, `false`, `[]`} {
		t.Run(id, func(t *testing.T) {
			w := newWorld(t)
			sender := w.bearer(&Credentials{Role: Service, Service: "s", Services: []string{"s"}})
			second := w.service("s")
			member, stranger := w.client("s"), w.client("other")
			sender.writef(`{"service":"s","topic":"x","request_id":%s,"payload":{"n":1}}`, id)
			member.gets(fmt.Sprintf(` s/x #%s {"n":1}`, id))
			w.settleName(sender, "s")
			for name, p := range map[string]*peer{"sender": sender, "second instance": second, "stranger": stranger} {
				t.Log(name)
				p.silent()
			}
		})
	}
}

func TestBroadcastReachesEveryMember(t *testing.T) {
	w := newWorld(t)
	s := w.service("s")
	var members []*peer
	for range 20 {
		members = append(members, w.client("s", "t"))
	}
	for i := range 5 {
		s.writef(`{"service":"s","topic":"x","payload":%d}`, i)
	}
	for _, p := range members {
		for i := range 5 {
			p.gets(fmt.Sprintf(` s/x #"" %d`, i))
		}
	}
	if n := w.deps.Counters.Broadcasts.Load(); n != 5 {
		t.Errorf("counted %d broadcasts, want 5", n)
	}
}

func TestBroadcastNotSendable(t *testing.T) {
	w := newWorld(t)
	s, p := w.service("s"), w.client("s")
	s.writef(`{"service":"s","payload":1e999}`)
	w.settleName(s, "s")
	p.silent()
	w.wantDead(NotSendable, 1)
}

// A subscriber sees replies and broadcasts of one service in the order they were written in.
func TestOrderOfRepliesAndBroadcasts(t *testing.T) {
	w := newWorld(t)
	s, p := w.service("s"), w.client("s")
	p.writef(`{"service":"s","request_id":"1"}`)
	id := s.asked(` s/ #"1" null`)
	const rounds = 200
	for i := range rounds {
		if i%3 == 0 {
			s.writef(`{"service":"s","request_id":"1","resource_id":%q,"payload":%d}`, id, i)
		} else {
			s.writef(`{"service":"s","payload":%d}`, i)
		}
	}
	for i := range rounds {
		if got, want := string(p.next().Payload), fmt.Sprint(i); got != want {
			t.Fatalf("got message %s, want %s", got, want)
		}
	}
}

// Requests of one client reach the service in the order they were written in.
func TestOrderOfRequests(t *testing.T) {
	w := newWorld(t)
	const rounds = 200
	w.change(func(s *Settings) { s.PendingRequests = rounds })
	s, p := w.service("s"), w.client()
	for i := range rounds {
		p.writef(`{"service":"s","request_id":%d}`, 1+i)
	}
	for i := range rounds {
		s.asked(fmt.Sprintf(` s/ #%d null`, 1+i))
	}
}

func TestNothingAfterClose(t *testing.T) {
	w := newWorld(t)
	s, p := w.service("s"), w.client("s")
	p.leave()
	p.closedWith(ReadOver)
	s.writef(`{"service":"s"}`)
	w.settleName(s, "s")
	p.silent()
}
