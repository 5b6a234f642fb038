package succession

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"strowger/client"
)

// tcp returns the connection, which is one without TLS.
func (w *raw) tcp() *net.TCPConn { return w.conn.(*net.TCPConn) }

// raw is a WebSocket that a test writes byte by byte.
type raw struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

// Opcodes of RFC 6455 section 5.2.
const (
	opContinuation = 0
	opText         = 1
	opClose        = 8
	opPing         = 9
	opPong         = 10
)

const opening = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// accept opens a connection and sends nothing.
func (r *running) accept() *raw {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.Addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		r.t.Fatal(err)
	}
	return &raw{r.t, conn, bufio.NewReader(conn)}
}

// open opens a WebSocket, which is asked for its token.
func (r *running) open() *raw {
	r.t.Helper()
	w := r.accept()
	w.shake()
	return w
}

func (w *raw) shake() {
	w.t.Helper()
	w.write([]byte(opening))
	response, err := http.ReadResponse(w.in, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		w.t.Fatalf("handshake: %v, %v", response, err)
	}
	if m := w.message(); m.StatusCode != 407 {
		w.t.Fatalf("the router begins with %+v", m)
	}
}

// authenticate opens a WebSocket that is admitted.
func (r *running) authenticate(made client.Token) *raw {
	r.t.Helper()
	w := r.open()
	w.login(made, 200)
	return w
}

// login shows a token and wants a status.
func (w *raw) login(made client.Token, status int) {
	w.t.Helper()
	w.text(login(made))
	if m := w.message(); m.StatusCode != status {
		w.t.Fatalf("the token is answered with %+v, want %d", m, status)
	}
}

func login(made client.Token) string {
	return fmt.Sprintf(`{"service":"authentication","request_id":"1","token":{"name":%q,"hash":%q}}`, made.Name, made.Hash)
}

func (w *raw) write(p []byte) {
	w.t.Helper()
	if _, err := w.conn.Write(p); err != nil {
		w.t.Fatal(err)
	}
}

// text sends a whole message.
func (w *raw) text(payload string) { w.t.Helper(); w.write(frame(opText, true, payload)) }

// frame returns a masked frame.
func frame(op byte, final bool, payload string) []byte {
	first := op
	if final {
		first |= 0x80
	}
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	key := [4]byte{1, 2, 3, 4}
	b = append(b, key[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^key[i%4])
	}
	return b
}

// next returns the next frame.
func (w *raw) next() (op byte, payload []byte) {
	w.t.Helper()
	var head [2]byte
	w.read(head[:])
	n := uint64(head[1] & 0x7F)
	switch n {
	case 126:
		var b [2]byte
		w.read(b[:])
		n = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		w.read(b[:])
		n = binary.BigEndian.Uint64(b[:])
	}
	payload = make([]byte, n)
	w.read(payload)
	return head[0] & 0x0F, payload
}

func (w *raw) read(p []byte) {
	w.t.Helper()
	if _, err := io.ReadFull(w.in, p); err != nil {
		w.t.Fatal(err)
	}
}

// said is a message of the router.
type said struct {
	ServiceName string `json:"service_name"`
	Topic       string
	StatusCode  int
	RequestID   string `json:"request_id"`
	ResourceID  string `json:"resource_id"`
	Payload     json.RawMessage
	Gap         *int // nil: the message tells of none
}

// UnmarshalJSON takes the empty text for no status.
func (s *said) UnmarshalJSON(data []byte) error {
	type plain said
	var m struct {
		plain
		StatusCode any `json:"status_code"`
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	*s = said(m.plain)
	if code, ok := m.StatusCode.(float64); ok {
		s.StatusCode = int(code)
	}
	return nil
}

// message returns the next text message. It passes over pings.
func (w *raw) message() said {
	w.t.Helper()
	for {
		op, payload := w.next()
		if op == opPing {
			continue
		}
		var m said
		if err := json.Unmarshal(payload, &m); op != opText || err != nil {
			w.t.Fatalf("got opcode %d, %q, %v; want a message", op, payload, err)
		}
		return m
	}
}

// closed wants the connection to end with a code.
func (w *raw) closed(code uint16) {
	w.t.Helper()
	for {
		op, payload := w.next()
		if op == opClose {
			if got := binary.BigEndian.Uint16(payload); got != code {
				w.t.Errorf("closed with %d, want %d", got, code)
			}
			return
		}
	}
}
