package remote

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"strowger/client"
)

// deadline bounds every wait in the tests, as they use real sockets.
const deadline = 10 * time.Second

// fakeRouter hands connections to the test, which plays the router by hand, frame by frame.
type fakeRouter struct {
	t     *testing.T
	url   string
	conns chan net.Conn
}

// newFakeRouter listens on loopback.
func newFakeRouter(t *testing.T) *fakeRouter {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &fakeRouter{t: t, url: fmt.Sprintf("ws://%s/websockets/", listener.Addr()), conns: make(chan net.Conn, 64)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			r.conns <- conn
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-ended
	})
	return r
}

// accept waits for the next connection and upgrades it.
func (r *fakeRouter) accept() *fakePeer {
	r.t.Helper()
	conn := await(r.t, r.conns)
	r.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(deadline))
	p := &fakePeer{t: r.t, conn: conn, br: bufio.NewReader(conn)}
	request, err := http.ReadRequest(p.br)
	if err != nil {
		r.t.Fatalf("read upgrade request: %v", err)
	}
	sum := sha1.Sum([]byte(request.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	p.raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n")
	return p
}

// fakePeer is the router's side of one connection.
type fakePeer struct {
	t    *testing.T
	conn net.Conn
	br   *bufio.Reader
}

func (p *fakePeer) raw(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p.conn, text); err != nil {
		p.t.Fatalf("router: write: %v", err)
	}
}

// frame sends one unmasked frame of less than 64 KiB.
func (p *fakePeer) frame(op byte, payload []byte) {
	p.t.Helper()
	p.raw(string(frame(op, payload)))
}

func frame(op byte, payload []byte) []byte {
	header := []byte{0x80 | op, byte(len(payload))}
	if len(payload) > 125 {
		header = []byte{0x80 | op, 126, byte(len(payload) >> 8), byte(len(payload))}
	}
	return append(header, payload...)
}

type object map[string]any

// send sends an envelope; keys left out are absent.
func (p *fakePeer) send(envelope object) {
	p.t.Helper()
	b, err := json.Marshal(envelope)
	if err != nil {
		p.t.Fatal(err)
	}
	p.frame(1, b)
}

func (p *fakePeer) greet() {
	p.t.Helper()
	p.send(object{"service_name": authentication, "status_code": 407, "request_id": "", "topic": "authenticate"})
}

// login lets the service authenticate and returns the token it used.
func (p *fakePeer) login() client.Token {
	p.t.Helper()
	p.greet()
	m := p.next()
	if m.Service != authentication || m.Token == nil {
		p.t.Fatalf("router: got a message to %q without a token, want an authentication", m.Service)
	}
	p.send(object{"service_name": authentication, "status_code": 200, "request_id": "", "topic": "authenticated"})
	return *m.Token
}

// fakeMessage is what a router reads of a service's message.
type fakeMessage struct {
	RequestID json.RawMessage `json:"request_id"`
	Service   string          `json:"service"`
	Topic     string          `json:"topic"`
	Token     *client.Token   `json:"token"`
}

// next reads a text frame.
func (p *fakePeer) next() fakeMessage {
	p.t.Helper()
	op, payload, err := p.readFrame()
	if err != nil || op != 1 {
		p.t.Fatalf("router: got opcode %d, error %v, want a text frame", op, err)
	}
	var m fakeMessage
	if err := json.Unmarshal(payload, &m); err != nil {
		p.t.Fatalf("router: message %q: %v", payload, err)
	}
	return m
}

// readFrame reads one unfragmented, masked frame of less than 64 KiB.
func (p *fakePeer) readFrame() (op byte, payload []byte, err error) {
	var header [2]byte
	if _, err := io.ReadFull(p.br, header[:]); err != nil {
		return 0, nil, err
	}
	n := int(header[1] & 0x7F)
	switch n {
	case 126:
		var long [2]byte
		if _, err := io.ReadFull(p.br, long[:]); err != nil {
			return 0, nil, err
		}
		n = int(long[0])<<8 | int(long[1])
	case 127:
		return 0, nil, errors.New("frame is longer than a test needs")
	}
	buf := make([]byte, 4+n)
	if _, err := io.ReadFull(p.br, buf); err != nil {
		return 0, nil, err
	}
	mask, payload := buf[:4], buf[4:]
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	return header[0] & 0x0F, payload, nil
}

// tokens counts the tokens it makes: "name1", "name2" and so on.
func tokens() client.TokenSource {
	n := 0
	return func(context.Context) (client.Token, error) {
		n++
		return client.Token{Name: fmt.Sprintf("name%d", n), Hash: fmt.Sprintf("hash%d", n)}, nil
	}
}
