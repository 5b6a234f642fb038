package actors

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/logline"
)

// crashing is a world whose log is kept short as the daemon's is. It has errors only.
func crashing(t *testing.T) (*world, *log) {
	lines := new(log)
	w := newWorld(t, func(d *Deps) {
		h := logline.New(slog.NewTextHandler(lines, &slog.HandlerOptions{Level: slog.LevelError}), d.Clock)
		t.Cleanup(h.Close)
		d.Log = slog.New(h)
	})
	return w, lines
}

// mostOfCrashes is how many bytes of log the crashes of a test may make within a minute.
const mostOfCrashes = 64 << 10

// wantCrashes fails unless n panics make a line at once for each kind of them, and one after a minute that counts
// the others.
func wantCrashes(t *testing.T, w *world, lines *log, n int64, reasons ...string) {
	t.Helper()
	if got := w.deps.Counters.Panics.Load(); got != n {
		t.Errorf("%d panics, want %d", got, n)
	}
	at := lines.String()
	if len(at) > mostOfCrashes {
		t.Errorf("%d panics make %d bytes of log", n, len(at))
	}
	if got := strings.Count(at, "\n"); got != len(reasons) {
		t.Errorf("%d lines, want %d:\n%s", got, len(reasons), at)
	}
	for _, reason := range reasons {
		if !strings.Contains(at, `reason="`+reason) || strings.Count(at, "stack=") != len(reasons) {
			t.Errorf("no line with the stack of %q:\n%s", reason, at)
		}
	}
	w.clock.Advance(time.Minute)
	after := strings.TrimPrefix(lines.String(), at)
	suppressed := 0
	for line := range strings.Lines(after) {
		var n int
		if _, text, ok := strings.Cut(line, "suppressed="); ok {
			fmt.Sscan(text, &n) //nolint:errcheck // then it is 0
		}
		suppressed += n + 1
	}
	if suppressed+len(reasons) != int(n) || len(after) > mostOfCrashes {
		t.Errorf("the lines count %d panics, want %d:\n%s", suppressed+len(reasons), n, after)
	}
}

// A topic that panics at every message makes a line, not one for each message. What else goes wrong in it shows.
func TestLogOfATopicThatCrashes(t *testing.T) {
	w, lines := crashing(t)
	s, _ := w.service("s"), w.client("s")
	n := 0
	other := func() { panic("another bug") }
	w.egress.all()[0].hook(func() {
		if n++; n%1000 == 0 {
			other()
		}
		panic(fmt.Sprintf("broken %d times", n))
	})
	for range 10_000 {
		s.writef(`{"service":"s","payload":1}`)
	}
	w.settleName(s, "s")
	wantCrashes(t, w, lines, 10_000, "broken 1 times", "another bug")
	w.egress.all()[0].hook(nil)
}

func TestLogOfAServiceThatCrashes(t *testing.T) {
	w, lines := crashing(t)
	w.change(func(s *Settings) { s.PendingRequests = 20_000 })
	s, p := w.service("s"), w.client()
	s.socket.hook(func() { panic("socket of a service") })
	for i := range 10_000 {
		p.writef(`{"service":"s","request_id":%d}`, i)
		p.gets(fmt.Sprintf(`500 s/ #%d null`, i))
	}
	w.settleName(p, "s")
	wantCrashes(t, w, lines, 10_000, "socket of a service")
	s.socket.hook(nil)
}

func TestLogOfConnectionsThatCrash(t *testing.T) {
	w, lines := crashing(t)
	const many = 300
	for range many {
		p := w.client()
		p.socket.hook(func() { panic("socket of a client") })
		p.writef(`{"service":"","request_id":"1"}`) // its 400 panics
		p.closedWith(Crashed)
		w.ended(p.pid)
		p.socket.hook(nil)
	}
	wantCrashes(t, w, lines, many, "socket of a client")
}

func TestLogOfSubscribersThatCrash(t *testing.T) {
	w, lines := crashing(t)
	const many = 300
	for range many {
		p := w.client("s")
		pid := w.subscriber(p)
		w.look(pid, func(a actor.Actor) { a.(*subscriber).router = RouterRef{} })
		w.deps.send(pid, &tokenExpired{})
		p.closedWith(Crashed)
		w.ended(pid)
	}
	// It panics at the message, and when it leaves.
	wantCrashes(t, w, lines, 2*many, "runtime error", "runtime error")
}
