package remote

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/client"
	"strowger/client/clienttest"
	"strowger/config/policy"
	"strowger/system/service"
	"strowger/system/service/servicetest"
)

// echo is a service that keeps requests to topic keep.
func echo(ended chan<- error) *service.Service {
	return &service.Service{Name: "servicetest", Setup: func(s service.Setup) error {
		count := 0
		s.Handle("count", func(r service.Request) error { count++; r.Reply(count); return nil })
		s.Handle("long", func(r service.Request) error {
			r.Broadcast("long", strings.Repeat("x", 700))
			r.Reply(strings.Repeat("x", 700))
			return nil
		})
		s.Handle("keep", func(r service.Request) error {
			r.Go(func(ctx context.Context) func() {
				r.Stream("kept", nil)
				<-ctx.Done()
				ended <- ctx.Err()
				return nil
			})
			return nil
		})
		return nil
	}}
}

func ask(t *testing.T, c servicetest.Caller, id, topic, want string) {
	t.Helper()
	c.Send(topic, id, "")
	if m := servicetest.NextBut(c); m.ID != id || m.Topic+" "+string(m.Payload) != want {
		t.Fatalf("got %s %s %s, want %s %s", m.ID, m.Topic, m.Payload, id, want)
	}
}

// TestServeReconnects: the service goes on with its state, under a fresh token; what was asked over
// the lost connection is over.
func TestServeReconnects(t *testing.T) {
	ended := make(chan error, 1)
	h := serve(t, echo(ended), Options{})
	c := h.Call(t)
	ask(t, c, `1`, "count", "count 1")
	ask(t, c, `2`, "keep", "kept null")
	h.peer.Conn.Close()
	if err := await(t, ended); !errors.Is(err, context.Canceled) {
		t.Errorf("the request's context ended with %v", err)
	}
	if token := h.login(); token.Name != "name2" {
		t.Errorf("token %q, want a fresh one", token.Name)
	}
	ask(t, c, `3`, "count", "count 2")
	if s := h.instance.State(); s.Restarts != 0 {
		t.Errorf("state %+v", s)
	}
	if got := h.instance.Counters().Gone.Load(); got != 1 {
		t.Errorf("%d requests ended with the connection, want 1", got)
	}
}

