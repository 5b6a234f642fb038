package client

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"strowger/client/clienttest"
)

// streaming ranges over a stream on a goroutine of its own; the channel is closed
// behind the last.
func streaming(ctx context.Context, c *Client) <-chan answer {
	got := make(chan answer)
	go func() {
		defer close(got)
		for reply, err := range c.Stream(ctx, "active.calls", "in.progress", nil) {
			got <- answer{reply, err}
		}
	}()
	return got
}

func TestStream(t *testing.T) {
	r := newFakeRouter(t)
	c, p := r.online(Options{})
	ctx, cancel := context.WithCancel(t.Context())
	got := streaming(ctx, c)
	m := p.Next()
	for i := range 3 {
		p.Reply(m, 200, i)
	}
	for i := range 3 {
		a := <-got
		if a.err != nil || string(a.reply.Payload) != fmt.Sprint(i) {
			t.Errorf("reply %d is %+v, %v", i, a.reply, a.err)
		}
	}
	cancel()
	if a, more := <-got; more {
		t.Errorf("got %+v, %v after the end", a.reply, a.err)
	}
	if left := len(c.calls.sinks); left != 0 {
		t.Errorf("%d requests are still waited for", left)
	}
}

func TestStreamBreak(t *testing.T) {
	r := newFakeRouter(t)
	c, p := r.online(Options{})
	broken := make(chan struct{})
	go func() {
		defer close(broken)
		for range c.Stream(t.Context(), "s", "t", nil) {
			break
		}
	}()
	m := p.Next()
	p.Reply(m, 200, 1)
	p.Reply(m, 200, 2)
	<-broken
	if left := len(c.calls.sinks); left != 0 {
		t.Errorf("%d requests are still waited for", left)
	}
}

func TestStreamEndsWithAnError(t *testing.T) {
	tests := []struct {
		name string
		end  func(*clienttest.Peer, clienttest.Message, *Client)
		want error
	}{
		{"status", func(p *clienttest.Peer, m clienttest.Message, _ *Client) { p.Reply(m, 403, nil) }, ErrForbidden},
		{"lost", func(p *clienttest.Peer, _ clienttest.Message, _ *Client) { p.Conn.Close() }, ErrDisconnected},
		{"closed", func(_ *clienttest.Peer, _ clienttest.Message, c *Client) { c.link.cancel(ErrClosed) }, ErrClosed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newFakeRouter(t)
			c, p := r.online(Options{Reconnect: Reconnect{Disabled: true}})
			got := streaming(t.Context(), c)
			m := p.Next()
			p.Reply(m, 200, "first")
			if a := <-got; a.err != nil {
				t.Fatal(a.err)
			}
			test.end(p, m, c)
			if a := <-got; !errors.Is(a.err, test.want) || a.reply != nil {
				t.Errorf("got %+v, %v, want %v", a.reply, a.err, test.want)
			}
			if _, more := <-got; more {
				t.Error("the stream goes on after its error")
			}
		})
	}
}

// What came before the overflow is yielded before its error, and nothing behind the gap.
func TestStreamOverflow(t *testing.T) {
	r := newFakeRouter(t)
	c, p := r.online(Options{Limits: Limits{QueueMessages: 2}})
	got := streaming(t.Context(), c)
	m := p.Next()
	p.Reply(m, 200, 0)
	n := 0
	take := func() error {
		a := <-got
		if a.err == nil && string(a.reply.Payload) != fmt.Sprint(n) {
			t.Errorf("reply %d is %s", n, a.reply.Payload)
		}
		n++
		return a.err
	}
	if err := take(); err != nil { // so the next ones wait in the queue, but for one
		t.Fatal(err)
	}
	for i := 1; i <= 5; i++ {
		p.Reply(m, 200, i)
	}
	barrier(t, c, p)
	for range 2 {
		if err := take(); err != nil {
			t.Fatal(err)
		}
	}
	p.Reply(m, 200, "there is room again")
	barrier(t, c, p)
	err := take()
	if err == nil { // the one that was in hand
		err = take()
	}
	if !errors.Is(err, ErrOverflow) {
		t.Errorf("error is %v", err)
	}
	if _, more := <-got; more {
		t.Error("the stream goes on after its error")
	}
}

// barrier returns when c has taken in everything that p sent before.
func barrier(t *testing.T, c *Client, p *clienttest.Peer) {
	t.Helper()
	done := asking(t.Context(), c, "barrier")
	p.Reply(p.Next(), 200, nil)
	if a := <-done; a.err != nil {
		t.Fatal(a.err)
	}
}
