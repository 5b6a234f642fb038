package actors

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// newWaiting starts a router that keeps the requests of clients with tickets for five seconds.
func newWaiting(t *testing.T, change ...func(*Settings)) (*world, *fakeTickets) {
	t.Helper()
	return newSessions(t, func(d *Deps) {
		s := *d.settings()
		s.ResumeWait = 5 * time.Second
		for _, f := range change {
			f(&s)
		}
		d.Settings.Store(&s)
	})
}

// keeps presents a token and asks for tickets and for its requests to be kept.
func (p *peer) keeps(token, more string) {
	p.w.t.Helper()
	p.writef(`{"service":"authentication","request_id":"a","token":{"name":%q,"hash":"hash"},"payload":{"resume":true,"requests":true%s}}`, token, more)
}

// goesOn is the 200 to a client that keeps its requests.
func goesOn(ticket string, again bool, ids string) string {
	return fmt.Sprintf(`200 authentication/authenticated #"a" {"resume":{"resumed":%t,"requests":[%s],"ticket":%q,"lifetime":600}}`, again, ids, ticket)
}

// keeper returns a client that keeps its requests, and has ticket1.
func (w *world) keeper(services ...string) *peer {
	w.t.Helper()
	p := w.greeted()
	p.keeps(w.token(&Credentials{Role: Client, Services: services}), "")
	p.gets(goesOn("ticket1", false, ""))
	return p
}

// lostWithRequest has a client ask the service s and lose its connection. It returns the id by which the service knows it.
func (w *world) lostWithRequest(s *peer, services ...string) (id string) {
	w.t.Helper()
	p := w.keeper(services...)
	p.writef(`{"service":"s","topic":"t","request_id":"1"}`)
	id = s.asked(` s/t #"1" null`)
	w.loseKept(p, "s")
	return id
}

// loseKept ends the connection of a client and waits until its service knows.
func (w *world) loseKept(p *peer, name string) {
	w.t.Helper()
	w.loses(p, false)
	w.settle(w.deps.Registry.Lookup(name).Service.PID())
}

// An answer that comes while the client has no connection, and one that comes later, are written to the new one, which has
// the id of the old one.
func TestRequestsOutliveTheirConnection(t *testing.T) {
	w, _ := newWaiting(t)
	s := w.service("s")
	p := w.keeper("s")
	p.writef(`{"service":"s","topic":"t","request_id":"1"}`)
	p.writef(`{"service":"s","topic":"t","request_id":"2"}`)
	p.writef(`{"service":"s","topic":"t","request_id":"3"}`)
	id := s.asked(` s/t #"1" null`)
	s.asked(` s/t #"2" null`)
	s.asked(` s/t #"3" null`)
	s.writef(`{"service_name":"s","topic":"r","request_id":"3","resource_id":%q,"payload":3}`, id)
	p.gets(` s/r #"3" 3`)
	w.loseKept(p, "s")
	if n := w.deps.Counters.Waiting.Load(); n != 1 {
		t.Errorf("%d clients are waited for", n)
	}
	s.writef(`{"service_name":"s","topic":"r","request_id":"1","resource_id":%q,"payload":1}`, id)
	w.settleName(s, "s")
	w.clock.Advance(4 * time.Second)

	p = w.greeted()
	p.keeps("ticket1", "")
	got := p.next()
	if line(got) != goesOn("ticket2", true, `"1","2"`) {
		t.Fatal(line(got))
	}
	p.gets(` s/r #"1" 1`)
	s.writef(`{"service_name":"s","topic":"r","request_id":"2","resource_id":%q,"payload":2}`, id)
	p.gets(` s/r #"2" 2`)
	p.writef(`{"service":"s","topic":"t","request_id":"4"}`)
	if again := s.asked(` s/t #"4" null`); again != id {
		t.Errorf("the client has the id %s, want %s", again, id)
	}
	w.clock.Advance(5 * time.Second)
	s.writef(`{"service_name":"s","topic":"r","request_id":"4","resource_id":%q,"payload":4}`, id)
	p.gets(` s/r #"4" 4`)
	c := w.deps.Counters
	if c.Waiting.Load() != 0 || c.Returned.Load() != 1 || c.Unreturned.Load() != 0 {
		t.Errorf("%d waited for, %d back, %d not", c.Waiting.Load(), c.Returned.Load(), c.Unreturned.Load())
	}
	w.noneKept()
}