// TestServeFirst starts a service before its router.
func TestServeFirst(t *testing.T) {
	router := clienttest.New(t)
	attempts := 0
	opts := Options{Client: client.Options{Reconnect: client.Reconnect{Min: time.Millisecond, Max: time.Millisecond}}}
	opts.Client.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if attempts++; attempts < 4 {
			return nil, errors.New("nobody there")
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	online := make(chan client.State, 1)
	opts.Client.OnState = func(state client.State, _ error) {
		if state == client.StateOnline {
			online <- state
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, router.URL, tokens(), echo(nil), opts) }()
	p := router.Accept()
	p.Login()
	await(t, online)
	cancel()
	for {
		op, data, err := p.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if op == 8 {
			p.Frame(8, data)
			break
		}
		if strings.Contains(string(data), leavingID) {
			left(p)
		}
	}
	if err := await(t, done); err != nil {
		t.Error(err)
	}
}

func TestServeEnds(t *testing.T) {
	fast := client.Reconnect{Min: time.Millisecond, Max: time.Millisecond, Refusals: 2}
	never := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("nobody there") }
	refuse := func(context.Context) (client.Token, error) { return client.Token{}, client.ErrUnauthorized }
	greeter := func(t *testing.T) string {
		r := clienttest.New(t)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		t.Cleanup(func() { cancel(); <-ended })
		go func() {
			defer close(ended)
			for {
				select {
				case conn := <-r.Conns:
					r.Conns <- conn
					r.Accept().Greet()
				case <-ctx.Done():
					return
				}
			}
		}()
		return r.URL
	}
	address := func(*testing.T) string { return "ws://127.0.0.1:1/" }
	tests := map[string]struct {
		url   func(t *testing.T) string
		token client.TokenSource
		s     *service.Service
		opts  Options
		is    error
		want  string
	}{
		"address":       {func(*testing.T) string { return "http://x" }, tokens(), echo(nil), Options{}, nil, `serve: url "http://x": scheme must be ws or wss`},
		"no token":      {address, nil, echo(nil), Options{}, nil, "serve: token source is nil"},
		"service":       {address, tokens(), &service.Service{}, Options{}, nil, `serve: service "": name is empty`},
		"outbox":        {address, tokens(), echo(nil), Options{OutboxBytes: -1}, nil, "serve: options: OutboxBytes is -1, must not be negative"},
		"no router":     {address, tokens(), echo(nil), Options{Client: client.Options{Dial: never, Reconnect: client.Reconnect{Disabled: true}}}, nil, `serve "servicetest": dial: connect to 127.0.0.1:1: nobody there`},
		"token refused": {greeter, refuse, echo(nil), Options{Client: client.Options{Reconnect: fast}}, client.ErrUnauthorized, `serve "servicetest": dial: give up after 2 refused tokens: authenticate at `},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := Serve(t.Context(), test.url(t), test.token, test.s, test.opts)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("%v is not %v", err, test.is)
			}
		})
	}
	t.Run("cancelled while it cannot connect", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		attempts := 0
		err := Serve(ctx, address(t), tokens(), echo(nil), Options{Client: client.Options{Reconnect: fast,
			Dial: func(context.Context, string, string) (net.Conn, error) {
				if attempts++; attempts == 3 {
					cancel()
				}
				return nil, errors.New("nobody there")
			}}})
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("lost and not to reconnect", func(t *testing.T) {
		router := clienttest.New(t)
		done := make(chan error, 1)
		go func() {
			done <- Serve(context.Background(), router.URL, tokens(), echo(nil), Options{Client: client.Options{Reconnect: client.Reconnect{Disabled: true}}})
		}()
		p := router.Accept()
		p.Login()
		p.Conn.Close()
		if err := await(t, done); !errors.Is(err, client.ErrDisconnected) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("work that does not return", func(t *testing.T) {
		until := make(chan struct{})
		h := serve(t, &service.Service{Name: "servicetest", Supervision: service.Supervision{StopTimeout: 50 * time.Millisecond}, Setup: func(s service.Setup) error {
			s.Handle("hang", func(r service.Request) error {
				r.Go(func(context.Context) func() { r.Stream("hangs", nil); <-until; return nil })
				return nil
			})
			return nil
		}}, Options{Client: client.Options{CloseTimeout: 50 * time.Millisecond}})
		ask(t, h.Call(t), `1`, "hang", "hangs null")
		h.stop.Do(func() {
			h.cancel()
			err := await(t, h.done)
			if want := `serve "servicetest": service "servicetest": 1 sources or calls of Go still run: context deadline exceeded`; err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		})
		close(until)
	})
}

// TestServeTooLong: what the router would not take does not cost the connection.
func TestServeTooLong(t *testing.T) {
	h := serve(t, echo(nil), Options{Client: client.Options{Limits: client.Limits{MessageBytes: 600}}})
	c := h.Call(t)
	ask(t, c, `1`, "count", "count 1")
	c.Send("long", `2`, "")
	if m := servicetest.NextBut(c); m.ID != `2` || m.Status != 500 || m.Topic != "long" {
		t.Errorf("got %s %d %s with %d bytes", m.ID, m.Status, m.Topic, len(m.Payload))
	}
	ask(t, c, `3`, "count", "count 2")
}

// TestServeStranger: messages for another service are not ours.
func TestServeStranger(t *testing.T) {
	h := serve(t, echo(nil), Options{})
	h.write(h.peer, 1, []byte(`{"service_name":"other","topic":"count","request_id":1,"resource_id":"x"}`))
	c := h.Call(t)
	ask(t, c, `1`, "count", "count 1")
}

func TestOutbox(t *testing.T) {
	frames := func(o *outbox) (got []string, dropped uint64) {
		for {
			frame, lost := o.take()
			dropped += lost
			if frame == nil {
				return got, dropped
			}
			got = append(got, string(frame))
			o.handed()
		}
	}
	put := func(o *outbox, reply bool, frames ...string) {
		for _, f := range frames {
			o.put([]byte(f), reply)
		}
	}
	tests := map[string]struct {
		messages, bytes int
		do              func(o *outbox)
		want            []string
		dropped         uint64
	}{
		"in order":                  {4, 99, func(o *outbox) { put(o, false, "a", "b"); put(o, true, "c") }, []string{"a", "b", "c"}, 0},
		"too many":                  {4, 99, func(o *outbox) { put(o, false, "a", "b", "c", "d", "e") }, []string{"a", "b", "c", "d"}, 1},
		"a reply finds room":        {4, 99, func(o *outbox) { put(o, false, "a", "b", "c", "d"); put(o, true, "r", "s") }, []string{"a", "b", "c", "d", "r"}, 1},
		"too many bytes":            {9, 8, func(o *outbox) { put(o, false, "aaaa", "bbbbb", "cccc") }, []string{"aaaa", "cccc"}, 1},
		"a reply finds bytes":       {9, 8, func(o *outbox) { put(o, false, "aaaaaaaa"); put(o, true, "rrr", "ss") }, []string{"aaaaaaaa", "ss"}, 1},
		"the first always fits":     {9, 8, func(o *outbox) { put(o, false, "aaaaaaaaaaaaaaaa", "b") }, []string{"aaaaaaaaaaaaaaaa"}, 1},
		"closed, and not counted":   {4, 99, func(o *outbox) { put(o, false, "a"); o.reset(false); put(o, true, "b") }, nil, 0},
		"until it flows":            {4, 99, func(o *outbox) { o.reset(true); put(o, false, "a") }, nil, 0},
		"another connection begins": {4, 99, func(o *outbox) { put(o, false, "a"); o.reset(true); o.flow(); put(o, false, "b") }, []string{"b"}, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o := newOutbox(test.messages, test.bytes)
			o.reset(true)
			o.flow()
			test.do(o)
			got, dropped := frames(o)
			if !slices.Equal(got, test.want) || dropped != test.dropped {
				t.Errorf("got %q and %d dropped, want %q and %d", got, dropped, test.want, test.dropped)
			}
		})
	}
}

// TestOutboxRoom: who waits for room, or for the end, goes on when it is there.
func TestOutboxRoom(t *testing.T) {
	o := newOutbox(4, 99)
	o.reset(true)
	o.flow()
	for range 4 {
		o.put([]byte("x"), false)
	}
	expired, cancel := context.WithCancel(t.Context())
	cancel()
	if err := o.room(expired); !errors.Is(err, context.Canceled) {
		t.Errorf("room: %v", err)
	}
	room, flushed := make(chan error, 1), make(chan error, 1)
	go func() { room <- o.room(t.Context()) }()
	go func() { flushed <- o.flushed(t.Context()) }()
	for n := range 4 {
		if len(flushed) > 0 {
			t.Fatalf("flushed with %d left", 4-n)
		}
		o.take()
		o.handed()
		if n == 1 {
			if err := await(t, room); err != nil {
				t.Error(err)
			}
		}
	}
	if err := await(t, flushed); err != nil {
		t.Error(err)
	}
	o.put([]byte("x"), false)
	o.take()
	if err := o.flushed(expired); !errors.Is(err, context.Canceled) {
		t.Errorf("flushed while a frame is under way: %v", err)
	}
}

// Arguments that make no sense are errors, and a policy that nobody looks at is not dropped in silence.
func TestServeArguments(t *testing.T) {
	if err := Serve(t.Context(), "ws://127.0.0.1:1/", nil, nil, Options{}); err == nil || !strings.Contains(err.Error(), "the service is nil") {
		t.Errorf("a nil service: %v", err)
	}
	for name, r := range map[string]*Server{"nil": nil, "zero": new(Server)} {
		r.Reload()
		if err := r.Run(nil); err == nil || r.State().Service != "" { //nolint:staticcheck // a nil context is what is tested
			t.Errorf("a %s server runs: %v", name, err)
		}
	}
	nameless := &service.Service{Setup: func(service.Setup) error { return nil }}
	if _, err := New("ws://127.0.0.1:1/", tokens(), nameless, Options{}); err == nil || !strings.Contains(err.Error(), "name is empty") {
		t.Errorf("a service without a name: %v", err)
	}
	nowhere := &service.Service{Name: "weather", Setup: nameless.Setup}
	if err := Serve(nil, "", tokens(), nowhere, Options{}); err == nil || !strings.Contains(err.Error(), "scheme must be") { //nolint:staticcheck // as above
		t.Errorf("no url: %v", err)
	}
	var log bytes.Buffer
	opts := Options{Client: client.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}}
	s := &service.Service{Name: "weather", Policy: new(policy.Policy), Setup: func(service.Setup) error { return nil }}
	if _, err := New("ws://127.0.0.1:1/", nil, s, opts); err == nil {
		t.Error("a nil token source: no error")
	}
	if _, err := New("ws://127.0.0.1:1/", tokens(), s, opts); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "the service's policy is not used") {
		t.Errorf("log: %s", log.String())
	}
}
