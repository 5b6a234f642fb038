package transport

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"testing"

	"strowger/actors"
	"strowger/actors/refusals"
	"strowger/transport/frame"
)

// lengthOf returns how many bytes a broadcast has that a peer gets.
func (p *peer) lengthOf(t *testing.T) int64 {
	t.Helper()
	m := p.next()
	if m.op != frame.OpText {
		t.Fatalf("opcode %d, want text", m.op)
	}
	return int64(len(m.payload))
}

// TestTotalCountsStreams: what waits for a stream of events counts for limits.outbound_total_bytes. The stream stays at the
// limit, and ends one byte beyond it.
func TestTotalCountsStreams(t *testing.T) {
	long := broadcast("s", filler(8<<20))
	for name, c := range map[string]struct {
		beyond int64
		cut    bool
	}{"at the limit": {0, false}, "one more": {1, true}} {
		t.Run(name, func(t *testing.T) {
			lines := new(journal)
			s := listen(t, slog.New(slog.NewTextHandler(lines, nil)), nil, withHTTP)
			s.begin()
			service, page := s.login("service:s"), s.login("client:s")
			service.text(long)
			length := page.lengthOf(t)
			eventually(t, "nothing waits", func() bool { return s.QueuedBytes() == 0 })
			changed := *s.limits.Load()
			changed.OutboundTotal = length - c.beyond
			s.limits.Store(&changed)
			e := s.backend(t).listen("client:s")
			page.ping("alive")
			_ = page.Close()
			eventually(t, "the page is gone", func() bool { return s.Traffic().Ends != nil && s.Clients() == 1 })
			service.text(long)
			if !c.cut {
				eventually(t, "it waits", func() bool { return s.QueuedBytes() == length })
				if kind, data := e.next(); kind != "" || int64(len(data)) != length {
					t.Errorf("the stream got %q with %d bytes, want %d", kind, len(data), length)
				}
			}
			if c.cut {
				eventually(t, "it is cut off", func() bool { return s.deps.Refusals().Count(refusals.OutboundTotal) > 0 })
			}
			eventually(t, "nothing waits", func() bool { return s.QueuedBytes() == 0 })
			if got := s.deps.Refusals().Count(refusals.OutboundTotal); (got == 1) != c.cut || got > 1 {
				t.Errorf("%d were cut off, want that it is cut off: %t", got, c.cut)
			}
			if c.cut {
				lines.want(t, `level=WARN msg="slowest consumer disconnected because too much waits for all of them" cause=outbound_total remote=127\.0\.0\.1:\d+ role=client setting=limits\.outbound_total_bytes subscriber=\S+ .*bytes=\d+ limit=\d+\n`)
			}
		})
	}
}

// TestSlowestStreamGoesFirst: of streams, callers and sockets the one goes that is slowest, and the others stay.
func TestSlowestStreamGoesFirst(t *testing.T) {
	s := newWebServer(t, func(l *Limits) { l.OutboundMessages, l.OutboundBytes, l.ServiceInboundMessages = 100_000, 1<<30, 1 })
	service, page := s.login("service:s"), s.login("client:s")
	b := s.backend(t)
	deaf := b.listen("client:s")
	const pieces, size = 64, 1 << 20
	changed := *s.limits.Load()
	changed.OutboundTotal = pieces / 2 * size
	s.limits.Store(&changed)
	reader := b.listen("client:s")
	for n := range pieces {
		service.text(broadcast("s", `"`+strconv.Itoa(n)+strings.Repeat("x", size)+`"`))
		page.lengthOf(t)
		if kind, data := reader.next(); kind != "" || !strings.Contains(data, `"`+strconv.Itoa(n)+"x") {
			t.Fatalf("the reader got %q %.200s, want broadcast %d", kind, data, n)
		}
	}
	eventually(t, "the slow stream is cut off", func() bool { return s.deps.Refusals().Count(refusals.OutboundTotal) == 1 })
	eventually(t, "nothing waits", func() bool { return s.QueuedBytes() == 0 })
	service.text(broadcast("s", 1))
	reader.next()
	page.lengthOf(t)
	_ = deaf.body.Close()
}

