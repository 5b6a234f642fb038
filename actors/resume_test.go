package actors

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/clock"
)

// fakeTickets are tokens that make tickets, which are good for ten minutes.
type fakeTickets struct {
	*fakeTokens
	clock clock.Clock

	mu    sync.Mutex // Protects following.
	made  int
	err   error
	ended []SessionID
	back  chan Session // returned
}

func (f *fakeTickets) Ticket(c *Credentials, s Session) (string, time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return "", time.Time{}, f.err
	}
	f.made++
	name := fmt.Sprintf("ticket%d", f.made)
	known := *c
	known.Session = &s
	f.put(name, &known)
	return name, f.clock.Now().Add(10 * time.Minute), nil
}

func (f *fakeTickets) Ended(id SessionID, _ time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = append(f.ended, id)
}

func (f *fakeTickets) Returned(s Session) {
	f.back <- s
}

func (f *fakeTickets) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

// count returns how many sessions were ended.
func (f *fakeTickets) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.ended)
}

// newSessions starts a router that makes tickets.
func newSessions(t *testing.T, change ...func(*Deps)) (*world, *fakeTickets) {
	t.Helper()
	f := &fakeTickets{back: make(chan Session, 64)}
	w := newWorld(t, func(d *Deps) {
		f.fakeTokens, f.clock = d.Tokens.(*fakeTokens), d.Clock
		d.Tokens = f
		d.Continue()
		for _, c := range change {
			c(d)
		}
	})
	t.Cleanup(func() {
		for _, p := range w.peers {
			p.leave()
			w.ended(p.pid)
		}
		w.deps.Discontinue("the test ends", patience)
		w.deps.System.Root.Poison(w.deps.sessions.PID())
		w.ended(w.deps.sessions.PID())
	})
	return w, f
}

// asks presents a token and asks for tickets.
func (p *peer) asks(token string) {
	p.w.t.Helper()
	p.writef(`{"service":"authentication","request_id":"a","token":{"name":%q,"hash":"hash"},"payload":{"resume":true}}`, token)
}

// greeted opens a connection and reads the greeting.
func (w *world) greeted() *peer {
	w.t.Helper()
	p := w.connect()
	p.gets(hello)
	return p
}

func gives(ticket string, again bool) string {
	return fmt.Sprintf(`200 authentication/authenticated #"a" {"resume":{"resumed":%t,"ticket":%q,"lifetime":600}}`, again, ticket)
}

// loses ends the connection of a peer and waits until its session has ended.
func (w *world) loses(p *peer, farewell bool) {
	w.t.Helper()
	w.deps.send(p.pid, &ReadEnded{Farewell: farewell})
	w.ended(p.pid)
	w.settle(w.deps.sessions.PID())
}

// A ticket is renewed when half of its time is over, and only for a client that has asked for tickets.
func TestTicketIsRenewed(t *testing.T) {
	w, _ := newSessions(t)
	asker, other := w.greeted(), w.client()
	asker.asks(w.token(&Credentials{Role: Client}))
	asker.gets(gives("ticket1", false))
	for n := 2; n < 5; n++ {
		w.clock.Advance(5*time.Minute - time.Second)
		w.settle(asker.pid)
		asker.silent()
		w.clock.Advance(time.Second)
		asker.gets(fmt.Sprintf(`200 authentication/ticket #"" {"ticket":"ticket%d","lifetime":600}`, n))
		other.silent()
	}
}

