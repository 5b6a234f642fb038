package actors

import (
	"testing"
	"time"
)

// late is how late a beat may be and the process still counts as running.
const late = 2 * time.Second

// runs lets the time pass as it does for a process that runs.
func (w *world) runs(d time.Duration) {
	for ; d > 0; d -= time.Second {
		w.deps.Beat()
		w.clock.Advance(min(d, time.Second))
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
	w.clock.Advance(10 * time.Minute)
	w.settle(p.pid)
	p.open()
	w.runs(30*time.Second - late - time.Second)
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
	w.clock.Advance(10 * time.Minute)
	s.writef(`{"service_name":"s","topic":"x","request_id":"1","resource_id":%q}`, id)
	c.next()
	w.wantDead(LateReply, 0)
}
