package actors

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// kept returns how many bytes the open requests take.
func (w *world) kept(name string) int64 {
	w.settle(w.deps.Registry.Lookup(name).Service.PID())
	return w.deps.Counters.Kept.Load()
}

// TestKeptForFailover: of what a client asks, as many bytes are kept for another instance as limits.pending_bytes says. The
// request that would be over it is answered with 503 when its instance dies.
func TestKeptForFailover(t *testing.T) {
	w := newWorld(t)
	body := strings.Repeat("x", 10_000)
	request := func(id int) string {
		return fmt.Sprintf(`{"service":"s","topic":"x","request_id":"%d","payload":%q}`, id, body)
	}
	w.change(func(s *Settings) {
		s.Instances, s.PendingRequests, s.PendingBytes = Failover, 100, int64(3*len(request(1)))
	})
	p, other, first := w.client(), w.client(), w.service("s")
	for id := 1; id <= 4; id++ {
		p.writef("%s", request(id))
		first.asked(fmt.Sprintf(` s/x #"%d" %q`, id, body))
	}
	other.writef("%s", request(5)) // has a bound of its own
	first.asked(fmt.Sprintf(` s/x #"5" %q`, body))
	if n := w.kept("s"); n < int64(4*len(request(1))) || n > int64(5*len(request(1))) {
		t.Errorf("%d bytes kept, want those of four messages", n)
	}
	second := w.service("s")
	first.leave()
	for _, id := range []int{1, 2, 3, 5} {
		second.asked(fmt.Sprintf(` s/x #"%d" %q`, id, body))
	}
	p.gets(`503 s/x #"4" null`)
	w.wantRefusals("pending_bytes", 1)
	// No message of a client that has left stays in memory. Nothing of it stays once the time of its requests is over.
	p.leave()
	other.leave()
	w.ended(p.pid)
	w.ended(other.pid)
	if n := w.kept("s"); n > 4*requestBytes {
		t.Errorf("%d bytes kept for clients that have left", n)
	}
	w.clock.Advance(20 * time.Second)
	w.clock.Advance(3 * time.Second)
	if n := w.kept("s"); n != 0 {
		t.Errorf("%d bytes kept when the time of all requests is over, want none", n)
	}
}

// TestAllKept: all open requests together may take what limits.pending_total_bytes says, and a request beyond is answered
// with 503, unless its client has few. Those who left are forgotten first, and then a reply without a resource_id goes to
// nobody as long as it may be for them.
func TestAllKept(t *testing.T) {
	w := newWorld(t)
	const most = 30
	ask := func(p *peer, id int) { p.writef(`{"service":"s","request_id":"%d"}`, id) }
	w.change(func(s *Settings) { s.PendingRequests, s.RepliesWithoutResource = 100, true })
	service, p, left := w.service("s"), w.client(), w.client()
	for id := range most - sparedRequests {
		ask(left, id)
		service.next()
	}
	left.leave()
	w.ended(left.pid)
	for id := 100; id < 100+sparedRequests; id++ {
		ask(p, id)
		service.next()
	}
	small := w.kept("s")
	w.change(func(s *Settings) { s.PendingTotal = small }) // nothing more
	ask(p, 200)
	service.next() // those who left have made room
	service.writef(`{"service":"s","request_id":"100"}`)
	w.settleName(service, "s")
	w.wantDead(AmbiguousReply, 1)
	w.change(func(s *Settings) { s.PendingTotal = w.kept("s") + requestBytes })
	ask(p, 201)
	service.next() // at the limit
	ask(p, 202)
	p.gets(`503 s/ #"202" null`)
	newcomer := w.client()
	ask(newcomer, 1)
	service.next()
	w.wantDead(TooManyRequests, 1)
	w.wantRefusals("pending_total_bytes", 1)
	w.clock.Advance(20 * time.Second)
	w.clock.Advance(3 * time.Second)
	if n := w.kept("s"); n != 0 {
		t.Errorf("%d bytes kept when the time of all requests is over, want none", n)
	}
}