// The connection that has the session ends before the one with the ticket is let in.
func TestSessionHasOneConnection(t *testing.T) {
	w, f := newSessions(t)
	first, second := w.greeted(), w.greeted()
	first.asks(w.token(&Credentials{Role: Client, Services: []string{"s"}}))
	first.gets(gives("ticket1", false))
	second.asks("ticket1")
	second.gets(gives("ticket2", true))
	first.closedWith(Resumed)
	w.ended(first.pid)
	w.settle(w.deps.sessions.PID())
	if n, over := w.deps.Counters.Sessions.Load(), w.deps.Counters.TakenOver.Load(); n != 1 || over != 1 {
		t.Errorf("%d sessions, %d taken over", n, over)
	}
	w.loses(second, false)
	third := w.greeted()
	third.asks("ticket2")
	third.gets(gives("ticket3", true))
	w.loses(third, true)
	if ended := f.count(); ended != 1 {
		t.Errorf("%d sessions have ended, want that of the one that has closed its connection", ended)
	}
	if n := w.deps.Counters.Sessions.Load(); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

// Of several that come back at once the last one has the session, however slow the connection is that had it.
func TestHeirOfAnHeir(t *testing.T) {
	w, f := newSessions(t)
	first, second, third := w.greeted(), w.greeted(), w.greeted()
	first.asks(w.token(&Credentials{Role: Client}))
	first.gets(gives("ticket1", false))
	f.fakeTokens.mu.Lock()
	credentials := *f.granted["ticket1"]
	f.fakeTokens.mu.Unlock()
	f.put("another", &credentials)
	held := make(chan struct{})
	release := sync.OnceFunc(func() { close(held) })
	t.Cleanup(release) // a failure does not leave the actor where it is
	w.deps.send(first.pid, &inside{func(actor.Actor) { <-held }, make(chan struct{})})
	second.asks("ticket1")
	w.settle(second.pid, second.pid, w.deps.sessions.PID()) // its verdict comes as a message of its own
	third.asks("another")
	w.settle(third.pid, third.pid, w.deps.sessions.PID())
	// The third connection may end the second one before it is let in. The second one then gets only the close, and no ticket was
	// made for it.
	second.closedWith(Resumed)
	ticket := "ticket2"
	if len(second.socket.written) > 0 {
		second.gets(gives(ticket, true))
		ticket = "ticket3"
	}
	third.gets(gives(ticket, true))
	release()
	first.closedWith(Resumed)
	w.loses(third, false)
	if n := w.deps.Counters.Sessions.Load(); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

// What another node says ends the connection, unless it is older.
func TestSessionGoesOnElsewhere(t *testing.T) {
	w, f := newSessions(t)
	p := w.greeted()
	p.asks(w.token(&Credentials{Role: Client}))
	p.gets(gives("ticket1", false))
	w.loses(p, false)
	p = w.greeted()
	p.asks("ticket1")
	p.gets(gives("ticket2", true))
	f.fakeTokens.mu.Lock()
	s := *f.granted["ticket2"].Session
	f.fakeTokens.mu.Unlock()
	if s.Generation != 1 {
		t.Fatalf("generation %d, want 1", s.Generation)
	}
	w.deps.ContinuedElsewhere(Session{s.ID, 0})
	w.settle(w.deps.sessions.PID(), p.pid)
	p.open()
	w.deps.ContinuedElsewhere(s)
	p.closedWith(Resumed)
}

// A token that ends, and an operator, end the tickets.
func TestEndsOfSessions(t *testing.T) {
	w, f := newSessions(t)
	p := w.greeted()
	p.asks(w.token(&Credentials{Role: Client, ExpiresAt: w.clock.Now().Add(time.Minute)}))
	p.gets(gives("ticket1", false))
	w.clock.Advance(time.Minute)
	p.closedWith(TokenExpired)
	w.loses(p, false)
	p = w.greeted()
	p.asks(w.token(&Credentials{Role: Client}))
	p.gets(gives("ticket2", false))
	w.look(p.pid, func(a actor.Actor) { a.(*connection).peer.Dismiss() })
	w.loses(p, false)
	if ended := f.count(); ended != 2 {
		t.Errorf("%d sessions have ended, want 2", ended)
	}
}

// A ticket whose connection ends before it is let in is good once more.
func TestUnneededTicketIsReturned(t *testing.T) {
	pool := parkedPool{make(chan func(), 1)}
	w, f := newSessions(t, func(d *Deps) { d.Pool = pool })
	p := w.greeted()
	p.asks(w.token(&Credentials{Role: Client}))
	(<-pool.work)()
	p.gets(gives("ticket1", false))
	w.loses(p, false)
	p = w.greeted()
	p.asks("ticket1")
	look := <-pool.work
	w.loses(p, false)
	look()
	received(t, "the ticket", f.back)
}

// Without tickets for it, a client that asks is let in all the same. The refusals tell which setting is in the way.
func TestNoTicketIsMade(t *testing.T) {
	w, f := newSessions(t)
	const cause = "ticket"
	for err, want := range map[error]int64{ErrNoTickets: 0, errors.New("too big"): 1} {
		f.fail(err)
		p := w.greeted()
		p.asks(w.token(&Credentials{Role: Client}))
		p.gets(`200 authentication/authenticated #"a" {"resume":{"resumed":false}}`)
		if got := w.deps.Refusals().Counts()[cause]; err != ErrNoTickets && got != want || err == ErrNoTickets && got > 1 {
			t.Errorf("%v: %d lines, want %d", err, got, want)
		}
	}
}

// Positions and a ticket come in one payload.
func TestTicketBesidePositions(t *testing.T) {
	w, _ := newSessions(t)
	p := w.greeted()
	p.writef(`{"service":"authentication","request_id":"a","token":{"name":%q,"hash":"hash"},"payload":{"history":{"x":null},"resume":true}}`, w.token(&Credentials{Role: Client}))
	p.gets(`200 authentication/authenticated #"a" {"history":{"x":{"recovered":false}},"resume":{"resumed":false,"ticket":"ticket1","lifetime":600}}`)
}

// Whoever does not ask, or not in the right way, gets nothing new.
func TestNothingOfTicketsWithoutAsking(t *testing.T) {
	w, f := newSessions(t)
	for _, payload := range []string{`null`, `{}`, `{"resume":null}`, `{"resume":1}`, `{"resume":"true"}`, `{"resume":{}}`, `{"requests":true}`, `{"resume":false,"requests":true}`, `[true]`, `"resume"`} {
		p := w.greeted()
		p.writef(`{"service":"authentication","request_id":"a","token":{"name":%q,"hash":"hash"},"payload":%s}`, w.token(&Credentials{Role: Client}), payload)
		p.gets(admitted200)
	}
	p := w.greeted()
	p.asks(w.token(&Credentials{Role: Service, Service: "s", Class: "c"}))
	p.gets(admitted200)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.made > 0 {
		t.Errorf("%d tickets were made", f.made)
	}
}
