package client

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
)

// Nil and empty arguments are errors.
func TestDialRefuses(t *testing.T) {
	nothing := func(context.Context, string, string) (net.Conn, error) { return nil, nil }
	for name, test := range map[string]struct {
		url   string
		token TokenSource
		opts  Options
		want  string
	}{
		"no token source": {"ws://127.0.0.1:1/", nil, Options{}, "token source is nil"},
		"no url":          {"", tokens(), Options{}, "scheme must be ws or wss"},
		"no host":         {"ws://", tokens(), Options{}, "host is missing"},
		"no connection":   {"ws://127.0.0.1:1/", tokens(), Options{Dial: nothing}, "Dial has returned no connection and no error"},
		"none for TLS":    {"wss://127.0.0.1:1/", tokens(), Options{Dial: nothing}, "Dial has returned no connection and no error"},
	} {
		t.Run(name, func(t *testing.T) {
			//nolint:staticcheck // a nil context is what is tested
			if _, err := Dial(nil, test.url, test.token, test.opts); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// A client that Dial has not made is closed.
func TestClientThatDialHasNotMade(t *testing.T) {
	for name, c := range map[string]*Client{"nil": nil, "zero": new(Client)} {
		t.Run(name, func(t *testing.T) {
			if _, err := c.Request(t.Context(), "a", "b", nil); !errors.Is(err, ErrClosed) {
				t.Errorf("request: %v", err)
			}
			for _, err := range c.Stream(t.Context(), "a", "b", nil) {
				if !errors.Is(err, ErrClosed) {
					t.Errorf("stream: %v", err)
				}
			}
			if err := c.Send(t.Context(), []byte("{}")); !errors.Is(err, ErrClosed) {
				t.Errorf("send: %v", err)
			}
			c.Listen("a", func(Message) {})()
			if c.State() != StateClosed {
				t.Errorf("state %v", c.State())
			}
			if err := c.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
}

// Nil and empty arguments of a client that is connected.
func TestNilArguments(t *testing.T) {
	r := newFakeRouter(t)
	done := r.dialing(nil, tokens(), Options{}) //nolint:staticcheck // a nil context is what is tested
	p := r.Accept()
	p.Login()
	d := <-done
	if d.err != nil {
		t.Fatal(d.err)
	}
	d.client.Listen("", nil)()
	for name, args := range map[string]struct {
		service string
		payload any
	}{
		"no service":    {"", nil},
		"authenticator": {authentication, nil},
		"a channel":     {"a", make(chan int)},
	} {
		if _, err := d.client.Request(nil, args.service, "", args.payload); err == nil { //nolint:staticcheck // as above
			t.Errorf("%s: no error", name)
		}
		n := 0
		for _, err := range d.client.Stream(nil, args.service, "", args.payload) { //nolint:staticcheck // as above
			if n++; err == nil {
				t.Errorf("%s: a reply", name)
			}
		}
		if n != 1 {
			t.Errorf("%s: %d ends of the stream", name, n)
		}
	}
	if err := (*Reply)(nil).Decode(nil); err == nil {
		t.Error("no reply was decoded")
	}
	if err := new(Reply).Decode(nil); err == nil {
		t.Error("decoded into nil")
	}
	r.shut(d.client)
}
