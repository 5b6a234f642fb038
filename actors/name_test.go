package actors

import (
	"fmt"
	"sync"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/envelope"
	"strowger/actors/runtime"
)

// gone waits until the router has handled a peer's departure.
func (w *world) gone(p *peer) {
	w.t.Helper()
	subscriber := w.subscriber(p)
	p.leave()
	w.ended(p.pid)
	if subscriber != nil {
		w.ended(subscriber)
	}
	w.settle(w.router.PID())
}

func TestNameLivesWhileUsed(t *testing.T) {
	w := newWorld(t)
	if w.deps.Registry.Lookup("s") != nil {
		t.Fatal("a name is known before anybody uses it")
	}
	watcher := w.client("s")
	route := w.deps.Registry.Lookup("s")
	if route == nil {
		t.Fatal("a watched name has no route")
	}
	s := w.service("s")
	w.gone(watcher)
	if w.deps.Registry.Lookup("s") != route {
		t.Fatal("the route changed while the service was there")
	}
	second := w.client("s")
	w.gone(s)
	if w.deps.Registry.Lookup("s") != route {
		t.Fatal("the route changed while somebody watched")
	}
	w.gone(second)
	if w.deps.Registry.Lookup("s") != nil {
		t.Fatal("the name outlived its last user")
	}
	w.ended(route.Service.PID())
	w.ended(route.Topic.PID())
}

func TestNameWorksAgain(t *testing.T) {
	w := newWorld(t)
	asker := w.client()
	for i := range 5 {
		s, p := w.service("s"), w.client("s")
		s.writef(`{"service":"s","payload":%d}`, i)
		p.gets(fmt.Sprintf(` s/ #"" %d`, i))
		asker.writef(`{"service":"s","request_id":"1"}`)
		id := s.asked(` s/ #"1" null`)
		s.writef(`{"service":"s","request_id":"1","resource_id":%q}`, id)
		asker.gets(` s/ #"1" null`)
		w.gone(p)
		w.gone(s)
	}
}

func TestServiceWithdraws(t *testing.T) {
	w := newWorld(t)
	w.change(func(s *Settings) { s.UnknownService = 503 })
	first, second, p := w.service("s"), w.service("s"), w.client("s")
	w.gone(first)
	w.settle(w.deps.Registry.Lookup("s").Service.PID())
	p.writef(`{"service":"s","request_id":"1"}`)
	second.asked(` s/ #"1" null`)
	first.silent()
	w.gone(second)
	w.settle(w.deps.Registry.Lookup("s").Service.PID())
	p.gets(`503 s/ #"1" null`)
	p.writef(`{"service":"s","request_id":"2"}`)
	p.gets(`503 s/ #"2" null`)
}

// A request that was on its way when its service's name ended is answered like one for a name
// nobody offers.
func TestRequestBehindTheEndOfAName(t *testing.T) {
	for _, buried := range []string{"in the mailbox", "to nobody", "to nobody by name"} {
		t.Run(buried, func(t *testing.T) {
			w := newWorld(t)
			w.change(func(s *Settings) { s.UnknownService = 503 })
			p, s := w.client(), w.service("s")
			route := w.deps.Registry.Lookup("s")
			from := w.deps.newPeer(&Credentials{Role: Client}, p.socket)
			lease := func() *runtime.Lease {
				p.window.Acquire(10)
				return runtime.NewLease(p.window, 10)
			}
			w.deps.Registry.withdraw(w.deps.Registry.Lookup("s")) // nobody else finds it
			if buried == "in the mailbox" {
				w.deps.System.Root.Stop(route.Service.PID())
			} else {
				w.gone(s)
				w.ended(route.Service.PID())
			}
			send := route.Service.Send
			if buried == "to nobody by name" {
				send = func(m toService) { w.deps.send(route.Service.PID(), m) }
			}
			send(&ask{envelope: &envelope.Envelope{RequestID: envelope.Raw(`"1"`), ServiceName: envelope.Raw(`"s"`)}, from: from, Held: runtime.Hold(lease())})
			p.gets(`503 s/ #"1" null`)
			w.wantDead(UnknownService, 1)
			w.wantDead(ActorStopped, 0)
		})
	}
}

// Leaving twice, as an expired subscriber does, must not disturb those who are there.
func TestLeavingTwice(t *testing.T) {
	w := newWorld(t)
	s, p := w.service("s"), w.client("s")
	leaver := &Peer{Identity: Identity{ID: "leaver", Name: "s"}, Outlet: newFakeSocket()}
	w.router.Send(&subscribe{Name: "s", Peer: leaver})
	w.router.Send(&Offer{Peer: leaver})
	for range 3 {
		w.router.Send(&unsubscribe{Name: "s", Peer: leaver})
		w.router.Send(&withdraw{Peer: leaver})
		w.router.Send(&unsubscribe{Name: "nobody's", Peer: leaver})
	}
	w.settleName(s, "s")
	group := w.egress.all()[0]
	if group.strays != 0 || len(group.members) != 1 {
		t.Errorf("%d removals of a stranger and %d members, want 0 and 1", group.strays, len(group.members))
	}
	s.writef(`{"service":"s","payload":1}`)
	p.gets(` s/ #"" 1`)
	p.writef(`{"service":"s","request_id":"1"}`)
	s.asked(` s/ #"1" null`)
}

func TestSubscribingTwice(t *testing.T) {
	w := newWorld(t)
	s, p := w.service("s"), w.client("s", "s")
	s.writef(`{"service":"s","payload":1}`)
	p.gets(` s/ #"" 1`)
	w.settleName(s, "s")
	p.silent()
	w.gone(s)
	w.gone(p)
	if w.deps.Registry.Lookup("s") != nil {
		t.Error("the name outlived its last user")
	}
}

// Services and subscribers come and go at once while others ask; nothing is left behind.
func TestComingAndGoing(t *testing.T) {
	w := newWorld(t, func(d *Deps) { d.Pool = new(goPool) })
	const crowd, rounds = 8, 15
	type turn struct{ peers []*peer }
	turns := make([]turn, crowd)
	for i := range turns {
		for range rounds {
			p := w.connect()
			p.gets(hello)
			turns[i].peers = append(turns[i].peers, p)
		}
	}
	var coming sync.WaitGroup
	for i, turn := range turns {
		coming.Go(func() {
			for _, p := range turn.peers {
				if i%2 == 0 {
					p.present(w.token(&Credentials{Role: Service, Service: "s"}))
				} else {
					p.present(w.token(&Credentials{Role: Client, Services: []string{"s", "t"}}))
				}
				<-p.socket.written // the 200
				p.writef(`{"service":"s","request_id":"1"}`)
				p.writef(`{"service":"s"}`)
				p.leave()
			}
		})
	}
	coming.Wait()
	w.deps.Pool.(*goPool).Wait()
	for _, turn := range turns {
		for _, p := range turn.peers {
			w.ended(p.pid)
		}
	}
	late := w.client()
	w.gone(late)
	for _, name := range []string{"s", "t"} {
		if r := w.deps.Registry.Lookup(name); r != nil {
			w.ended(r.Service.PID())
			w.ended(r.Topic.PID())
		}
	}
}

// Who has seen a service's connection end must not find the service still there, however long the
// news takes through the actors.
func TestServiceThatLeavesServesNoMore(t *testing.T) {
	w := newWorld(t)
	w.change(func(s *Settings) { s.UnknownService = 503 })
	s, p := w.service("s"), w.client()
	w.look(s.pid, func(a actor.Actor) { a.(*connection).peer.gone.Store(true) })
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	p.gets(`503 s/x #"1" null`)
	s.silent()
}
