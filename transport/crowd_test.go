package transport

import (
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"strowger/actors/refusals"
	"strowger/transport/frame"
)

// TestUnauthenticatedTotal has many peers that nobody knows hold more together than they may. Some are
// closed, the rest is within the bound, and whoever sends a token and waits is let in all the while.
func TestUnauthenticatedTotal(t *testing.T) {
	const total, peers = 64 << 10, 40
	tests := map[string]func(s *server, sending *sync.WaitGroup) *peer{
		"unfinished messages": func(s *server, _ *sync.WaitGroup) *peer {
			p := s.dial()
			p.write(masked(text, make([]byte, 8<<10))[:4<<10])
			return p
		},
		"answers that are not read": func(s *server, sending *sync.WaitGroup) *peer {
			p := s.deaf()
			p.flood(sending, masked(text, []byte(`{"a":1}`)))
			return p
		},
	}
	for name, open := range tests {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, nil, func(l *Limits) {
				l.UnauthenticatedBytes, l.UnauthenticatedTotal, l.InboundMessages = 8<<10, total, 16
			})
			cut := func() int64 { return s.deps.Refusals().Count(refusals.UnauthenticatedBytes) }
			var sending sync.WaitGroup
			var all []*peer
			for range peers {
				all = append(all, open(s, &sending))
			}
			eventually(t, "some are closed", func() bool { return cut() > 0 && s.UnauthenticatedBytes() <= total })
			for i := range 10 {
				s.dial().login("client").ping(fmt.Sprint(i))
			}
			for _, p := range all {
				_ = p.Close()
			}
			sending.Wait()
			eventually(t, "nothing is held any more", func() bool { return s.UnauthenticatedBytes() == 0 && s.WaitingBytes() == 0 })
		})
	}
}

// TestCrowdIsToldWhy: a peer that reads learns that it may come back.
func TestCrowdIsToldWhy(t *testing.T) {
	lines := new(journal)
	s := listen(t, slog.New(slog.NewTextHandler(lines, nil)), nil, func(l *Limits) { l.UnauthenticatedTotal = 0 })
	s.begin()
	p := s.dial()
	p.write(masked(text, make([]byte, 8<<10))[:spared+100])
	p.closed(frame.CloseTryLater)
	lines.want(t, `level=WARN msg="unauthenticated connection closed because all of them hold too much" cause=unauthenticated_bytes remote=127\.0\.0\.1:\d+ role=unauthenticated setting=limits\.unauthenticated_total_bytes .*bytes=\d+ limit=0\n`)
	s.dial().login("client").ping("in")
}

// TestSmallPiecesTakeLittle: a message that is announced and does not come takes no memory.
func TestSmallPiecesTakeLittle(t *testing.T) {
	const peers = 50
	s := newServer(t, nil, nil)
	for range peers {
		p := s.dial()
		p.write(masked(text, make([]byte, 8<<10))[:20]) // the header and a few bytes
	}
	eventually(t, "all have begun", func() bool { return s.UnauthenticatedBytes() >= peers })
	if got := s.UnauthenticatedBytes(); got > peers*64 {
		t.Errorf("%d bytes held for %d peers that have sent 12 each", got, peers)
	}
}
