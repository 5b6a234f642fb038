package actors

import (
	"fmt"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/envelope"
	"strowger/actors/runtime"
)

func TestUnknownMessages(t *testing.T) {
	w := newWorld(t)
	p := w.client("s")
	route := w.deps.Registry.Lookup("s")
	w.stray = 5
	for _, pid := range []*actor.PID{p.pid, w.subscriber(p), w.router.PID(), route.Service.PID(), route.Topic.PID()} {
		w.deps.send(pid, "what?")
		w.settle(pid)
	}
	w.wantDead(UnknownMessage, 5)
	p.open()
}

// A connection whose actor crashes is closed with 1011; nobody else notices.
func TestConnectionCrashes(t *testing.T) {
	w := newWorld(t)
	s, p, other := w.service("s"), w.client("s"), w.client("s")
	p.socket.hook(func() { panic("socket") })
	p.writef(`{"service":"","request_id":"1"}`) // its 400 panics
	for range 3 {
		p.writef(`{"service":"s"}`)
	}
	p.closedWith(Crashed)
	w.ended(p.pid)
	p.leasesReturned(1)
	p.socket.hook(nil)
	w.settle(w.router.PID())
	s.writef(`{"service":"s","payload":1}`)
	other.gets(` s/ #"" 1`)
	w.wantDead(ActorCrashed, 1)
}

func TestSubscriberCrashes(t *testing.T) {
	w := newWorld(t)
	p := w.client("s")
	pid := w.subscriber(p)
	w.look(pid, func(a actor.Actor) { a.(*subscriber).router = RouterRef{} })
	w.deps.send(pid, &tokenExpired{})
	p.closedWith(Crashed)
	w.ended(pid)
}

// A service that crashes answers the request it crashed at with 500 and keeps its instances and
// the requests under way.
func TestServiceCrashes(t *testing.T) {
	w := newWorld(t)
	s, p := w.service("s"), w.client()
	p.writef(`{"service":"s","request_id":"1"}`)
	id := s.asked(` s/ #"1" null`)
	s.socket.hook(func() { panic("socket") })
	p.writef(`{"service":"s","topic":"x","request_id":"2"}`)
	p.gets(`500 s/x #"2" null`)
	s.socket.hook(nil)
	s.writef(`{"service":"s","request_id":"1","resource_id":%q}`, id)
	p.gets(` s/ #"1" null`)
	p.writef(`{"service":"s","request_id":"3"}`)
	s.asked(` s/ #"3" null`)
	w.wantDead(ActorCrashed, 1)
}

// A request at which the service crashes has been answered, so it takes no place of those that its client may have open.
func TestServiceCrashLeavesNothingOpen(t *testing.T) {
	for _, instances := range []int{1, 2} {
		t.Run(fmt.Sprintf("%d instances", instances), func(t *testing.T) {
			w := newWorld(t)
			w.change(func(s *Settings) { s.PendingRequests = 2 })
			var all []*peer
			for range instances {
				all = append(all, w.service("s"))
			}
			p := w.client()
			p.writef(`{"service":"s","request_id":"0"}`)
			for _, s := range all {
				s.asked(` s/ #"0" null`)
			}
			open := w.deps.Counters.Kept.Load()
			crashing := all[instances-1]
			crashing.socket.hook(func() { panic("socket") })
			for n := range 3 {
				p.writef(`{"service":"s","topic":"x","request_id":"%d"}`, n+1)
				p.gets(fmt.Sprintf(`500 s/x #"%d" null`, n+1))
			}
			w.settleName(all[0], "s")
			if kept := w.deps.Counters.Kept.Load(); kept != open {
				t.Errorf("%d bytes are kept, want %d as before", kept, open)
			}
			crashing.socket.hook(nil)
			// One that an instance got before is not told apart from one that is not known.
			p.writef(`{"service":"s","request_id":"4"}`)
			id := crashing.asked(` s/ #"4" null`)
			crashing.writef(`{"service":"s","request_id":"4","resource_id":%q}`, id)
			p.gets(` s/ #"4" null`)
		})
	}
}

// A frame that is still with one instance keeps its share of the window when the next one panics.
func TestServiceCrashReleasesOnce(t *testing.T) {
	w := newWorld(t)
	s, p := w.service("s"), w.client()
	var held *runtime.Lease
	s.socket.hook(func() { panic("socket") })
	p.window.Acquire(10)
	held = runtime.NewLease(p.window, 10)
	held.Retain() // an egress has it
	route := w.deps.Registry.Lookup("s")
	from := w.deps.newPeer(&Credentials{Role: Client}, p.socket)
	w.deps.send(route.Service.PID(), &ask{envelope: &envelope.Envelope{RequestID: envelope.Raw(`"1"`)}, from: from, Held: runtime.Hold(held)})
	p.gets(`500 / #"1" null`)
	w.settle(route.Service.PID())
	if got := p.window.Used(); got != 10 {
		t.Errorf("%d bytes leased while a frame is out, want 10", got)
	}
	held.Release()
	s.socket.hook(nil)
}

// A topic that crashes keeps its members; the message is lost and its lease is not.
func TestTopicCrashes(t *testing.T) {
	w := newWorld(t)
	s, p := w.service("s"), w.client("s")
	group := w.egress.all()[0]
	crash := true
	group.hook(func() {
		if crash {
			crash = false
			panic("group")
		}
	})
	s.writef(`{"service":"s","payload":1}`)
	s.writef(`{"service":"s","payload":2}`)
	p.gets(` s/ #"" 2`)
	w.wantDead(ActorCrashed, 1)
	w.settleName(s, "s")
	s.leasesReturned(0)
}

func TestRouterCrashes(t *testing.T) {
	w := newWorld(t)
	s, p := w.service("s"), w.client("s")
	w.router.Send(&Offer{}) // an offer of nobody panics
	w.settle(w.router.PID())
	if got := w.deps.Counters.Panics.Load(); got != 1 {
		t.Fatalf("%d panics, want 1", got)
	}
	second := w.client("s")
	s.writef(`{"service":"s","payload":1}`)
	p.gets(` s/ #"" 1`)
	second.gets(` s/ #"" 1`)
}
