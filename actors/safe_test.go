package actors

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/envelope"
)

// fragile panics at the messages it is told to and reports all others.
type fragile struct {
	panicsAt []string // types of messages, each once
	seen     chan string
	cleaned  chan struct{}
}

type bomb struct{ lease *Lease }

func (m *bomb) release() { m.lease.Release() }

func (f *fragile) Receive(ctx actor.Context) {
	kind := fmt.Sprintf("%T", ctx.Message())
	if i := slices.Index(f.panicsAt, kind); i >= 0 {
		f.panicsAt = slices.Delete(f.panicsAt, i, i+1)
		panic("boom at " + kind)
	}
	f.seen <- kind
}

func (f *fragile) Crashed() { f.cleaned <- struct{}{} }

func (f *fragile) saw(t *testing.T, want ...string) {
	t.Helper()
	for _, want := range want {
		if got := <-f.seen; got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
}

func newFragile(d *Deps, strategy actor.SupervisorStrategy, panicsAt ...string) (*fragile, *actor.PID) {
	f := &fragile{panicsAt: panicsAt, seen: make(chan string, 100), cleaned: make(chan struct{}, 9)}
	return f, d.spawn(Props(d, "fragile", func() actor.Actor { return f }, actor.WithGuardian(strategy)), "fragile")
}

func TestPanicInUserMessage(t *testing.T) {
	bombs := func(d *Deps, pid *actor.PID, w *Window, n int) {
		for range n {
			w.Acquire(10)
			d.send(pid, &bomb{NewLease(w, 10)})
		}
	}
	t.Run("restarted", func(t *testing.T) {
		d, w := newDeps(t), window(1<<20)
		f, pid := newFragile(d, d.Permanent, "*actors.bomb")
		f.saw(t, "*actor.Started")
		bombs(d, pid, w, 2)
		f.saw(t, "*actor.Restarting", "*actor.Started", "*actors.bomb")
		await(t, "crashed", f.cleaned)
		if got := w.used.Load(); got != 10 {
			t.Errorf("%d bytes leased, want those of the second message only", got)
		}
		wantCrash(t, d, 1)
		d.System.Root.Stop(pid)
		ended(t, d, pid)
	})
	t.Run("stopped", func(t *testing.T) {
		d, w := newDeps(t), window(1<<20)
		f, pid := newFragile(d, d.Temporary, "*actors.bomb")
		f.saw(t, "*actor.Started")
		bombs(d, pid, w, 5)
		f.saw(t, "*actor.Stopping", "*actor.Stopped")
		await(t, "crashed", f.cleaned)
		ended(t, d, pid)
		returned(t, "sender", w)
		wantCrash(t, d, 1)
		if got := d.Counters.DeadLetters()[ActorStopped]; got != 4 {
			t.Errorf("%d messages buried, want the 4 behind the crash", got)
		}
	})
}

func wantCrash(t *testing.T, d *Deps, want int64) {
	t.Helper()
	if got := d.Counters.Panics.Load(); got != want {
		t.Errorf("%d panics counted, want %d", got, want)
	}
	if got := d.Counters.DeadLetters()[ActorCrashed]; got != want {
		t.Errorf("%d dead letters for a crash, want %d", got, want)
	}
}

// The library would leave an actor that panics here half alive and its parent waiting.
func TestPanicAtTheEnd(t *testing.T) {
	for _, at := range []string{"*actor.Stopping", "*actor.Stopped"} {
		t.Run(at, func(t *testing.T) {
			d := newDeps(t)
			f, pid := newFragile(d, d.Permanent, at)
			f.saw(t, "*actor.Started")
			d.System.Root.Stop(pid)
			await(t, "crashed", f.cleaned)
			ended(t, d, pid)
			if got := d.Counters.Panics.Load(); got != 1 {
				t.Errorf("%d panics counted, want 1", got)
			}
		})
	}
	t.Run("*actor.Restarting", func(t *testing.T) {
		d := newDeps(t)
		f, pid := newFragile(d, d.Permanent, "*actors.bomb", "*actor.Restarting")
		f.saw(t, "*actor.Started")
		d.send(pid, &bomb{})
		f.saw(t, "*actor.Started")
		d.send(pid, &sweep{})
		f.saw(t, "*actors.sweep")
		if got := d.Counters.Panics.Load(); got != 2 {
			t.Errorf("%d panics counted, want 2", got)
		}
		d.System.Root.Stop(pid)
		ended(t, d, pid)
	})
}

func TestPanicIsLoggedWithItsStack(t *testing.T) {
	var log bytes.Buffer
	d := newDeps(t)
	d.Log = slog.New(slog.NewTextHandler(&log, nil))
	d.Supervise()
	f, pid := newFragile(d, d.Temporary, "*actors.bomb")
	f.saw(t, "*actor.Started")
	d.send(pid, &bomb{})
	ended(t, d, pid)
	for _, want := range []string{"boom at *actors.bomb", "kind=fragile", "safe_test.go", "message=*actors.bomb"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, log.String())
		}
	}
}

func TestUnknownMessages(t *testing.T) {
	w := newWorld(t)
	p := w.client("s")
	route := w.deps.Registry.Lookup("s")
	w.stray = 5
	for _, pid := range []*actor.PID{p.pid, w.subscriber(p), w.router, route.Service, route.Topic} {
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
	w.settle(w.router)
	s.writef(`{"service":"s","payload":1}`)
	other.gets(` s/ #"" 1`)
	w.wantDead(ActorCrashed, 1)
}

func TestSubscriberCrashes(t *testing.T) {
	w := newWorld(t)
	p := w.client("s")
	pid := w.subscriber(p)
	w.look(pid, func(a actor.Actor) { a.(*subscriber).router = nil })
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

// A frame that is still with one instance keeps its share of the window when the next one panics.
func TestServiceCrashReleasesOnce(t *testing.T) {
	w := newWorld(t)
	s, p := w.service("s"), w.client()
	var held *Lease
	s.socket.hook(func() { panic("socket") })
	p.window.Acquire(10)
	held = NewLease(p.window, 10)
	held.Retain() // an egress has it
	route := w.deps.Registry.Lookup("s")
	from := w.deps.newPeer(&Credentials{Role: Client}, p.socket)
	w.deps.send(route.Service, &ask{envelope: &envelope.Envelope{RequestID: envelope.Raw(`"1"`)}, from: from, lease: held})
	p.gets(`500 / #"1" null`)
	w.settle(route.Service)
	if got := p.window.used.Load(); got != 10 {
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
	w.deps.send(w.router, (*Subscribe)(nil))
	w.settle(w.router)
	if got := w.deps.Counters.Panics.Load(); got != 1 {
		t.Fatalf("%d panics, want 1", got)
	}
	second := w.client("s")
	s.writef(`{"service":"s","payload":1}`)
	p.gets(` s/ #"" 1`)
	second.gets(` s/ #"" 1`)
}