// TestTotalCountsCallers: the answers to an HTTP request count while they wait for others, and while they are written.
func TestTotalCountsCallers(t *testing.T) {
	s := newWebServer(t, func(l *Limits) { l.OutboundBytes = 64 << 20 })
	service := s.login("service:s")
	b := s.backend(t)
	got := make(chan result, 1)
	go func() {
		got <- b.post("/request", "client:s", `[{"service":"s","topic":"a"},{"service":"s","topic":"b"}]`)
	}()
	first, second := service.envelope(), service.envelope()
	answer := func(to reading, payload string) {
		service.text(`{"service_name":"s","topic":"a","request_id":"` + to.RequestID.(string) + `","resource_id":"` + to.ResourceID + `","payload":` + payload + `}`)
	}
	answer(first, filler(4<<20))
	eventually(t, "the first answer waits", func() bool { return s.QueuedBytes() > 4<<20 })
	answer(second, "1")
	if r := <-got; r.status != 200 || len(r.body) < 4<<20 {
		t.Errorf("status %d with %d bytes", r.status, len(r.body))
	}
	eventually(t, "nothing waits", func() bool { return s.QueuedBytes() == 0 })
}

// TestTotalCountsBodies: what has come of the body of a request counts until it is answered.
func TestTotalCountsBodies(t *testing.T) {
	s := newWebServer(t, nil)
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const head, half = `{"service":"s","topic":"a","payload":"`, 50_000
	fmt.Fprintf(conn, "POST /request HTTP/1.1\r\nHost: %s\r\nAuthorization: Basic %s\r\nContent-Length: %d\r\n\r\n%s",
		s.Addr(), base64.StdEncoding.EncodeToString([]byte("client:hash")), len(head)+2*half, head+strings.Repeat("x", half))
	eventually(t, "half of it waits", func() bool { return s.QueuedBytes() == int64(len(head)+half) })
	changed := *s.limits.Load()
	changed.OutboundTotal = int64(len(head) + half)
	s.limits.Store(&changed)
	fmt.Fprint(conn, "x")
	eventually(t, "it is cut off", func() bool { return s.deps.Refusals().Count(refusals.OutboundTotal) == 1 })
	eventually(t, "nothing waits", func() bool { return s.QueuedBytes() == 0 && s.Live() == 0 })
}

// TestTotalCountsCompressed: the compressed form of a broadcast counts once, and so does the plain one, however many wait for
// each.
func TestTotalCountsCompressed(t *testing.T) {
	r := newRig(t, nil)
	g := r.NewGroup()
	var all []*link
	for n := range 4 {
		l := r.linkTo(t, r.shards[0])
		all = append(all, l)
		l.look(func() bool { l.packs = n == 0; return true })
		if err := g.Add(l.socket); err != nil {
			t.Fatal(err)
		}
	}
	r.nothingWaits()
	plain, packed := framed(strings.Repeat("x", 3<<20)), framed(strings.Repeat("y", 1<<20))
	m := plain
	m.Packed = actors.NewPacked(func() []byte { return packed.Form })
	want := int64(len(plain.Form) + len(packed.Form))
	g.Send(m, nil)
	r.settle()
	if got := r.QueuedBytes(); got < want-4 || got > want {
		t.Errorf("%d bytes wait, want %d", got, want)
	}
	g.Remove(all[0].socket)
	r.settle()
	g.Send(m, nil)
	r.settle()
	want += int64(len(plain.Form))
	if got := r.QueuedBytes(); got < want-8 || got > want {
		t.Errorf("%d bytes wait, want %d", got, want)
	}
	all[0].expect(t, strings.Repeat("y", 1<<20))
	for _, l := range all[1:] {
		l.expect(t, strings.Repeat("x", 3<<20))
		l.expect(t, strings.Repeat("x", 3<<20))
	}
	r.nothingWaits()
}
