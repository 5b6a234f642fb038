package transport

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"strowger/transport/frame"
)

// peer is the far end of a connection: a page or a service.
type peer struct {
	t testing.TB
	net.Conn
	br *bufio.Reader
}

type message struct {
	op      frame.Opcode
	payload []byte
}

const upgrade = "GET / HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// connect opens a connection on which nothing has been said yet.
func (s *server) connect() *peer {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	return newPeer(s.t, conn)
}

func newPeer(t testing.TB, conn net.Conn) *peer {
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(2 * patience)); err != nil {
		t.Fatal(err)
	}
	return &peer{t: t, Conn: conn, br: bufio.NewReader(conn)}
}

// dial shakes hands and reads the router's first message.
func (s *server) dial() *peer {
	s.t.Helper()
	return s.connect().shake()
}

func (s *server) dialTLS(config *tls.Config) *peer {
	s.t.Helper()
	conn, err := tls.Dial("tcp", s.Addr().String(), config)
	if err != nil {
		s.t.Fatal(err)
	}
	return newPeer(s.t, conn).shake()
}

func (p *peer) shake() *peer {
	p.t.Helper()
	p.write(fmt.Appendf(nil, upgrade, p.RemoteAddr()))
	r, err := http.ReadResponse(p.br, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if r.StatusCode != http.StatusSwitchingProtocols {
		p.t.Fatalf("handshake: status %d", r.StatusCode)
	}
	p.status(407)
	return p
}

// login is dial and a token.
func (s *server) login(token string) *peer {
	s.t.Helper()
	return s.dial().login(token)
}

// present shows a token.
func (p *peer) present(token string) {
	p.t.Helper()
	p.text(fmt.Sprintf(`{"service":"authentication","token":{"name":%q,"hash":"x"}}`, token))
}

func (p *peer) login(token string) *peer {
	p.t.Helper()
	p.present(token)
	p.status(200)
	return p
}

func (p *peer) write(b []byte) {
	p.t.Helper()
	if _, err := p.Write(b); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) text(payload string) {
	p.t.Helper()
	p.write(masked(0x80|byte(frame.OpText), []byte(payload)))
}

// masked returns a frame as a client sends it; first is its first byte.
func masked(first byte, payload []byte) []byte {
	b := unmasked(first, payload)
	b[1] |= 0x80
	head := len(b) - len(payload)
	frame := append(append([]byte(nil), b[:head]...), 1, 2, 3, 4)
	for i, c := range payload {
		frame = append(frame, c^byte(i%4+1))
	}
	return frame
}

func unmasked(first byte, payload []byte) []byte {
	b := frame.Append(nil, frame.OpText, payload)
	b[0] = first
	return b
}

// read returns the next frame, which must not be fragmented, masked or of an unknown kind.
func (p *peer) read() (message, error) {
	var h [10]byte
	if _, err := io.ReadFull(p.br, h[:2]); err != nil {
		return message{}, err
	}
	if h[0]&0xF0 != 0x80 || h[1]&0x80 != 0 {
		return message{}, fmt.Errorf("corrupt header % x", h[:2])
	}
	n := uint64(h[1])
	switch n {
	case 126:
		if _, err := io.ReadFull(p.br, h[2:4]); err != nil {
			return message{}, err
		}
		n = uint64(binary.BigEndian.Uint16(h[2:]))
	case 127:
		if _, err := io.ReadFull(p.br, h[2:10]); err != nil {
			return message{}, err
		}
		n = binary.BigEndian.Uint64(h[2:])
	}
	if n > 64<<20 {
		return message{}, fmt.Errorf("corrupt length %d", n)
	}
	m := message{op: frame.Opcode(h[0] & 0x0F), payload: make([]byte, n)}
	_, err := io.ReadFull(p.br, m.payload)
	return m, err
}

func (p *peer) next() message {
	p.t.Helper()
	m, err := p.read()
	if err != nil {
		p.t.Fatalf("read frame: %v", err)
	}
	return m
}

type reading struct {
	Payload    json.RawMessage `json:"payload"`
	StatusCode any             `json:"status_code"`
	RequestID  any             `json:"request_id"`
	ResourceID string          `json:"resource_id"`
}

func (p *peer) envelope() reading {
	p.t.Helper()
	m := p.next()
	var e reading
	if m.op != frame.OpText {
		p.t.Fatalf("opcode %d, payload %q; want text", m.op, m.payload)
	}
	if err := json.Unmarshal(m.payload, &e); err != nil {
		p.t.Fatal(err)
	}
	return e
}

func (p *peer) status(want int) {
	p.t.Helper()
	if e := p.envelope(); e.StatusCode != float64(want) {
		p.t.Fatalf("status %v, want %d", e.StatusCode, want)
	}
}

// closed reads up to the close frame, which must have the code, and then to the end.
func (p *peer) closed(want frame.CloseCode) {
	p.t.Helper()
	for {
		m := p.next()
		if m.op != frame.OpClose {
			continue
		}
		got := frame.CloseNone
		if len(m.payload) >= 2 {
			got = frame.CloseCode(binary.BigEndian.Uint16(m.payload))
		}
		if got != want {
			p.t.Fatalf("closed with %s, want %s", got, want)
		}
		break
	}
	if rest, err := io.ReadAll(p.br); err != nil || len(rest) > 0 {
		p.t.Fatalf("behind the close frame: %d bytes, err %v", len(rest), err)
	}
}

// ping makes a round trip, so that all the router read before it is known to be on its way.
func (p *peer) ping(payload string) {
	p.t.Helper()
	p.write(masked(0x80|byte(frame.OpPing), []byte(payload)))
	if m := p.next(); m.op != frame.OpPong || string(m.payload) != payload {
		p.t.Fatalf("got opcode %d %q, want pong %q", m.op, m.payload, payload)
	}
}

func broadcast(service string, payload any) string {
	return fmt.Sprintf(`{"service":%q,"topic":"t","payload":%v}`, service, payload)
}

func filler(n int) string { return `"` + strings.Repeat("x", n) + `"` }

// broadcasts has a service say the numbers up to n; what becomes of the writing is told once.
func (p *peer) broadcasts(service string, n int) <-chan error {
	sent := make(chan error, 1)
	go func() {
		for i := range n {
			if _, err := p.Write(masked(text, []byte(broadcast(service, i)))); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	return sent
}

// counts reads the numbers up to n, in their order.
func (p *peer) counts(n int) {
	p.t.Helper()
	for i := range n {
		var got int
		if err := json.Unmarshal(p.envelope().Payload, &got); err != nil || got != i {
			p.t.Fatalf("payload %d, err %v; want %d", got, err, i)
		}
	}
}
