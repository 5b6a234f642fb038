package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"strowger/client/clienttest"
)

// The request that was under way fails at once and never reaches the router again; the
// next one waits for the new connection, which has a token of its own.
func TestReconnect(t *testing.T) {
	r := newFakeRouter(t)
	states := make(chan string, 100)
	c, p := r.online(Options{
		Reconnect: Reconnect{Max: time.Millisecond},
		OnState: func(s State, cause error) {
			states <- fmt.Sprintf("%v %v", s, errors.Is(cause, ErrDisconnected))
		},
	})
	heard := make(chan string, 1)
	c.Listen("s", func(m Message) { heard <- string(m.Payload) })

	lost := asking(t.Context(), c, "lost")
	p.Next()
	p.Conn.Close()
	if a := <-lost; !errors.Is(a.err, ErrDisconnected) {
		t.Errorf("the request under way ended with %v", a.err)
	}

	waiting := asking(t.Context(), c, "waiting")
	p = r.Accept()
	if token := p.Login(); token.Name != "name2" {
		t.Errorf("the second connection uses the token %q", token.Name)
	}
	m := p.Next()
	if string(m.Payload) != `"waiting"` || string(m.RequestID) != `"2"` {
		t.Errorf("the new connection got request %s with payload %s", m.RequestID, m.Payload)
	}
	p.Reply(m, 200, nil)
	if a := <-waiting; a.err != nil {
		t.Error(a.err)
	}

	p.Broadcast("s", "t", "still listening")
	if got := <-heard; got != `"still listening"` {
		t.Errorf("heard %s", got)
	}
	r.shut(c)
	want := []string{"connecting false", "online false", "offline true", "connecting false", "online false", "closed false"}
	close(states)
	if got := slices.Collect(values(states)); !slices.Equal(got, want) {
		t.Errorf("states are %q, want %q", got, want)
	}
}

func values[T any](ch <-chan T) func(yield func(T) bool) {
	return func(yield func(T) bool) {
		for v := range ch {
			if !yield(v) {
				return
			}
		}
	}
}

// A reply that came right before the connection was lost is not lost with it.
func TestReplyBeforeTheEnd(t *testing.T) {
	r := newFakeRouter(t)
	c, p := r.online(Options{Reconnect: Reconnect{Disabled: true}})
	done := asking(t.Context(), c, nil)
	p.Reply(p.Next(), 200, "made it")
	p.Conn.Close()
	if a := <-done; a.err != nil || string(a.reply.Payload) != `"made it"` {
		t.Errorf("got %+v, %v", a.reply, a.err)
	}
}

func TestReconnectDisabled(t *testing.T) {
	r := newFakeRouter(t)
	closed := make(chan error, 1)
	c, p := r.online(Options{
		Reconnect: Reconnect{Disabled: true},
		OnState: func(s State, cause error) {
			if s == StateClosed {
				closed <- cause
			}
		},
	})
	c.Listen("s", func(Message) {})
	listener := c.listeners.running()[0]
	p.Frame(8, []byte{0x0F, 0xA1}) // 4001
	cause := <-closed
	if router, ok := errors.AsType[*CloseError](cause); !ok || router.Code != 4001 || !errors.Is(cause, ErrDisconnected) {
		t.Errorf("cause is %v", cause)
	}
	<-listener.done // even though nobody called Close
	if a := <-asking(t.Context(), c, nil); !errors.Is(a.err, ErrDisconnected) {
		t.Errorf("a request ended with %v", a.err)
	}
}

func TestOfflineRequests(t *testing.T) {
	offline := func(t *testing.T, opts Options) *Client {
		r := newPipedRouter(t)
		opts.Reconnect = Reconnect{Min: time.Hour, Max: time.Hour, spread: longest}
		c, p := r.online(opts)
		p.Conn.Close()
		synctest.Wait()
		if got := c.State(); got != StateOffline {
			t.Errorf("state is %v", got)
		}
		return c
	}
	t.Run("wait until their contexts end", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := offline(t, Options{})
			defer c.Close()
			began := time.Now()
			if a := <-asking(t.Context(), c, nil); !errors.Is(a.err, ErrTimeout) || !strings.Contains(a.err.Error(), "offline: timed out") {
				t.Errorf("ended with %v", a.err)
			}
			if took := time.Since(began); took != 30*time.Second {
				t.Errorf("took %v", took)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := asking(ctx, c, nil)
			synctest.Wait()
			cancel()
			if a := <-done; !errors.Is(a.err, context.Canceled) {
				t.Errorf("ended with %v", a.err)
			}
		})
	})
	t.Run("fail fast", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := offline(t, Options{FailFast: true})
			defer c.Close()
			began := time.Now()
			if a := <-asking(t.Context(), c, nil); !errors.Is(a.err, ErrDisconnected) {
				t.Errorf("ended with %v", a.err)
			}
			for _, err := range c.Stream(t.Context(), "s", "t", nil) {
				if !errors.Is(err, ErrDisconnected) {
					t.Errorf("the stream ended with %v", err)
				}
			}
			if took := time.Since(began); took != 0 {
				t.Errorf("took %v", took)
			}
		})
	})
}

