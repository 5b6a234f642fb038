package client

import (
	"bufio"
	"context"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// deadline bounds every wait in the tests that use real sockets.
const deadline = 10 * time.Second

// fakeRouter hands the connections of the client under test to the test, which plays
// the router by hand, frame by frame and without a WebSocket library.
type fakeRouter struct {
	t     testing.TB
	url   string
	conns chan net.Conn
	piped bool // conns are pipes, for use in a synctest bubble
}

// newFakeRouter listens on loopback.
func newFakeRouter(t testing.TB) *fakeRouter {
	t.Helper()
	return listenFake(t, "ws", func(ln net.Listener) net.Listener { return ln })
}

// newFakeRouterTLS listens on loopback with TLS.
func newFakeRouterTLS(t testing.TB, cert tls.Certificate) *fakeRouter {
	t.Helper()
	return listenFake(t, "wss", func(ln net.Listener) net.Listener {
		return tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{cert}})
	})
}

func listenFake(t testing.TB, scheme string, wrap func(net.Listener) net.Listener) *fakeRouter {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &fakeRouter{t: t, url: fmt.Sprintf("%s://%s/websockets/", scheme, ln.Addr()), conns: make(chan net.Conn, 64)}
	wrapped := wrap(ln)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := wrapped.Accept()
			if err != nil {
				return
			}
			r.conns <- conn
		}
	}()
	t.Cleanup(func() {
		ln.Close()
		<-ended
	})
	return r
}

// newPipedRouter works without sockets: its dial must be used as Options.Dial.
func newPipedRouter(t testing.TB) *fakeRouter {
	return &fakeRouter{t: t, url: "ws://router.test/websockets/", conns: make(chan net.Conn, 64), piped: true}
}

func (r *fakeRouter) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	r.conns <- far
	return near, nil
}

// conn waits for the client's next TCP connection.
func (r *fakeRouter) conn() net.Conn {
	r.t.Helper()
	var timeout <-chan time.Time
	if !r.piped { // in a bubble the clock would run ahead of the client
		timeout = time.After(deadline)
	}
	select {
	case conn := <-r.conns:
		r.t.Cleanup(func() { conn.Close() })
		if !r.piped {
			conn.SetDeadline(time.Now().Add(deadline))
		}
		return conn
	case <-timeout:
		r.t.Fatal("the client does not connect")
		return nil
	}
}

