package client

import (
	"context"
	"crypto/tls"
	"fmt"
	"testing"

	"strowger/client/clienttest"
)

// fakeRouter is a router that the test plays by hand, for the clients of this package.
type fakeRouter struct {
	*clienttest.Router
	t testing.TB
}

// newFakeRouter listens on loopback. With a certificate it speaks TLS.
func newFakeRouter(t testing.TB, certificates ...tls.Certificate) *fakeRouter {
	t.Helper()
	return &fakeRouter{clienttest.New(t, certificates...), t}
}

// newPipedRouter works without sockets. The client has to use its Dial.
func newPipedRouter(t testing.TB) *fakeRouter { return &fakeRouter{clienttest.NewPiped(t), t} }

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
	if r.Piped && opts.Dial == nil {
		opts.Dial = r.Dial
	}
	done := make(chan dialed, 1)
	go func() {
		c, err := Dial(ctx, r.URL, token, opts)
		done <- dialed{c, err}
	}()
	return done
}

// online returns a client that is authenticated, with the router's side of its
// connection. The client is closed when the test ends.
func (r *fakeRouter) online(opts Options) (*Client, *clienttest.Peer) {
	r.t.Helper()
	done := r.dialing(r.t.Context(), tokens(), opts)
	p := r.Accept()
	p.Login()
	d := <-done
	if d.err != nil {
		r.t.Fatal(d.err)
	}
	if !r.Piped {
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