// noneKept waits until nothing is kept for clients that are away.
func (w *world) noneKept() {
	w.t.Helper()
	var bytes int64
	w.look(w.deps.sessions.PID(), func(a actor.Actor) {
		if n := len(a.(*sessions).waiting); n != 0 {
			w.t.Errorf("%d clients are waited for", n)
		}
	})
	w.deps.Registry.routes.Range(func(_, route any) bool {
		w.look(route.(*Route).Service.PID(), func(a actor.Actor) {
			for r := a.(*service).pending.ages.first; r != nil; r = r.links[byAge].next {
				bytes += int64(r.bytes) + requestBytes
			}
		})
		return true
	})
	if got := w.deps.Counters.Kept.Load(); got != bytes {
		w.t.Errorf("%d bytes are counted, and %d are kept", got, bytes)
	}
}

// When nobody comes back in time, what was kept is dead, and the services hear that the client has left.
func TestWaitIsOver(t *testing.T) {
	w, _ := newWaiting(t)
	s := w.service("s")
	p := w.keeper()
	p.writef(`{"service":"s","topic":"t","request_id":"1"}`)
	p.writef(`{"service":"s","topic":"t","request_id":"2"}`)
	id := s.asked(` s/t #"1" null`)
	s.asked(` s/t #"2" null`)
	w.loseKept(p, "s")
	s.writef(`{"service_name":"s","topic":"r","request_id":"1","resource_id":%q}`, id)
	w.settleName(s, "s")
	w.clock.Advance(5*time.Second - 1)
	w.settle(w.deps.sessions.PID())
	w.wantDead(SocketClosed, 0)
	w.clock.Advance(1)
	w.settle(w.deps.sessions.PID())
	w.wantDead(SocketClosed, 1)
	s.writef(`{"service_name":"s","topic":"r","request_id":"2","resource_id":%q}`, id)
	w.settleName(s, "s")
	w.wantDead(UnknownSubscriber, 1)
	p = w.greeted()
	p.keeps("ticket1", "")
	p.gets(goesOn("ticket2", true, ""))
	p.silent()
	if n := w.deps.Counters.Unreturned.Load(); n != 1 {
		t.Errorf("%d clients were given up", n)
	}
	w.noneKept()
}

// Nobody waits for a client that has not asked for it, has said goodbye, or whose token ends.
func TestNobodyIsWaitedFor(t *testing.T) {
	w, _ := newWaiting(t)
	s := w.service("s")
	ask := func(p *peer) {
		p.writef(`{"service":"s","topic":"t","request_id":"1"}`)
		s.asked(` s/t #"1" null`)
	}
	expect := func(want int64) {
		t.Helper()
		if n := w.deps.Counters.Waiting.Load(); n != want {
			t.Errorf("%d clients are waited for, want %d", n, want)
		}
	}
	p := w.keeper()
	ask(p)
	w.loses(p, true)
	expect(0)

	p = w.greeted()
	p.asks(w.token(&Credentials{Role: Client}))
	p.gets(gives("ticket2", false))
	ask(p)
	w.loses(p, false)
	expect(0)

	p = w.greeted()
	p.keeps(w.token(&Credentials{Role: Client, ExpiresAt: w.clock.Now().Add(2 * time.Second)}), "")
	p.next()
	ask(p)
	w.loseKept(p, "s")
	expect(1)
	w.clock.Advance(2 * time.Second)
	w.settle(w.deps.sessions.PID())
	expect(0)

	p = w.greeted()
	p.keeps(w.token(&Credentials{Role: Client}), "")
	p.next()
	ask(p)
	w.look(p.pid, func(a actor.Actor) { a.(*connection).peer.Dismiss() })
	w.loses(p, false)
	expect(0)

	p = w.greeted()
	p.keeps(w.token(&Credentials{Role: Client}), "")
	p.next()
	w.loses(p, false) // it has asked nothing
	expect(0)

	w.change(func(s *Settings) { s.ResumeWait = 0 })
	p = w.greeted()
	p.keeps(w.token(&Credentials{Role: Client}), "")
	if got := line(p.next()); strings.Contains(got, "requests") {
		t.Errorf("got %s", got)
	}
	ask(p)
	w.loses(p, false)
	expect(0)
}

