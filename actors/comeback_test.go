package actors

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"strowger/actors/clock/clocktest"
	"strowger/actors/runtime"
)

const refused401 = `401 authentication/unauthorized #"a" null`

// newReturns starts a router whose clients may come back for five minutes.
func newReturns(t *testing.T, before ...*Holding) *world {
	t.Helper()
	w := newWorld(t, func(d *Deps) {
		s := *d.settings()
		s.Reclaim, s.ReclaimCount, s.AuthenticationAttempts = 5*time.Minute, 10, 100
		d.Settings.Store(&s)
		d.Hold(before)
	})
	t.Cleanup(func() {
		for _, p := range w.peers {
			p.leave()
		}
		w.deps.System.Root.Poison(w.deps.holders.PID())
		w.ended(w.deps.holders.PID())
	})
	return w
}

// connectFrom opens a connection from an address and reads the greeting.
func (w *world) connectFrom(address string, socket Outlet) *peer {
	w.t.Helper()
	p := &peer{w: w, window: new(runtime.Window)}
	p.window.SetBudget(1 << 40)
	switch s := socket.(type) {
	case nil:
		p.socket = newFakeSocket()
		socket = p.socket
	case *fakeProber:
		p.socket = s.fakeSocket
	}
	p.pid = SpawnConnection(w.deps, w.router, socket, &net.TCPAddr{IP: net.ParseIP(address), Port: len(w.peers) + 1}).PID()
	w.peers = append(w.peers, p)
	p.gets(hello)
	return p
}

// come presents a token from an address and wants to be let in.
func (w *world) come(token, address string) *peer {
	w.t.Helper()
	p := w.connectFrom(address, nil)
	p.present(token)
	p.gets(admitted200)
	return p
}

// stays presents a token from an address and wants to be refused.
func (w *world) staysOut(token, address string) {
	w.t.Helper()
	p := w.connectFrom(address, nil)
	p.present(token)
	p.gets(refused401)
}

// lose ends the connection of a peer and waits until the holders know.
func (w *world) lose(p *peer, farewell bool) {
	w.t.Helper()
	w.deps.send(p.pid, &ReadEnded{Farewell: farewell})
	w.ended(p.pid)
	w.settle(w.deps.holders.PID())
}

const here, there = "192.0.2.1", "192.0.2.2"

func TestHolderComesBack(t *testing.T) {
	w := newReturns(t)
	s := w.service("s")
	token := w.token(&Credentials{Role: Client, Services: []string{"s"}, Permissions: []string{"see"}, DomainName: "a.x", DomainUUID: "u", UserName: "n"})
	for range 3 { // each time anew
		p := w.come(token, here)
		s.writef(`{"service":"s","topic":"news"}`)
		p.gets(` s/news #"" null`)
		p.writef(`{"service":"s","topic":"ask","request_id":"1"}`)
		s.asked(` s/ask #"1" null`)
		w.lose(p, false)
		w.settleName(s, "s")
		if n := w.deps.Counters.Reclaimable.Load(); n != 1 {
			t.Errorf("%d tokens are kept, want one", n)
		}
	}
	if n := w.deps.Counters.Reclaimed.Load(); n != 2 {
		t.Errorf("%d came back, want 2", n)
	}
}

func TestHolderStaysOut(t *testing.T) {
	limited := &Credentials{Role: Client, ExpiresAt: clocktest.New().Now().Add(time.Minute)}
	within := &Credentials{Role: Client, ClaimBy: clocktest.New().Now().Add(time.Minute)}
	for name, c := range map[string]struct {
		credentials *Credentials
		farewell    bool
		wait        time.Duration
		from        string
		change      func(*Settings)
		let         bool
	}{
		"in time":                   {wait: 5*time.Minute - 1, from: here, let: true},
		"too late":                  {wait: 5 * time.Minute, from: here},
		"after an orderly end":      {farewell: true, from: here},
		"from another address":      {from: there},
		"before the limit":          {credentials: limited, wait: time.Minute - 1, from: here, let: true},
		"after the limit":           {credentials: limited, wait: time.Minute, from: here},
		"before the time to claim":  {credentials: within, wait: time.Minute - 1, from: here, let: true},
		"after the time to claim":   {credentials: within, wait: time.Minute, from: here},
		"a service":                 {credentials: &Credentials{Role: Service, Service: "s"}, from: here},
		"nobody may any more":       {from: here, change: func(s *Settings) { s.Reclaim = 0 }},
		"another name for the host": {from: "::ffff:" + here, let: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newReturns(t)
			credentials := &Credentials{Role: Client}
			if c.credentials != nil {
				credentials = c.credentials
			}
			token := w.token(credentials)
			w.lose(w.come(token, here), c.farewell)
			w.clock.Set(w.clock.Now().Add(c.wait))
			if c.change != nil {
				w.change(c.change)
			}
			if c.let {
				w.come(token, c.from)
			} else {
				w.staysOut(token, c.from)
			}
		})
	}
}

// A connection that knows one half of the secret only is refused. The token stays good for its holder.
func TestOtherHash(t *testing.T) {
	w := newReturns(t)
	token := w.token(&Credentials{Role: Client})
	w.lose(w.come(token, here), false)
	p := w.connectFrom(here, nil)
	p.writef(`{"service":"authentication","request_id":"a","token":{"name":%q,"hash":"another"}}`, token)
	p.gets(refused401)
	w.come(token, here)
}

