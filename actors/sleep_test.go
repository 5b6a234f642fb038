package actors

import (
	"testing"
	"time"
)

// TestSleep: only what is longer than a beat may take is a pause, and a pause is known before the next beat.
func TestSleep(t *testing.T) {
	clock := newFakeClock()
	d := &Deps{Clock: clock}
	begin := clock.Now()
	pass := func(by time.Duration) { clock.set(clock.Now().Add(by)) }
	check := func(when string, awake, slept time.Duration) {
		t.Helper()
		if got := d.Awake().Sub(begin); got != awake {
			t.Errorf("%s: awake for %v, want %v", when, got, awake)
		}
		if got := d.Slept(); got != slept {
			t.Errorf("%s: slept for %v, want %v", when, got, slept)
		}
	}
	pass(time.Hour)
	check("without beats", time.Hour, 0)
	if got := d.Beat(); got != 0 {
		t.Errorf("first beat: slept for %v, want nothing", got)
	}
	pass(stretch)
	check("a late beat", time.Hour+stretch, 0)
	d.Beat()
	pass(10 * time.Minute)
	check("before the beat after a pause", time.Hour+2*stretch, 10*time.Minute-stretch)
	if got := d.Beat(); got != 10*time.Minute-stretch {
		t.Errorf("beat after a pause: slept for %v, want %v", got, 10*time.Minute-stretch)
	}
	check("after the beat", time.Hour+2*stretch, 10*time.Minute-stretch)
	pass(time.Second)
	if got := d.Beat(); got != 0 {
		t.Errorf("next beat: slept for %v, want nothing", got)
	}
	check("later", time.Hour+2*stretch+time.Second, 10*time.Minute-stretch)
}

// runs lets the time pass as it does for a process that runs.
func (w *world) runs(d time.Duration) {
	for ; d > 0; d -= time.Second {
		w.deps.Beat()
		w.clock.advance(min(d, time.Second))
	}
	w.deps.Beat()
}

// TestPauseDuringAuthentication: the time in which the process does not run is not the peer's.
func TestPauseDuringAuthentication(t *testing.T) {
	w := newWorld(t)
	w.deps.Beat()
	p := w.connect()
	p.gets(hello)
	w.settle(p.pid) // it has set its timer
	w.clock.advance(10 * time.Minute)
	w.settle(p.pid)
	p.open()
	w.runs(30*time.Second - stretch - time.Second)
	w.settle(p.pid)
	p.open()
	w.runs(time.Second)
	p.closedWith(AuthTimeout)
}

// TestPauseDuringRequest: a reply that came in time is delivered, though it was read late.
func TestPauseDuringRequest(t *testing.T) {
	w := newWorld(t)
	w.deps.Beat()
	s, c := w.service("s"), w.client()
	c.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	id := s.asked(` s/x #"1" null`)
	w.clock.advance(10 * time.Minute)
	s.writef(`{"service_name":"s","topic":"x","request_id":"1","resource_id":%q}`, id)
	c.next()
	w.wantDead(LateReply, 0)
}