// A client that comes back and does not ask for its requests gets none of their answers.
func TestRequestsAreNotWanted(t *testing.T) {
	w, _ := newWaiting(t)
	s := w.service("s")
	id := w.lostWithRequest(s)
	p := w.greeted()
	p.asks("ticket1")
	p.gets(gives("ticket2", true))
	s.writef(`{"service_name":"s","topic":"r","request_id":"1","resource_id":%q}`, id)
	w.settleName(s, "s")
	w.wantDead(UnknownSubscriber, 1)
	p.silent()
	w.noneKept()
}

// The old connection is alive when the ticket comes: it ends, and its requests go on over the new one.
func TestRequestsOfAConnectionTakenOver(t *testing.T) {
	w, _ := newWaiting(t)
	s := w.service("s")
	old := w.keeper()
	old.writef(`{"service":"s","topic":"t","request_id":"1"}`)
	id := s.asked(` s/t #"1" null`)
	p := w.greeted()
	p.keeps("ticket1", "")
	p.gets(goesOn("ticket2", true, `"1"`))
	old.closedWith(Resumed)
	s.writef(`{"service_name":"s","topic":"r","request_id":"1","resource_id":%q}`, id)
	p.gets(` s/r #"1" null`)
	w.ended(old.pid)
	old.silent()
}

// A session that goes on over another node takes no requests along.
func TestWaitEndsElsewhere(t *testing.T) {
	w, f := newWaiting(t)
	s := w.service("s")
	p := w.keeper()
	p.writef(`{"service":"s","topic":"t","request_id":"1"}`)
	s.asked(` s/t #"1" null`)
	f.fakeTokens.mu.Lock()
	session := *f.granted["ticket1"].Session
	f.fakeTokens.mu.Unlock()
	w.loseKept(p, "s")
	w.deps.ContinuedElsewhere(session)
	w.settle(w.deps.sessions.PID())
	if n := w.deps.Counters.Waiting.Load(); n != 0 {
		t.Errorf("%d clients are waited for", n)
	}
	w.noneKept()

	// And neither does a connection that hears of it first.
	p = w.greeted()
	p.keeps("ticket1", "")
	p.next()
	p.writef(`{"service":"s","topic":"t","request_id":"1"}`)
	s.asked(` s/t #"1" null`)
	session.Generation++
	w.deps.ContinuedElsewhere(session)
	p.closedWith(Resumed)
	w.ended(p.pid)
	w.settle(w.deps.sessions.PID())
	if n := w.deps.Counters.Waiting.Load(); n != 0 {
		t.Errorf("%d clients are waited for", n)
	}
}

// What the router itself answers meanwhile is kept too.
func TestRouterAnswersWhileClientIsAway(t *testing.T) {
	w, _ := newWaiting(t, func(s *Settings) { s.Instances = Balanced })
	s := w.service("s")
	w.lostWithRequest(s, "s")
	route := w.deps.Registry.Lookup("s")
	s.leave()
	w.ended(s.pid)
	w.ended(route.Service.PID()) // nobody offers or watches the name any more
	p := w.greeted()
	p.keeps("ticket1", "")
	p.gets(goesOn("ticket2", true, `"1"`), `503 s/t #"1" null`)
}