func TestRefusedOnReconnect(t *testing.T) {
	tests := []struct {
		name     string
		refusals int // the option
		attempts string
		want     State
	}{
		{"gives up", 3, "rrr", StateClosed},
		{"other failures do not count", 3, "rfrffr", StateClosed},
		{"success starts anew", 3, "rrsrrs", StateOnline},
		{"default", 0, "rrrrr", StateClosed},
		{"never gives up", -1, "rrrrrrrrrrs", StateOnline},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newPipedRouter(t)
				var cause error
				c, p := r.online(Options{
					Reconnect: Reconnect{Refusals: test.refusals},
					OnState:   func(_ State, err error) { cause = err },
				})
				used := map[string]bool{"name1": true}
				p.Conn.Close()
				for _, attempt := range test.attempts {
					p = r.Accept()
					if attempt == 'f' {
						p.Conn.Close()
						continue
					}
					p.Greet()
					token := p.Token()
					if used[token.Name] {
						t.Errorf("token %q is used again", token.Name)
					}
					used[token.Name] = true
					if attempt == 'r' {
						p.Refuse()
						continue
					}
					p.Admit()
					synctest.Wait()
					if test.want == StateOnline && len(used) < len(test.attempts)+1 {
						p.Conn.Close()
					}
				}
				synctest.Wait()
				if got := c.State(); got != test.want {
					t.Fatalf("state is %v, cause %v", got, cause)
				}
				if test.want == StateClosed {
					if !errors.Is(cause, ErrUnauthorized) || !strings.Contains(cause.Error(), "give up after") {
						t.Errorf("cause is %v", cause)
					}
					if a := <-asking(t.Context(), c, nil); !errors.Is(a.err, ErrUnauthorized) {
						t.Errorf("a request ended with %v", a.err)
					}
				} else {
					go p.Farewell()
				}
				c.Close()
			})
		})
	}
}

// The token source fails for a while, then says that there is no hope.
func TestTokenSourceFailsOnReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newPipedRouter(t)
		asked := 0
		token := func(ctx context.Context) (Token, error) {
			asked++
			switch {
			case asked == 1:
				return Token{Name: "n", Hash: "h"}, nil
			case asked < 10:
				return Token{}, errors.New("disk is full")
			}
			return Token{}, fmt.Errorf("account is gone: %w", ErrUnauthorized)
		}
		closed := make(chan error, 1)
		done := r.dialing(t.Context(), token, Options{
			Reconnect: Reconnect{Refusals: 1},
			OnState: func(s State, cause error) {
				if s == StateClosed {
					closed <- cause
				}
			},
		})
		p := r.Accept()
		p.Login()
		if d := <-done; d.err != nil {
			t.Fatal(d.err)
		}
		p.Conn.Close()
		for range 9 {
			r.Accept().Greet()
		}
		if cause := <-closed; !errors.Is(cause, ErrUnauthorized) || !strings.Contains(cause.Error(), "account is gone") {
			t.Errorf("cause is %v", cause)
		}
		if asked != 10 {
			t.Errorf("the token source was asked %d times", asked)
		}
	})
}

// The router may forget who we are without closing the connection.
func TestReconnectWhenNoLongerAuthenticated(t *testing.T) {
	r := newFakeRouter(t)
	c, p := r.online(Options{Reconnect: Reconnect{Max: time.Millisecond}})
	done := asking(t.Context(), c, nil)
	m := p.Next()
	p.Send(clienttest.Object{"service_name": "authentication", "status_code": 407, "request_id": m.RequestID, "topic": "authenticate"})
	if a := <-done; a.err == nil || !strings.Contains(a.err.Error(), "407") {
		t.Errorf("the request ended with %v", a.err)
	}
	p.Farewell()
	p = r.Accept()
	if token := p.Login(); token.Name != "name2" {
		t.Errorf("token is %q", token.Name)
	}
	barrier(t, c, p)
}

// A router that forgot us may not even answer the close frame. Until it is given up, the
// connection is of no more use.
func TestReconnectDespiteSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newPipedRouter(t)
		c, p := r.online(Options{FailFast: true, Reconnect: Reconnect{Min: time.Second, spread: longest}})
		c.Listen("", func(m Message) { t.Errorf("heard %+v", m) })
		began := time.Now()
		p.Greet()
		p.Closed()
		synctest.Wait()
		if a := <-asking(t.Context(), c, nil); !errors.Is(a.err, ErrDisconnected) {
			t.Errorf("a request ended with %v", a.err)
		}
		p = r.Accept()
		p.Login()
		if took := time.Since(began); took != 6*time.Second { // CloseTimeout and the first wait
			t.Errorf("online again after %v", took)
		}
		synctest.Wait()
		go p.Farewell()
		c.Close()
	})
}
