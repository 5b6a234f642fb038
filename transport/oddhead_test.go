package transport

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"strowger/transport/frame"
)

// TestFramesBehindAnOddHead: what comes in one packet with a head that is not plain is not lost, however little a head
// may be long.
func TestFramesBehindAnOddHead(t *testing.T) {
	head := strings.Replace(fmt.Sprintf(upgrade, "pbx.example"), "Host:", "Content-Length: 0\r\nHost:", 1)
	for name, limit := range map[string]int{"least": 1 << 10, "just enough": len(head), "default": 8 << 10} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, nil, func(l *Limits) { l.HeaderBytes = limit })
			const pings = 200
			sent := []byte(head)
			for i := range pings {
				sent = append(sent, masked(ping, fmt.Append(nil, i))...)
			}
			p := s.connect()
			p.write(sent)
			if r, err := http.ReadResponse(p.br, nil); err != nil || r.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("response %v, err %v; want 101", r, err)
			}
			for i := 0; i < pings; {
				m := p.next()
				if m.op != frame.OpPong {
					continue
				}
				if string(m.payload) != fmt.Sprint(i) {
					t.Fatalf("pong %q, want %d", m.payload, i)
				}
				i++
			}
		})
	}
}

// TestBadHeadWithMoreBehind: what follows a bad head does not count as a part of it.
func TestBadHeadWithMoreBehind(t *testing.T) {
	s := newServer(t, nil, func(l *Limits) { l.HeaderBytes = 1 << 10 })
	p := s.connect()
	p.write([]byte("nonsense\r\n\r\n" + strings.Repeat("x", 2<<10)))
	if r, err := http.ReadResponse(p.br, nil); err != nil || r.StatusCode != http.StatusBadRequest {
		t.Fatalf("response %v, err %v; want 400", r, err)
	}
}
