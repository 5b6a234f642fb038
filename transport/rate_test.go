package transport

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"strowger/actors/refusals"
	"strowger/transport/frame"
)

// rated is a server with limits, whose clock stands still from now on.
func rated(t *testing.T, change func(*Limits)) (s *server, lines *journal, tick func()) {
	t.Helper()
	s, lines = listenLogged(t, nil, change)
	now := s.ahead()
	return s, lines, func() {
		s.handled()
		now = now.Add(time.Second)
		s.tick(now)
	}
}

// listenLogged returns a server whose log is read.
func listenLogged(t *testing.T, config *tls.Config, change func(*Limits)) (*server, *journal) {
	lines := new(journal)
	s := listen(t, slog.New(slog.NewTextHandler(lines, nil)), config, change)
	s.begin()
	return s, lines
}

// handled returns when all that was read before is handled.
func (s *server) handled() {
	gate := &s.rig.Egress.gate
	gate.Lock()
	gate.Unlock() //nolint:staticcheck // nothing is to be done in between
}

func TestFrameRate(t *testing.T) {
	const limit = 10
	s, lines, tick := rated(t, func(l *Limits) { l.MessageRate = limit })
	p, other, service := s.login("client"), s.login("client"), s.login("service:a")
	tick()
	slowed := func(want int64) {
		t.Helper()
		if n := s.deps.Refusals().Count(refusals.FrameRate); n != want {
			t.Fatalf("slowed down %d times, want %d", n, want)
		}
	}
	for n := range limit {
		p.ping(strconv.Itoa(n))
	}
	tick()
	for n := range limit {
		p.ping(strconv.Itoa(n))
	}
	s.handled()
	slowed(0)
	p.ping("one more")
	eventually(t, "the peer is slowed down", func() bool { return s.deps.Refusals().Count(refusals.FrameRate) == 1 })
	s.handled()
	lines.want(t, `level=WARN msg="connection not read for a second because it sends too many messages" cause=message_rate remote=127\.0\.0\.1:\d+ role=client setting=limits\.message_rate subscriber=\S+ .*limit=10\n`)
	other.ping("alive")
	// Nothing is lost, and all is in order.
	var all bytes.Buffer
	for n := range limit + 1 {
		all.Write(masked(0x80|byte(frame.OpPing), fmt.Appendf(nil, "%d", n)))
	}
	p.write(all.Bytes())
	for n := range limit + 1 {
		if m := p.next(); m.op != frame.OpPong || string(m.payload) != strconv.Itoa(n) {
			t.Fatalf("got %v %q, want the pong of %d", m.op, m.payload, n)
		}
	}
	// Fragments and pongs count as well. Each kind comes in one write, because what trickles in need not be slowed down.
	var pongs, fragments bytes.Buffer
	for range limit + 1 {
		pongs.Write(masked(0x80|byte(frame.OpPong), nil))
	}
	fragments.Write(masked(byte(frame.OpText), []byte("{")))
	for range limit {
		fragments.Write(masked(0, []byte(" ")))
	}
	fragments.Write(masked(0x80, []byte("}")))
	for kind, all := range map[string]*bytes.Buffer{"pongs": &pongs, "fragments": &fragments} {
		tick()
		before := s.deps.Refusals().Count(refusals.FrameRate)
		other.write(all.Bytes())
		other.ping("alive")
		eventually(t, kind+" are slowed down", func() bool { return s.deps.Refusals().Count(refusals.FrameRate) > before })
	}
	before := s.deps.Refusals().Count(refusals.FrameRate)
	for n := range 3 * limit {
		service.ping(strconv.Itoa(n))
	}
	s.handled()
	slowed(before)
}

func TestByteRate(t *testing.T) {
	const limit = 1000
	s, lines, tick := rated(t, func(l *Limits) { l.ByteRate = limit })
	p := s.login("client")
	tick()
	message := masked(0x80|byte(frame.OpBinary), bytes.Repeat([]byte("x"), limit-8)) // 8 bytes of header
	if len(message) != limit {
		t.Fatalf("the frame has %d bytes, want %d", len(message), limit)
	}
	in := func() int64 { return s.Traffic().BytesIn }
	begin := in()
	p.write(message)
	eventually(t, "it is read", func() bool { return in()-begin == limit })
	tick()
	begin = in()
	p.write(message)
	eventually(t, "it is read again", func() bool { return in()-begin == limit })
	s.handled()
	if n := s.deps.Refusals().Count(refusals.ByteRate); n != 0 {
		t.Fatalf("slowed down %d times at the limit", n)
	}
	p.ping("one more")
	eventually(t, "the peer is slowed down", func() bool { return s.deps.Refusals().Count(refusals.ByteRate) == 1 })
	s.handled()
	lines.want(t, `level=WARN msg="connection not read for a second because it sends too many bytes" cause=byte_rate remote=127\.0\.0\.1:\d+ role=client setting=limits\.byte_rate subscriber=\S+ .*limit=1000\n`)
	p.ping("read on")
	// One that leaves while it is not read from is gone in time.
	p.write(message)
	p.write(message)
	_ = p.Close()
	eventually(t, "it is gone", func() bool { return s.Live() == 0 })
}