// Too much for one client ends the wait for it, in messages and in bytes, and for all clients together.
func TestTooMuchIsKept(t *testing.T) {
	for name, change := range map[string]func(*Settings){
		"messages": func(s *Settings) { s.ResumeMessages = 3 },
		"bytes":    func(s *Settings) { s.ResumeBytes = 1000 },
		"all":      func(s *Settings) { s.PendingTotal = 2500 },
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := newWaiting(t, change)
			s := w.service("s")
			p := w.keeper()
			p.writef(`{"service":"s","topic":"t","request_id":"1"}`)
			p.writef(`{"service":"s","topic":"t","request_id":"2"}`)
			id := s.asked(` s/t #"1" null`)
			s.asked(` s/t #"2" null`)
			w.loseKept(p, "s")
			for range 8 {
				s.writef(`{"service_name":"s","topic":"r","request_id":"1","resource_id":%q,"payload":%q}`, id, strings.Repeat("x", 100))
			}
			w.settleName(s, "s")
			w.settle(w.deps.sessions.PID())
			if n := w.deps.Refusals().Counts()["resume_wait"]; n != 1 {
				t.Errorf("%d lines, want 1", n)
			}
			p = w.greeted()
			p.keeps("ticket1", "")
			p.gets(goesOn("ticket2", true, ""))
			p.silent()
			w.settleName(s, "s")
			if dead := w.dead(SocketClosed) + w.dead(UnknownSubscriber); dead != 8 {
				t.Errorf("%d dead letters, want 8", dead)
			}
			w.noneKept()
		})
	}
}

// A client that comes back before the sessions' actor hears that too much was kept for it does not get a part of that.
func TestTooMuchIsKeptJustBeforeAReturn(t *testing.T) {
	w, _ := newWaiting(t)
	s := w.service("s")
	id := w.lostWithRequest(s)
	s.writef(`{"service_name":"s","topic":"r","request_id":"1","resource_id":%q,"payload":1}`, id)
	w.settleName(s, "s")
	w.look(w.deps.sessions.PID(), func(a actor.Actor) {
		for _, of := range a.(*sessions).waiting {
			setting := "tokens.resume_messages, tokens.resume_bytes"
			of.spilled.Store(&setting) // what says so is on its way
		}
	})
	p := w.greeted()
	p.keeps("ticket1", "")
	p.gets(goesOn("ticket2", true, ""))
	p.silent()
	if n := w.deps.Refusals().Counts()["resume_wait"]; n != 1 {
		t.Errorf("%d lines, want 1", n)
	}
	w.noneKept()
}

// Neither does one that comes back before the connection that it had has ended.
func TestTooMuchIsKeptForAnHeir(t *testing.T) {
	w, _ := newWaiting(t, func(s *Settings) { s.ResumeMessages = 1 })
	s := w.service("s")
	p := w.keeper()
	p.writef(`{"service":"s","topic":"t","request_id":"1"}`)
	id := s.asked(` s/t #"1" null`)
	hold := func(pid *actor.PID) (release func()) {
		held := make(chan struct{})
		release = sync.OnceFunc(func() { close(held) })
		t.Cleanup(release) // a failure does not leave the actor where it is
		w.deps.send(pid, &inside{func(actor.Actor) { <-held }, make(chan struct{})})
		return release
	}
	end := hold(p.pid)
	heir := w.greeted()
	heir.keeps("ticket1", "")
	w.settle(heir.pid, heir.pid, w.deps.sessions.PID()) // its verdict comes as a message of its own
	hear := hold(w.deps.sessions.PID())
	end()
	p.closedWith(Resumed)
	w.deps.send(p.pid, &ReadEnded{})
	w.ended(p.pid)
	w.settleName(s, "s")
	for range 3 {
		s.writef(`{"service_name":"s","topic":"r","request_id":"1","resource_id":%q,"payload":1}`, id)
	}
	w.settleName(s, "s")
	hear()
	heir.gets(goesOn("ticket2", true, ""))
	heir.silent()
	if n := w.deps.Refusals().Counts()["resume_wait"]; n != 1 {
		t.Errorf("%d lines, want 1", n)
	}
	w.noneKept()
}