// A token that expires ends its connection, and with it the way back.
func TestExpiredTokenDoesNotComeBack(t *testing.T) {
	w := newReturns(t)
	token := w.token(&Credentials{Role: Client, ExpiresAt: w.clock.Now().Add(time.Minute)})
	p := w.come(token, here)
	w.settle(p.pid)
	w.clock.Advance(time.Minute)
	p.closedWith(TokenExpired)
	w.lose(p, false)
	w.staysOut(token, here)
	if n := w.deps.Counters.Reclaimable.Load(); n != 0 {
		t.Errorf("%d tokens are kept, want none", n)
	}
}

// Of many who show a token at once one is let in.
func TestOneComesBack(t *testing.T) {
	w := newReturns(t)
	token := w.token(&Credentials{Role: Client})
	w.lose(w.come(token, here), false)
	var waiting sync.WaitGroup
	peers := make([]*peer, 20)
	for i := range peers {
		peers[i] = w.connectFrom(here, nil)
	}
	for _, p := range peers {
		waiting.Go(func() { p.present(token) })
	}
	waiting.Wait()
	in := 0
	for _, p := range peers {
		if string(p.next().StatusCode) == "200" {
			in++
		}
	}
	if in != 1 {
		t.Errorf("%d are let in, want one", in)
	}
}

// A connection may end before it hears that it has the token, first or again. The token is not lost.
func TestConnectionEndsTooEarly(t *testing.T) {
	work := make(chan func(), 1)
	w := newReturns(t)
	w.deps.Pool = parkedPool{work}
	token := w.token(&Credentials{Role: Client})
	for range 3 {
		p := w.connectFrom(here, nil)
		p.present(token)
		claim := <-work
		w.deps.send(p.pid, &ReadEnded{})
		w.ended(p.pid)
		claim()
		// Another goroutine may be the one that buries the verdict.
		for w.deps.Counters.Reclaimable.Load() != 1 {
			w.settle(w.deps.holders.PID())
		}
	}
	w.deps.Pool = inlinePool{}
	w.come(token, here)
}

// No place for one who comes back does not cost the token.
func TestNoPlaceForWhoComesBack(t *testing.T) {
	w := newReturns(t)
	token := w.token(&Credentials{Role: Client})
	w.lose(w.come(token, here), false)
	full := &fullSocket{fakeSocket: newFakeSocket()}
	p := &peer{w: w, socket: full.fakeSocket, window: new(runtime.Window)}
	p.window.SetBudget(1 << 40)
	p.pid = SpawnConnection(w.deps, w.router, full, &net.TCPAddr{IP: net.ParseIP(here)}).PID()
	w.peers = append(w.peers, p)
	p.gets(hello)
	p.present(token)
	p.closedWith(NoPlace)
	w.settle(p.pid, w.deps.holders.PID())
	w.come(token, here)
}

type fullSocket struct{ *fakeSocket }

func (*fullSocket) Seat(Role) error { return ErrNoPlace }

func TestTooManyToComeBack(t *testing.T) {
	w := newReturns(t)
	w.change(func(s *Settings) { s.ReclaimCount = 2 })
	tokens := make([]string, 4)
	for i := range tokens {
		tokens[i] = w.token(&Credentials{Role: Client})
		w.lose(w.come(tokens[i], here), false)
	}
	if c := w.deps.Counters; c.Forgotten.Load() != 2 || c.Reclaimable.Load() != 2 {
		t.Errorf("%d forgotten and %d kept, want 2 and 2", c.Forgotten.Load(), c.Reclaimable.Load())
	}
	w.staysOut(tokens[0], here)
	w.staysOut(tokens[1], here)
	w.come(tokens[2], here)
	w.come(tokens[3], here)
}

// What one router keeps lets the holders into the next, with all that the token said.
func TestHoldings(t *testing.T) {
	w := newReturns(t)
	credentials := &Credentials{Role: Client, Services: []string{"s"}, Permissions: []string{"see"}, DomainName: "a.x",
		DomainUUID: "u", UserUUID: "v", UserName: "n", Extensions: []string{"1@a.x"}, ExpiresAt: w.clock.Now().Add(time.Hour), ClaimBy: w.clock.Now().Add(time.Hour)}
	live, gone, left := w.token(credentials), w.token(&Credentials{Role: Client}), w.token(&Credentials{Role: Client})
	w.come(live, here)
	w.lose(w.come(gone, here), false)
	w.lose(w.come(left, here), true)
	kept := w.deps.Holdings(10 * time.Millisecond) // one connection is alive
	if len(kept) != 2 {
		t.Fatalf("%d tokens are kept, want 2", len(kept))
	}
	next := newReturns(t, kept...)
	next.come(live, here)
	next.come(gone, here)
	next.staysOut(left, here)
	list := next.deps.Holdings(10 * time.Millisecond)
	for _, h := range list {
		if h.Key == keyOf(live, "hash") {
			if got, want := fmt.Sprintf("%+v", h.Credentials), fmt.Sprintf("%+v", credentials); got != want {
				t.Errorf("credentials are %s, want %s", got, want)
			}
		}
	}
}

// What a message crashes is not the table.
func TestHoldersSurviveACrash(t *testing.T) {
	w := newReturns(t)
	token := w.token(&Credentials{Role: Client})
	w.lose(w.come(token, here), false)
	w.deps.send(w.deps.holders.PID(), &probed{}) // no asker: a nil dereference
	w.settle(w.deps.holders.PID())
	if n := w.deps.Counters.Panics.Load(); n != 1 {
		t.Fatalf("%d panics, want one", n)
	}
	w.come(token, here)
}
