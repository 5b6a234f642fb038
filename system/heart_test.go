package system

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"strowger/actors"
	"strowger/actors/clock/clocktest"
	"strowger/actors/runtime"
)

// inmate is a part of a heart under test.
type inmate struct {
	asked   int
	answer  func() // to the question that is open; nil: there is none
	deaf    bool
	turns   uint64
	working bool
}

func (p *inmate) ask(answered func()) {
	p.asked++
	if p.answer = answered; !p.deaf {
		p.answer()
	}
}

func (p *inmate) look() (uint64, bool) { return p.turns, !p.working }

// ward is a heart with two parts, one that is asked and one that is looked at.
type ward struct {
	t            *testing.T
	hands        *clocktest.Clock
	heart        *heart
	log          bytes.Buffer
	asked, loops inmate
}

func newWard(t *testing.T) *ward {
	w := &ward{t: t, hands: clocktest.New()}
	w.heart = &heart{clock: w.hands, log: slog.New(slog.NewTextHandler(&w.log, nil)), silences: make(map[string]int64),
		times: func() (interval, limit time.Duration) { return 2 * time.Second, 5 * time.Second },
		crowd: func(func(*kind, func() string, runtime.Pulse)) {},
		fixed: []*part{{kind: routerKind, name: "asked", ask: w.asked.ask}, {kind: loopKinds["poller"], name: "looked at", look: w.loops.look}}}
	w.heart.begin()
	return w
}

// pass lets time pass in steps that are not longer than those between two beats.
func (w *ward) pass(d time.Duration) {
	for ; d > 0; d -= time.Second / 2 {
		w.hands.Advance(min(d, time.Second/2))
	}
}

func (w *ward) silent(want ...string) {
	w.t.Helper()
	var got []string
	for _, s := range w.heart.silence() {
		got = append(got, fmt.Sprint(s.Part, " ", s.For))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Errorf("silent: %q, want %q", got, want)
	}
}

// A part is silent when it has not answered for the limit, not before, and only until it answers. It is asked once.
func TestHeartAsks(t *testing.T) {
	w := newWard(t)
	w.pass(2 * time.Second)
	if w.asked.asked != 2 {
		t.Fatalf("asked %d times", w.asked.asked)
	}
	w.asked.deaf = true
	w.pass(2 * time.Second) // from here on it is open
	w.pass(5*time.Second - 1)
	w.silent()
	w.hands.Advance(1)
	w.silent("asked 5s")
	w.pass(time.Minute)
	w.silent("asked 1m5s")
	if w.asked.asked != 3 {
		t.Errorf("asked %d times, want 3", w.asked.asked)
	}
	if n := w.hands.Timers(); n != 1 {
		t.Errorf("%d timers", n)
	}
	w.asked.deaf = false
	w.asked.answer()
	w.pass(2 * time.Second)
	w.silent()
	log := w.log.String()
	if strings.Count(log, "does not answer") != 1 || strings.Count(log, "answers again") != 1 || !strings.Contains(log, "no peer is let in") || !strings.Contains(log, "kill -QUIT") {
		t.Errorf("log: %s", log)
	}
	if s := w.heart.stats(); s.Silences["router"] != 1 || s.Silent["router"] != 0 || len(s.Silent) != len(kinds) || len(s.Silences) != len(kinds) {
		t.Errorf("counted: %+v", s)
	}
}

// A loop that works and does not go on is silent.
func TestHeartLooks(t *testing.T) {
	w := newWard(t)
	w.loops.working = true
	for range 20 { // busy is not hung
		w.loops.turns++
		w.pass(4 * time.Second)
	}
	w.silent()
	w.pass(4 * time.Second)
	w.silent("looked at 6s")
	w.loops.turns++
	w.pass(2 * time.Second)
	w.silent()
	w.pass(3 * time.Second)
	w.silent()
	w.loops.working = false
	w.pass(time.Minute)
	w.silent()
}

// Time in which the process did not run, or in which the parts were held, is not theirs.
func TestHeartForgives(t *testing.T) {
	w := newWard(t)
	w.asked.deaf, w.loops.working = true, true
	w.pass(3 * time.Second)
	w.hands.Advance(time.Hour)
	w.silent()
	wake := w.heart.rest()
	w.pass(time.Minute)
	w.silent()
	wake()
	w.pass(5 * time.Second)
	if n := len(w.heart.silence()); n != 2 {
		t.Errorf("%d parts are silent after they were held", n)
	}
}

// A heart that hangs itself, as where the log's handler does, is found out.
func TestHeartHangs(t *testing.T) {
	w := newWard(t)
	w.heart.beating.Lock()
	go w.hands.Advance(2 * time.Second) // its beat waits
	eventually(t, "the beat is due", func() bool { return w.hands.Timers() == 0 })
	w.hands.Set(w.hands.Now().Add(5*time.Second - 1))
	w.silent()
	w.hands.Set(w.hands.Now().Add(1))
	w.silent("heart 7s")
	w.heart.beating.Unlock()
	eventually(t, "it beats again", func() bool { return w.heart.silence() == nil && w.hands.Timers() == 1 })
	w.heart.end()
	if n := w.hands.Timers(); n != 0 {
		t.Errorf("%d timers after its end", n)
	}
	w.silent()
}

// await waits for something that must happen.
func await(t *testing.T, what string, happened <-chan struct{}) {
	t.Helper()
	select {
	case <-happened:
	case <-time.After(patience):
		t.Fatalf("%s: still not after %v", what, patience)
	}
}

// Of the parts that come and go, those that hang are kept, and no others.
func TestHeartForgets(t *testing.T) {
	cfg := testConfig(t)
	cfg.Heartbeat.Interval = 100 * time.Millisecond
	s := start(t, cfg)
	h := s.heart.Load()
	kept := func() int {
		h.beating.Lock()
		defer h.beating.Unlock()
		return len(h.met)
	}
	join(t, s, remote("a", "a_service"))
	blocked, release := make(chan struct{}), make(chan struct{})
	s.deps.Registry.Lookup("a").DescribeService(func(*actors.ServiceState) { close(blocked); <-release })
	await(t, "the name is blocked", blocked)
	eventually(t, "the name is asked", func() bool { return kept() == 1 })
	close(release)
	eventually(t, "it is forgotten", func() bool { return kept() == 0 })
	if got := h.silence(); got != nil {
		t.Errorf("silent: %v", got)
	}
	var none *heart
	none.end()
	none.rest()()
	if got := none.silence(); got != nil || len(none.stats().Silent) != len(kinds) {
		t.Errorf("no heart: %v", got)
	}
	if s := new(System).source(); s.Lost() != nil || s.Notes() != nil {
		t.Error("a system that was not made has parts")
	}
}
