package transport

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

// takeAll takes every turn and returns what gives them back.
func (s *server) takeAll() (giveBack func()) {
	var all []*turn
	for range s.limits.Load().handshakes() {
		all = append(all, s.turns.take())
	}
	return func() {
		for _, t := range all {
			t.end()
		}
	}
}

// turnsTaken returns how many handshakes are worked on.
func (s *server) turnsTaken() int {
	taken, _ := s.turns.counts()
	return taken
}

// TestHandshakesTakeTurns: while as many handshakes are worked on as may be, no other one is, and those that are
// through are served.
func TestHandshakesTakeTurns(t *testing.T) {
	s := newServer(t, nil, nil)
	service, client := s.login("service:a"), s.login("client:a")
	giveBack := s.takeAll()
	late := s.connect()
	late.write(fmt.Appendf(nil, upgrade, "x"))
	eventually(t, "the late one waits", func() bool { return s.WaitingHandshakes() == 1 })
	for i := range 10 {
		service.text(broadcast("a", i))
		client.envelope()
		client.ping("still served")
	}
	if n := s.Live(); n != 2 {
		t.Errorf("%d connections were taken in, want 2", n)
	}
	giveBack()
	if r, err := http.ReadResponse(late.br, nil); err != nil || r.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("response %v, err %v; want 101", r, err)
	}
	eventually(t, "nobody waits", func() bool { return s.WaitingHandshakes() == 0 })
}

// TestNumberOfTurns: as many handshakes are worked on as the limit says, which a reload may raise or lower.
func TestNumberOfTurns(t *testing.T) {
	var limits atomic.Pointer[Limits]
	limits.Store(new(Limits))
	turns := newTurns(&limits)
	counted := func(taken, waiting int) {
		t.Helper()
		eventually(t, fmt.Sprintf("%d work and %d wait", taken, waiting), func() bool {
			gotTaken, gotWaiting := turns.counts()
			return gotTaken == taken && gotWaiting == waiting
		})
	}
	byDefault := 2 * runtime.GOMAXPROCS(0)
	got := make(chan *turn)
	for range byDefault + 5 {
		go func() { got <- turns.take() }()
	}
	var held []*turn
	take := func(n int) {
		for range n {
			held = append(held, <-got)
		}
	}
	giveBack := func(n int) {
		for range n {
			held[0].end()
			held = held[1:]
		}
	}
	take(byDefault)
	counted(byDefault, 5)
	limits.Store(&Limits{Handshakes: byDefault + 2})
	giveBack(1)
	take(3)
	counted(byDefault+2, 2)
	limits.Store(&Limits{Handshakes: byDefault})
	giveBack(2)
	counted(byDefault, 2)
	giveBack(2)
	take(2)
	counted(byDefault, 0)
}

// TestWaitingHandshakesTakeNoTurn: peers that are silent, slow, or do not hear that they are refused leave all
// turns to others, with TLS too.
func TestWaitingHandshakesTakeNoTurn(t *testing.T) {
	pair, _, _ := loadPair(t)
	for name, config := range map[string]*tls.Config{"plain": nil, "TLS": pair.Config()} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, config, nil)
			for i, request := range []string{"", "G", "\r\n", "GET / HTTP/1.1\r\nHo", "\x16\x03\x01", "\x16\x03\x01\x40\x00\x01", "hello\r\n\r\n"} {
				for range s.limits.Load().handshakes() {
					p := s.connect()
					if _, err := io.WriteString(p, request); err != nil {
						t.Fatalf("request %d: %v", i, err)
					}
				}
			}
			eventually(t, "all are taken in and wait", func() bool { return s.turnsTaken() == 0 })
			if config != nil {
				s.dialTLS(trusting).ping("served")
			} else {
				s.dial().ping("served")
			}
			eventually(t, "all turns are given back", func() bool { return s.turnsTaken() == 0 })
		})
	}
}

// TestTurnsComeBack: however a handshake ends, its turn is there for the next one.
func TestTurnsComeBack(t *testing.T) {
	s := newServer(t, nil, nil)
	good := fmt.Sprintf(upgrade, "x")
	for _, request := range []string{good, good + string(masked(text, []byte(`{"a":1}`))), strings.Replace(good, "GET", "POST", 1), "hello\r\n\r\n", "", "GET"} {
		for range 2 * s.limits.Load().handshakes() {
			p := s.connect()
			p.write([]byte(request))
			_ = p.Close()
		}
	}
	s.dial().ping("served")
	eventually(t, "all turns are given back", func() bool { return s.turnsTaken() == 0 && s.Live() == 1 })
}
