// Package clienttest has a router that a test plays by hand, frame by frame and without a WebSocket library. It
// is for the tests of clients and of services in processes of their own.
package clienttest

import (
	"bufio"
	"context"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Patience is how long a test waits for what must happen. Only a failing test waits that long.
const Patience = 2 * time.Minute

// Router hands the connections of the client under test to the test.
type Router struct {
	// URL is where the router listens.
	URL string
	// Conns are the connections that nobody has taken yet.
	Conns chan net.Conn
	// Piped is true for a router without sockets. Its connections are pipes, for use in a synctest bubble.
	Piped bool

	t testing.TB
}

// New returns a router that listens on loopback until the test ends. With a certificate it speaks TLS.
func New(t testing.TB, certificates ...tls.Certificate) *Router {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Router{t: t, URL: fmt.Sprintf("ws://%s/websockets/", listener.Addr()), Conns: make(chan net.Conn, 64)}
	if len(certificates) > 0 {
		listener = tls.NewListener(listener, &tls.Config{Certificates: certificates})
		r.URL = strings.Replace(r.URL, "ws:", "wss:", 1)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			r.Conns <- conn
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-ended
	})
	return r
}

// NewPiped returns a router without sockets. The client has to use its Dial.
func NewPiped(t testing.TB) *Router {
	return &Router{t: t, URL: "ws://router.test/websockets/", Conns: make(chan net.Conn, 64), Piped: true}
}

// Dial connects to a piped router.
func (r *Router) Dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	r.Conns <- far
	return near, nil
}

// Conn waits for the client's next connection. It is closed when the test ends.
func (r *Router) Conn() net.Conn {
	r.t.Helper()
	var late <-chan time.Time
	if !r.Piped { // in a bubble the clock would run ahead of the client
		late = time.After(Patience)
	}
	select {
	case conn := <-r.Conns:
		r.t.Cleanup(func() { conn.Close() })
		if !r.Piped {
			if err := conn.SetDeadline(time.Now().Add(Patience)); err != nil {
				r.t.Fatal(err)
			}
		}
		return conn
	case <-late:
		r.t.Fatal("the client does not connect")
		return nil
	}
}

// Asked waits for the client's next connection and reads its request to upgrade, which it does not answer.
func (r *Router) Asked() *Peer {
	r.t.Helper()
	p := &Peer{t: r.t, Conn: r.Conn()}
	p.reader = bufio.NewReader(p.Conn)
	var err error
	if p.Request, err = http.ReadRequest(p.reader); err != nil {
		r.t.Fatalf("read upgrade request: %v", err)
	}
	return p
}

// Accept waits for the client's next connection and upgrades it.
func (r *Router) Accept() *Peer {
	r.t.Helper()
	p := r.Asked()
	p.Raw([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		p.Key() + "\r\n\r\n"))
	return p
}

// Key is the value that the request's key demands in the answer.
func (p *Peer) Key() string {
	sum := sha1.Sum([]byte(p.Request.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}
