package transport

import (
	"crypto/tls"
	"io"
	"testing"

	"strowger/actors/refusals"
)

// TestWhoIsSentAwayHasNotLeft: a handshake that the router ends to make room, or because it stops, is not taken for
// one that the peer has abandoned or got wrong.
func TestWhoIsSentAwayHasNotLeft(t *testing.T) {
	pair, _, _ := loadPair(t)
	for name, config := range map[string]*tls.Config{"plain": nil, "TLS": pair.Config()} {
		for _, sent := range []string{"", "GET / HT", "GET / HTTP/1.1\r\nHo"} {
			if config != nil && sent != "" {
				continue // no TLS: refused at once
			}
			t.Run(name+" "+sent, func(t *testing.T) {
				s := newServer(t, config, func(l *Limits) { l.Connections, l.Unauthenticated = 8, 1 })
				var peers []*peer
				for range 3 {
					p := s.connect()
					if _, err := io.WriteString(p, sent); err != nil {
						t.Fatal(err)
					}
					peers = append(peers, p)
				}
				for _, p := range peers[:2] {
					_, _ = io.Copy(io.Discard, p) // until it is closed to make room
				}
				eventually(t, "one is left", func() bool { return s.Live() == 1 })
				s.StopListening()
				_, _ = io.Copy(io.Discard, peers[2])
				eventually(t, "none is left", func() bool { return s.Live() == 0 })
				for _, c := range []refusals.Cause{refusals.Abandoned, refusals.Handshake} {
					if n := s.deps.Refusals().Count(c); n != 0 {
						t.Errorf("%d are counted as %v, want none", n, c)
					}
				}
				if n := s.deps.Refusals().Count(refusals.Unauthenticated); n != 2 {
					t.Errorf("%d are counted as closed to make room, want 2", n)
				}
			})
		}
	}
}