// Of too many clients that are waited for, the one that has waited longest is given up.
func TestTooManyAreWaitedFor(t *testing.T) {
	w, _ := newWaiting(t, func(s *Settings) { s.ResumeCount = 2 })
	s := w.service("s")
	for n := range 3 {
		p := w.greeted()
		p.keeps(w.token(&Credentials{Role: Client}), "")
		p.next()
		p.writef(`{"service":"s","topic":"t","request_id":"%d"}`, n)
		s.next()
		w.loseKept(p, "s")
		w.clock.Advance(time.Second)
	}
	if n := w.deps.Counters.Waiting.Load(); n != 2 {
		t.Errorf("%d clients are waited for, want 2", n)
	}
	for n, ids := range []string{"", `"1"`, `"2"`} {
		p := w.greeted()
		p.keeps(fmt.Sprintf("ticket%d", n+1), "")
		p.gets(goesOn(fmt.Sprintf("ticket%d", n+4), true, ids))
	}
	if n := w.deps.Refusals().Counts()["resume_wait"]; n != 1 {
		t.Errorf("%d lines, want 1", n)
	}
}

// One address does not take the places of others.
func TestCrowdOfOneAddress(t *testing.T) {
	s := &sessions{waiting: make(map[SessionID]*suspension)}
	now := time.Now()
	for n, address := range []string{"quiet", "loud", "loud", "other", "loud"} {
		s.waiting[SessionID{byte(n)}] = &suspension{address: address, id: fmt.Sprint(n), until: now.Add(time.Duration(n))}
	}
	if w := s.crowd(); w.id != "1" {
		t.Errorf("client %s of %s is given up", w.id, w.address)
	}
}

// Replies and broadcasts of a service come in the order in which it spoke, those that a history replays among them.
func TestOrderAcrossAConnection(t *testing.T) {
	w, _ := newWaiting(t, func(s *Settings) { s.Policies = policies(t, keeping) })
	s := w.service("s")
	p := w.greeted()
	p.keeps(w.token(&Credentials{Role: Client, Services: []string{"s"}}), `,"history":{}`)
	p.next()
	for n := 1; n <= 3; n++ {
		p.writef(`{"service":"s","topic":"t","request_id":"%d"}`, n)
	}
	id := s.asked(` s/t #"1" null`)
	s.next()
	s.next()
	say := func(text string) { s.writef(`{"service_name":"s","topic":"b","payload":%q}`, text) }
	reply := func(n int) {
		s.writef(`{"service_name":"s","topic":"r","request_id":"%d","resource_id":%q,"payload":%d}`, n, id, n)
	}
	say("seen")
	p.gets(` s/b #"" "seen"`)
	var at string
	w.look(w.deps.Registry.Lookup("s").Topic.PID(), func(a actor.Actor) {
		at = `{` + string(a.(*topic).history.position().keys()[1:]) + `}`
	})
	w.loseKept(p, "s")
	say("a")
	reply(1)
	say("b")
	say("c")
	reply(2)
	w.settleName(s, "s")
	p = w.greeted()
	p.keeps("ticket1", `,"history":{"s":`+at+`}`)
	p.next()
	p.gets(` s/b #"" "a"`, ` s/r #"1" 1`, ` s/b #"" "b"`, ` s/b #"" "c"`, ` s/r #"2" 2`)
	say("d")
	reply(3)
	say("e")
	p.gets(` s/b #"" "d"`, ` s/r #"3" 3`, ` s/b #"" "e"`)
}
