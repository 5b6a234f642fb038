package transport

import (
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"testing"

	"strowger/transport/frame"
)

// Every byte and frame after the handshake is counted once, by pollers and with TLS.
func TestTrafficIsCounted(t *testing.T) {
	pair, _, _ := loadPair(t)
	for name, config := range map[string]*tls.Config{"plain": nil, "TLS": pair.Config()} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, config, nil)
			var p *peer
			if config == nil {
				p = s.dial()
			} else {
				p = s.dialTLS(trusting)
			}
			eventually(t, "the greeting is counted", func() bool { return s.WaitingBytes() == 0 })
			s.settle()
			before := s.Traffic()
			const pings = 5
			sent, got := 0, 0
			for i := range pings {
				payload := fmt.Appendf(nil, "%d", i)
				f := masked(0x80|byte(frame.OpPing), payload)
				p.write(f)
				sent += len(f)
				m, err := p.read()
				if err != nil || m.op != frame.OpPong {
					t.Fatalf("got %v, err %v; want a pong", m, err)
				}
				got += 2 + len(m.payload)
			}
			eventually(t, "all is counted", func() bool {
				now := s.Traffic()
				return now.BytesIn-before.BytesIn == int64(sent) && now.FramesIn-before.FramesIn == pings &&
					now.BytesOut-before.BytesOut == int64(got) && now.FramesOut-before.FramesOut == pings
			})
		})
	}
}

// ends returns how many connections have ended in one way.
func (s *server) ends(code string, byPeer bool) (n int64) {
	for _, e := range s.Traffic().Ends {
		if e.Code == code && e.ByPeer == byPeer {
			n += e.Count
		}
	}
	return n
}

func TestEndsAreCounted(t *testing.T) {
	closeWith := func(code uint16) []byte {
		return masked(0x80|byte(frame.OpClose), binary.BigEndian.AppendUint16(nil, code))
	}
	for name, test := range map[string]struct {
		end    func(s *server, p *peer)
		code   string
		byPeer bool
	}{
		"the page is left":       {func(_ *server, p *peer) { p.write(closeWith(1001)) }, "1001", true},
		"no code":                {func(_ *server, p *peer) { p.write(masked(0x80|byte(frame.OpClose), nil)) }, "1005", true},
		"a code of its own":      {func(_ *server, p *peer) { p.write(closeWith(4321)) }, "other", true},
		"gone without a word":    {func(_ *server, p *peer) { _ = p.Close() }, "1006", true},
		"a breach of protocol":   {func(_ *server, p *peer) { p.write([]byte{0xFF, 0x80, 0, 0, 0, 0}) }, "1002", false},
		"the router stops":       {func(s *server, _ *peer) { s.CloseAll() }, "1001", false},
		"the router cuts it off": {func(s *server, _ *peer) { s.AbortAll() }, "1006", false},
		"too many tokens": {func(_ *server, p *peer) {
			for range 3 {
				p.present("unknown")
			}
		}, "4003", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, nil, nil)
			p := s.dial()
			test.end(s, p)
			eventually(t, "the end is counted", func() bool { return s.ends(test.code, test.byPeer) == 1 })
			total := int64(0)
			for _, e := range s.Traffic().Ends {
				total += e.Count
			}
			if total != 1 {
				t.Errorf("%d ends of one connection: %+v", total, s.Traffic().Ends)
			}
			_ = p.Close()
			eventually(t, "it is gone", func() bool { return s.Live() == 0 })
			if n := s.ends(test.code, test.byPeer); n != 1 {
				t.Errorf("counted %d times", n)
			}
		})
	}
}

func TestHandshakesAreMeasured(t *testing.T) {
	s := newServer(t, nil, nil)
	s.dial()
	s.dial()
	if n := s.deps.Counters.Handshakes.Read().Count(); n != 2 {
		t.Errorf("%d handshakes measured, want 2", n)
	}
	p := s.connect()
	p.write([]byte("POST / HTTP/1.1\r\n\r\n"))
	_, _ = p.br.ReadString('\n')
	if n := s.deps.Counters.Handshakes.Read().Count(); n != 2 {
		t.Errorf("%d handshakes measured after one that was refused, want 2", n)
	}
}
