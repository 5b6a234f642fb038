package clienttest

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
)

// Peer is the router's side of one connection. Its methods fail the test if the connection ends.
type Peer struct {
	Conn    net.Conn
	Request *http.Request // the client's request to upgrade

	t      testing.TB
	reader *bufio.Reader
}

// Raw sends bytes as they are.
func (p *Peer) Raw(b []byte) {
	p.t.Helper()
	if _, err := p.Conn.Write(b); err != nil {
		p.t.Fatalf("router: write: %v", err)
	}
}

// Frame sends one unmasked frame.
func (p *Peer) Frame(op byte, payload []byte) {
	p.t.Helper()
	p.Raw(Frame(op, payload))
}

// Frame returns an unmasked frame.
func Frame(op byte, payload []byte) []byte {
	b := []byte{0x80 | op}
	switch n := len(payload); {
	case n <= 125:
		b = append(b, byte(n))
	case n <= 0xFFFF:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, payload...)
}

// NextFrame reads a frame and checks that it is unfragmented and masked.
func (p *Peer) NextFrame() (op byte, payload []byte) {
	p.t.Helper()
	op, payload, err := p.ReadFrame()
	if err != nil {
		p.t.Fatalf("router: read frame: %v", err)
	}
	return op, payload
}

// ReadFrame is NextFrame for a connection that may have ended.
func (p *Peer) ReadFrame() (op byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(p.reader, head[:]); err != nil {
		return 0, nil, err
	}
	if head[0]&0xF0 != 0x80 || head[1]&0x80 == 0 {
		return 0, nil, fmt.Errorf("header %x: not an unfragmented, masked frame", head)
	}
	n := uint64(head[1] & 0x7F)
	if n >= 126 {
		long := make([]byte, map[uint64]int{126: 2, 127: 8}[n])
		if _, err := io.ReadFull(p.reader, long); err != nil {
			return 0, nil, err
		}
		n = 0
		for _, b := range long {
			n = n<<8 | uint64(b)
		}
	}
	buf := make([]byte, 4+n)
	if _, err := io.ReadFull(p.reader, buf); err != nil {
		return 0, nil, err
	}
	mask, payload := buf[:4], buf[4:]
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	return head[0] & 0x0F, payload, nil
}

// Closed reads the close frame that must come next and returns its payload.
func (p *Peer) Closed() []byte {
	p.t.Helper()
	op, payload := p.NextFrame()
	if op != 8 {
		p.t.Fatalf("router: got opcode %d, payload %q, want a close frame", op, payload)
	}
	return payload
}

// Farewell answers the client's close frame, which must come next.
func (p *Peer) Farewell() {
	p.t.Helper()
	p.Frame(8, p.Closed())
}

// Message is what a router reads of a client's message.
type Message struct {
	RequestID json.RawMessage `json:"request_id"`
	Service   string          `json:"service"`
	Topic     string          `json:"topic"`
	Payload   json.RawMessage `json:"payload"`
	Token     *Token          `json:"token"`
}

// Token is what a client authenticates with.
type Token struct {
	Name string `json:"name"`
	Hash string `json:"hash"`
}

// Next reads a message and checks that it is one unfragmented, masked text frame.
func (p *Peer) Next() Message {
	p.t.Helper()
	op, payload := p.NextFrame()
	if op != 1 {
		p.t.Fatalf("router: got opcode %d, payload %x, want a text frame", op, payload)
	}
	var m Message
	if err := json.Unmarshal(payload, &m); err != nil {
		p.t.Fatalf("router: message %q: %v", payload, err)
	}
	return m
}