// accept waits for the client's next connection and upgrades it.
func (r *fakeRouter) accept() *fakePeer {
	r.t.Helper()
	conn := r.conn()
	p := &fakePeer{t: r.t, conn: conn, br: bufio.NewReader(conn)}
	req, err := http.ReadRequest(p.br)
	if err != nil {
		r.t.Fatalf("read upgrade request: %v", err)
	}
	p.request = req
	sum := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	p.raw([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n"))
	return p
}

// fakePeer is the router's side of one connection.
type fakePeer struct {
	t       testing.TB
	conn    net.Conn
	br      *bufio.Reader
	request *http.Request
}

func (p *fakePeer) raw(b []byte) {
	p.t.Helper()
	if _, err := p.conn.Write(b); err != nil {
		p.t.Fatalf("router: write: %v", err)
	}
}

// frame sends one unmasked frame.
func (p *fakePeer) frame(op byte, payload []byte) {
	p.t.Helper()
	b := []byte{0x80 | op}
	switch n := len(payload); {
	case n <= 125:
		b = append(b, byte(n))
	case n <= 0xFFFF:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	p.raw(append(b, payload...))
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
	p.send(object{"service_name": "authentication", "status_string": "Authentication Required", "status_code": 407, "request_id": "", "topic": "authenticate"})
}

func (p *fakePeer) accepted() {
	p.t.Helper()
	p.send(object{"service_name": "authentication", "status_string": "OK", "status_code": 200, "request_id": "", "topic": "authenticated"})
}

func (p *fakePeer) refused() {
	p.t.Helper()
	p.send(object{"service_name": "authentication", "status_string": "", "status_code": 401, "request_id": "", "topic": "unauthorized"})
}

// login lets the client authenticate and returns the token it used.
func (p *fakePeer) login() Token {
	p.t.Helper()
	p.greet()
	token := p.token()
	p.accepted()
	return token
}

// token reads the authentication message.
func (p *fakePeer) token() Token {
	p.t.Helper()
	m := p.next()
	if m.Service != "authentication" || m.Token == nil {
		p.t.Fatalf("router: got a message to %q with token %v, want an authentication", m.Service, m.Token)
	}
	return *m.Token
}

// fakeMessage is what a router reads of a client's message.
type fakeMessage struct {
	RequestID json.RawMessage `json:"request_id"`
	Service   string          `json:"service"`
	Topic     string          `json:"topic"`
	Payload   json.RawMessage `json:"payload"`
	Token     *Token          `json:"token"`
}

// next reads a message and checks that it is one unfragmented, masked text frame.
func (p *fakePeer) next() fakeMessage {
	p.t.Helper()
	op, payload := p.nextFrame()
	if op != 1 {
		p.t.Fatalf("router: got opcode %d, payload %x, want a text frame", op, payload)
	}
	var m fakeMessage
	if err := json.Unmarshal(payload, &m); err != nil {
		p.t.Fatalf("router: message %q: %v", payload, err)
	}
	return m
}

// nextFrame reads a frame and checks that it is unfragmented and masked.
func (p *fakePeer) nextFrame() (op byte, payload []byte) {
	p.t.Helper()
	op, payload, err := p.readFrame()
	if err != nil {
		p.t.Fatalf("router: read frame: %v", err)
	}
	return op, payload
}

func (p *fakePeer) readFrame() (op byte, payload []byte, err error) {
	var h [2]byte
	if _, err := io.ReadFull(p.br, h[:]); err != nil {
		return 0, nil, err
	}
	if h[0]&0xF0 != 0x80 || h[1]&0x80 == 0 {
		return 0, nil, fmt.Errorf("header %x: not an unfragmented, masked frame", h)
	}
	n := uint64(h[1] & 0x7F)
	if n >= 126 {
		ext := make([]byte, map[uint64]int{126: 2, 127: 8}[n])
		if _, err := io.ReadFull(p.br, ext); err != nil {
			return 0, nil, err
		}
		n = 0
		for _, b := range ext {
			n = n<<8 | uint64(b)
		}
	}
	buf := make([]byte, 4+n)
	if _, err := io.ReadFull(p.br, buf); err != nil {
		return 0, nil, err
	}
	mask, payload := buf[:4], buf[4:]
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	return h[0] & 0x0F, payload, nil
}

// reply answers m.
func (p *fakePeer) reply(m fakeMessage, code int, payload any) {
	p.t.Helper()
	p.send(object{"service_name": m.Service, "status_string": "ok", "status_code": code, "request_id": m.RequestID, "topic": m.Topic, "payload": payload})
}

func (p *fakePeer) broadcast(service, topic string, payload any) {
	p.t.Helper()
	p.send(object{"service_name": service, "status_code": "", "request_id": "", "topic": topic, "payload": payload})
}

// closed reads the close frame that must come next and returns its payload.
func (p *fakePeer) closed() []byte {
	p.t.Helper()
	op, payload := p.nextFrame()
	if op != 8 {
		p.t.Fatalf("router: got opcode %d, payload %q, want a close frame", op, payload)
	}
	return payload
}

// farewell answers the client's close frame, which must come next.
func (p *fakePeer) farewell() {
	p.t.Helper()
	p.frame(8, p.closed())
}

// tokens counts the tokens it makes: "name1", "name2" and so on.
func tokens() TokenSource {
	n := 0
	return func(context.Context) (Token, error) {
		n++
		return Token{Name: fmt.Sprintf("name%d", n), Hash: fmt.Sprintf("hash%d", n)}, nil
	}
}

// dialed is what a Dial under way comes to.
type dialed struct {
	client *Client
	err    error
}

// dialing calls Dial on a goroutine of its own, as the test plays the router.
func (r *fakeRouter) dialing(ctx context.Context, token TokenSource, opts Options) <-chan dialed {
	if r.piped && opts.Dial == nil {
		opts.Dial = r.dial
	}
	done := make(chan dialed, 1)
	go func() {
		c, err := Dial(ctx, r.url, token, opts)
		done <- dialed{c, err}
	}()
	return done
}

// online returns a client that is authenticated, with the router's side of its
// connection. The client is closed when the test ends.
func (r *fakeRouter) online(opts Options) (*Client, *fakePeer) {
	r.t.Helper()
	done := r.dialing(r.t.Context(), tokens(), opts)
	p := r.accept()
	p.login()
	d := <-done
	if d.err != nil {
		r.t.Fatal(d.err)
	}
	if !r.piped {
		r.t.Cleanup(func() { r.shut(d.client) })
	}
	return d.client, p
}

// shut closes c without the router's consent, and checks that nothing is left.
func (r *fakeRouter) shut(c *Client) {
	c.link.cancel(ErrClosed)
	if _, s, _ := c.link.now(); s != nil {
		s.abort()
	}
	if err := c.Close(); err != nil {
		r.t.Errorf("close: %v", err)
	}
}
