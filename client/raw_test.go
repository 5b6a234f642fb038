package client

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"strowger/actors/envelope"
	"strowger/client/clienttest"
)

// OnMessage gets what answers no request of the client; replies go where they were asked for, and
// those who listen hear broadcasts all the same.
func TestOnMessage(t *testing.T) {
	r := newFakeRouter(t)
	raw, heard := make(chan string, 8), make(chan Message, 8)
	c, p := r.online(Options{OnMessage: func(e *envelope.Envelope) { raw <- string(e.Append(nil)) }})
	c.Listen("s", func(m Message) { heard <- m })
	got := asking(t.Context(), c, "lookup")
	p.Reply(p.Next(), 200, "found")
	if outcome := <-got; outcome.err != nil {
		t.Fatal(outcome.err)
	}
	p.Broadcast("s", "news", 1)
	p.Send(clienttest.Object{"service_name": "s", "topic": "do", "request_id": "7", "resource_id": "who", "payload": 2})
	for _, want := range []string{`"topic":"news"`, `"resource_id":"who"`} {
		select {
		case message := <-raw:
			if !strings.Contains(message, want) {
				t.Errorf("got %s, want %s", message, want)
			}
		case <-time.After(clienttest.Patience):
			t.Fatal("no message")
		}
	}
	if m := <-heard; m.Topic != "news" {
		t.Errorf("heard %q", m.Topic)
	}
	if len(raw) > 0 {
		t.Errorf("one message more: %s", <-raw)
	}
}

func TestSend(t *testing.T) {
	r := newFakeRouter(t)
	c, p := r.online(Options{FailFast: true, Limits: Limits{MessageBytes: 600}, Reconnect: Reconnect{Disabled: true}})
	if err := c.Send(t.Context(), []byte(`{"service_name":"s","topic":"news"}`)); err != nil {
		t.Fatal(err)
	}
	if op, data := p.NextFrame(); op != 1 || string(data) != `{"service_name":"s","topic":"news"}` {
		t.Errorf("the router got %d %s", op, data)
	}
	if err := c.Send(t.Context(), make([]byte, 601)); err == nil || err.Error() != "send: message of 601 bytes is above the limit of 600" {
		t.Errorf("a message that is too long: %v", err)
	}
	r.shut(c)
	if err := c.Send(t.Context(), []byte(`{}`)); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestFromStart: Dial may be called before there is a router.
func TestFromStart(t *testing.T) {
	r := newFakeRouter(t)
	var attempts atomic.Int32
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if attempts.Add(1) < 4 {
			return nil, errors.New("nobody there")
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	fast := Reconnect{FromStart: true, Min: time.Millisecond, Max: time.Millisecond, Refusals: 2}
	c, _ := r.online(Options{Dial: dial, Reconnect: fast})
	if c.State() != StateOnline || attempts.Load() != 4 {
		t.Errorf("%s after %d attempts", c.State(), attempts.Load())
	}

	t.Run("until the context ends", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		tried := 0
		_, err := Dial(ctx, r.URL, tokens(), Options{Reconnect: fast, Dial: func(context.Context, string, string) (net.Conn, error) {
			if tried++; tried == 3 {
				cancel()
			}
			return nil, errors.New("nobody there")
		}})
		if !errors.Is(err, context.Canceled) || tried != 3 {
			t.Errorf("%v after %d attempts", err, tried)
		}
	})
	t.Run("until too many refusals", func(t *testing.T) {
		refuse := func(context.Context) (Token, error) { return Token{}, ErrUnauthorized }
		done := r.dialing(t.Context(), refuse, Options{Reconnect: fast})
		for range 2 {
			r.Accept().Greet()
		}
		if d := <-done; !errors.Is(d.err, ErrUnauthorized) {
			t.Errorf("got %v", d.err)
		}
	})
	t.Run("not when reconnecting is disabled", func(t *testing.T) {
		tried := 0
		_, err := Dial(t.Context(), r.URL, tokens(), Options{Reconnect: Reconnect{FromStart: true, Disabled: true},
			Dial: func(context.Context, string, string) (net.Conn, error) {
				tried++
				return nil, errors.New("nobody there")
			}})
		if err == nil || tried != 1 {
			t.Errorf("%v after %d attempts", err, tried)
		}
	})
}

func TestCheckURL(t *testing.T) {
	for url, want := range map[string]string{
		"ws://127.0.0.1:8080/":  "",
		"wss://pbx.example.com": "",
		"http://x":              `url "http://x": scheme must be ws or wss`,
		"ws://":                 `url "ws:": host is missing`,
		"ws://a:b@x":            `url "ws://a:xxxxx@x": user names do not belong here, use Options.Header`,
	} {
		got := ""
		if err := CheckURL(url); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
}
