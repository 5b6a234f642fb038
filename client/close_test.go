package client

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"strowger/client/clienttest"
)

func TestClose(t *testing.T) {
	r := newFakeRouter(t)
	c, p := r.online(Options{})
	c.Listen("s", func(Message) {})
	underWay := asking(t.Context(), c, nil)
	p.Next()

	var wg sync.WaitGroup
	for range 3 { // at once, and all return when it is done
		wg.Go(func() {
			if err := c.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
	if a := <-underWay; !errors.Is(a.err, ErrClosed) {
		t.Errorf("the request under way ended with %v", a.err)
	}
	p.Broadcast("s", "t", "too late")
	if code := p.Closed(); string(code) != "\x03\xe8" {
		t.Errorf("close frame holds %x, want code 1000", code)
	}
	p.Frame(8, []byte{0x03, 0xe8})
	if _, _, err := p.ReadFrame(); err == nil {
		t.Error("the client sends something behind its close frame")
	}
	wg.Wait()
	if left := len(c.listeners.running()); left != 0 {
		t.Errorf("%d listeners still run", left)
	}

	if err := c.Close(); err != nil {
		t.Errorf("close again: %v", err)
	}
	if a := <-asking(t.Context(), c, nil); !errors.Is(a.err, ErrClosed) {
		t.Errorf("a request to a closed client ended with %v", a.err)
	}
}

// The router neither answers the close frame nor closes.
func TestCloseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newPipedRouter(t).online(Options{CloseTimeout: 2 * time.Second})
		go p.Closed()
		began := time.Now()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// The router does not even read.
func TestCloseCutsAStuckWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := newPipedRouter(t).online(Options{CloseTimeout: 2 * time.Second, WriteTimeout: time.Hour})
		stuck := asking(t.Context(), c, nil)
		synctest.Wait()
		began := time.Now()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("took %v", took)
		}
		if a := <-stuck; !errors.Is(a.err, ErrClosed) {
			t.Errorf("the request ended with %v", a.err)
		}
	})
}

func TestCloseDoesNotWaitForeverForCallbacks(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(block func()) Options
		provoke func(c *Client, p *clienttest.Peer, block func())
		says    string
	}{
		{"handler",
			func(func()) Options { return Options{} },
			func(c *Client, p *clienttest.Peer, block func()) {
				c.Listen("s", func(Message) { block() })
				p.Broadcast("s", "t", 1)
				go p.Farewell()
			},
			`the listener to "s" still runs`},
		{"OnState",
			func(block func()) Options {
				return Options{OnState: func(s State, _ error) {
					if s == StateOffline {
						block()
					}
				}}
			},
			func(_ *Client, p *clienttest.Peer, _ func()) { p.Conn.Close() },
			"OnState or the token source still runs"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				block := func() { <-release }
				c, p := newPipedRouter(t).online(test.prepare(block))
				test.provoke(c, p, block)
				synctest.Wait()
				began := time.Now()
				err := c.Close()
				if !errors.Is(err, ErrTimeout) || !strings.Contains(err.Error(), test.says) {
					t.Errorf("error is %v", err)
				}
				if took := time.Since(began); took != 10*time.Second {
					t.Errorf("took %v", took)
				}
				close(release)
				if err := c.Close(); err != nil {
					t.Errorf("close again: %v", err)
				}
			})
		})
	}
}

// Close while no connection is up.
func TestCloseWhileReconnecting(t *testing.T) {
	tests := []struct {
		name string
		stop func(*fakeRouter, *Client)
	}{
		{"waiting", func(*fakeRouter, *Client) {}},
		{"upgrading", func(r *fakeRouter, _ *Client) { r.Conn() }},
		{"authenticating", func(r *fakeRouter, _ *Client) {
			p := r.Accept()
			p.Greet()
			p.Token()
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newPipedRouter(t)
				var last error
				c, p := r.online(Options{OnState: func(_ State, cause error) { last = cause }})
				p.Conn.Close()
				synctest.Wait() // until the client has noticed
				waiting := asking(t.Context(), c, nil)
				test.stop(r, c)
				synctest.Wait()
				if err := c.Close(); err != nil {
					t.Error(err)
				}
				if a := <-waiting; !errors.Is(a.err, ErrClosed) {
					t.Errorf("the request ended with %v", a.err)
				}
				if !errors.Is(last, ErrClosed) || errors.Is(last, context.Canceled) {
					t.Errorf("the last cause is %v", last)
				}
			})
		})
	}
}
