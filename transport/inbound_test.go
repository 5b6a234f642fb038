package transport

import (
	"log/slog"
	"strings"
	"sync"
	"testing"

	"strowger/actors"
	"strowger/actors/refusals"
	"strowger/transport/frame"
)

// TestInboundTotal: clients may have as many bytes under way as limits.inbound_total_bytes says, and not one more.
func TestInboundTotal(t *testing.T) {
	severalShards(t) // the test holds the service's shard, so the client needs another one
	request := `{"service":"a","topic":"t","request_id":"r","payload":` + filler(100_000) + `}`
	for name, c := range map[string]struct {
		limit int
		cut   bool
	}{"at the limit": {len(request), false}, "one more": {len(request) - 1, true}, "no limit": {0, false}} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, nil, func(l *Limits) { l.InboundTotal = int64(c.limit) })
			service, p := s.login("service:a"), s.login("client")
			unblock := s.holdServices()
			p.text(request)
			if c.cut {
				eventually(t, "the client is cut off", func() bool { return s.deps.Refusals().Count(refusals.InboundTotal) == 1 })
				unblock()
				if _, err := p.read(); err == nil {
					t.Error("one that is cut off gets more")
				}
			} else {
				eventually(t, "it is under way", func() bool { return s.InboundBytes() == int64(len(request)) })
				s.handled()
				unblock()
				if e := service.envelope(); e.RequestID != "r" {
					t.Errorf("the service got %+v", e)
				}
				s.settle()
				if n := s.deps.Refusals().Count(refusals.InboundTotal); n != 0 {
					t.Errorf("%d cut off at the limit", n)
				}
				p.ping("alive")
			}
			eventually(t, "nothing is under way", func() bool { return s.InboundBytes() == 0 })
		})
	}
}

// holdServices returns once the shards that write to services wait, until the function is called that it returns.
func (s *server) holdServices() (release func()) {
	opened := make(chan struct{})
	for _, sh := range s.shards {
		waits := make(chan struct{})
		sh.during(func() {
			close(waits)
			for socket := range sh.sockets {
				if socket.mayDoNow() == actors.Service {
					<-opened
					return
				}
			}
		})
		<-waits
	}
	release = sync.OnceFunc(func() { close(opened) })
	s.t.Cleanup(release)
	return release
}

// begins has a peer send a message of so many bytes but for its last two, and returns what sends these. What was sent is read
// by then.
func (s *server) begins(p *peer, bytes int) (end func()) {
	p.t.Helper()
	text := `{"service":"nobody","topic":"t","request_id":"r","payload":"`
	text += strings.Repeat("x", bytes-len(text)-2) + `"}`
	whole := masked(0x80|byte(frame.OpText), []byte(text))
	before := s.Traffic().BytesIn
	p.write(whole[:len(whole)-2])
	eventually(p.t, "it is read", func() bool { return s.Traffic().BytesIn-before == int64(len(whole)-2) })
	s.handled()
	return func() { p.write(whole[len(whole)-2:]) }
}

// TestHeaviestGoFirst: when clients hold too much, the one goes that holds most, and those that hold less stay. A service
// stays whatever it holds.
func TestHeaviestGoFirst(t *testing.T) {
	lines := new(journal)
	s := listen(t, slog.New(slog.NewTextHandler(lines, nil)), nil, nil)
	s.begin()
	settings := *s.deps.Settings.Load()
	settings.UnknownService = 503
	s.deps.Settings.Store(&settings)
	service, heavy, light, other := s.login("service:a"), s.login("client"), s.login("client"), s.login("client")
	_ = s.begins(service, 8<<20)
	_ = s.begins(heavy, 800<<10)
	end := s.begins(light, 50<<10)
	if held := s.InboundBytes(); held < 850<<10-4 {
		t.Fatalf("%d bytes are held, want all of two messages but their ends", held)
	}
	changed := *s.limits.Load()
	changed.InboundTotal = s.InboundBytes()
	s.limits.Store(&changed)
	s.settle()
	if n := s.deps.Refusals().Count(refusals.InboundTotal); n != 0 {
		t.Fatalf("%d are cut off before the limit", n)
	}
	endOther := s.begins(other, 200<<10)
	if _, err := heavy.read(); err == nil {
		t.Error("the heaviest is not cut off")
	}
	for n, p := range []*peer{light, other} {
		[]func(){end, endOther}[n]()
		p.status(503)
	}
	s.handled()
	lines.want(t, `level=WARN msg="client disconnected because all of them have sent too much that is under way, and it most" cause=inbound_total remote=127\.0\.0\.1:\d+ role=client setting=limits\.inbound_total_bytes subscriber=\S+ .*bytes=\d+ limit=\d+\n`)
	eventually(t, "nothing is held", func() bool { return s.InboundBytes() == 0 })
	if n := s.deps.Refusals().Count(refusals.InboundTotal); n != 1 || s.Live() != 3 {
		t.Errorf("%d are cut off and %d connected, want 1 and 3", n, s.Live())
	}
}
