package remote

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"strowger/actors/envelope"
	"strowger/client"
	"strowger/client/clienttest"
	"strowger/system/internal/runner"
	"strowger/system/service"
	"strowger/system/service/servicetest"
)

// TestServeSuite plays the suite of all homes over a real WebSocket.
func TestServeSuite(t *testing.T) {
	servicetest.Run(t, func(t *testing.T, s *service.Service) servicetest.Home {
		return serve(t, s, Options{})
	})
}

// served is a router with one service behind a real connection, and with callers in the test.
type served struct {
	t        *testing.T
	router   *clienttest.Router
	instance *runner.Instance
	cancel   context.CancelFunc
	done     chan error // what Serve returned
	stop     sync.Once

	mu      sync.Mutex // protects following
	peer    *clienttest.Peer
	callers map[string]*caller
}

// serve starts a service and lets it log in.
func serve(t *testing.T, s *service.Service, opts Options) *served {
	t.Helper()
	h := &served{t: t, router: clienttest.New(t), done: make(chan error, 1), callers: make(map[string]*caller)}
	if opts.Client.Reconnect.Max == 0 {
		opts.Client.Reconnect = client.Reconnect{Min: time.Millisecond, Max: time.Millisecond}
	}
	ctx, cancel := context.WithCancel(context.Background())
	h.cancel = cancel
	server, err := New(h.router.URL, tokens(), s, opts)
	if err != nil {
		t.Fatal(err)
	}
	h.instance = server.instance
	go func() { h.done <- server.Run(ctx) }()
	t.Cleanup(func() { h.Stop(t) })
	h.login()
	watch := h.Call(t)
	for h.instance.State().Condition != service.Up {
		watch.Next()
	}
	watch.Leave()
	return h
}

// login takes the service's next connection and passes on what it says.
func (h *served) login() clienttest.Token {
	h.t.Helper()
	p := h.router.Accept()
	token := p.Login()
	h.mu.Lock()
	h.peer = p
	h.mu.Unlock()
	ended := make(chan struct{})
	h.t.Cleanup(func() {
		h.Stop(h.t)
		p.Conn.Close()
		<-ended
	})
	go func() {
		defer close(ended)
		h.read(p)
	}()
	return token
}

// read routes what the service says until the connection ends.
func (h *served) read(p *clienttest.Peer) {
	for {
		op, data, err := p.ReadFrame()
		if err != nil {
			return
		}
		switch op {
		case 1:
			m, err := envelope.Decode(data, envelope.MaxDepth)
			if err != nil {
				h.t.Errorf("router: message %q: %v", data, err)
				return
			}
			if m.Authentication {
				h.write(p, 1, envelope.Authenticated.Answer(&m.Envelope).Append(nil))
				continue
			}
			h.route(&m.Envelope)
		case 8:
			h.write(p, 8, data)
			p.Conn.Close()
		}
	}
}

func (h *served) route(e *envelope.Envelope) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if to, _ := envelope.Text(e.ResourceID); to != "" {
		if c := h.callers[to]; c != nil {
			c.arrived <- e
		}
		return
	}
	for _, c := range h.callers {
		c.arrived <- e
	}
}

// write sends one frame; a connection that is gone takes none.
func (h *served) write(p *clienttest.Peer, op byte, data []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, _ = p.Conn.Write(clienttest.Frame(op, data))
}

func (h *served) Call(t *testing.T) servicetest.Caller {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := &caller{t: t, home: h, id: strconv.Itoa(len(h.callers)) + envelope.NewID(), arrived: make(chan *envelope.Envelope, 1<<14)}
	h.callers[c.id] = c
	return c
}

func (h *served) Stop(t *testing.T) {
	t.Helper()
	h.stop.Do(func() {
		h.cancel()
		if err := await(t, h.done); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
}

type caller struct {
	t       *testing.T
	home    *served
	id      string
	arrived chan *envelope.Envelope
}

func (c *caller) Send(topic, id, payload string) {
	e := &envelope.Envelope{ServiceName: []byte(`"servicetest"`), Topic: envelope.QuoteString(topic), ResourceID: envelope.QuoteString(c.id),
		DomainName: envelope.QuoteString(servicetest.DomainName), DomainUUID: envelope.QuoteString(servicetest.DomainUUID),
		Permissions: []byte(`{"` + servicetest.Permission + `":true}`)}
	if id != "" {
		e.RequestID = []byte(id)
	}
	if payload != "" {
		e.Payload = []byte(payload)
	}
	c.home.mu.Lock()
	p := c.home.peer
	c.home.mu.Unlock()
	c.home.write(p, 1, e.Append(nil))
}

func (c *caller) Next() servicetest.Message {
	c.t.Helper()
	return servicetest.MessageOf(c.t, await(c.t, c.arrived))
}

func (c *caller) Leave() {
	c.home.mu.Lock()
	defer c.home.mu.Unlock()
	delete(c.home.callers, c.id)
}

func await[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(clienttest.Patience):
		t.Fatal("waited too long")
		panic("unreachable")
	}
}
