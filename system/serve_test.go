package system

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/lxzan/gws"

	"strowger/client"
	"strowger/system/service"
	"strowger/system/service/servicetest"
	"strowger/system/token"
	"strowger/transport/wire"
)

// TestServe plays the suite of all homes with a service in a place of its own, the real router and
// callers that speak to it as pages do.
func TestServe(t *testing.T) {
	servicetest.Run(t, func(t *testing.T, s *service.Service) servicetest.Home {
		cfg := testConfig(t)
		h := &outside{system: start(t, cfg), tokens: cfg.Tokens.Directory, done: make(chan error, 1)}
		ctx, cancel := context.WithCancel(context.Background())
		h.cancel = cancel
		online, started := make(chan struct{}), make(chan *service.Instance, 1)
		opts := client.ServeOptions{Started: func(i *service.Instance) { started <- i }}
		opts.OnState = func(state client.State, _ error) {
			if state == client.StateOnline {
				close(online)
			}
		}
		source := func(context.Context) (client.Token, error) {
			return mint(t, h.tokens, token.Spec{ServiceName: s.Name}), nil
		}
		go func() { h.done <- client.Serve(ctx, "ws://"+h.system.Addr().String()+"/", source, s, opts) }()
		t.Cleanup(func() { h.Stop(t) })
		select {
		case <-online:
		case <-time.After(patience):
			t.Fatal("the service does not come online")
		}
		i := <-started
		for watch := h.Call(t); i.State().Condition != service.Up; {
			watch.Send(service.StateTopic, `1`, "")
			watch.Next()
		}
		return h
	})
}

// outside is a router with a service that is served from outside.
type outside struct {
	system *System
	tokens string
	cancel context.CancelFunc
	done   chan error
	once   sync.Once
}

func (h *outside) Stop(t *testing.T) {
	t.Helper()
	h.once.Do(func() {
		h.cancel()
		select {
		case err := <-h.done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(patience):
			t.Error("serve does not return")
		}
	})
}

func (h *outside) Call(t *testing.T) servicetest.Caller {
	t.Helper()
	p := &page{t: t, arrived: make(chan *wire.Message, 1<<14), ended: make(chan struct{})}
	conn, _, err := gws.NewClient(p, &gws.ClientOption{Addr: "ws://" + h.system.Addr().String() + "/"})
	if err != nil {
		t.Fatal(err)
	}
	p.conn = conn
	go func() {
		defer close(p.ended)
		conn.ReadLoop()
	}()
	t.Cleanup(p.Leave)
	p.next() // 407
	made := mint(t, h.tokens, token.Spec{Services: []string{"servicetest"}, Permissions: []string{servicetest.Permission},
		DomainName: servicetest.DomainName, DomainUUID: servicetest.DomainUUID})
	p.write(fmt.Sprintf(`{"service":"authentication","token":{"name":%q,"hash":%q}}`, made.Name, made.Hash))
	if m := p.next(); string(m.StatusCode) != "200" {
		t.Fatalf("token answered with %s", m.StatusCode)
	}
	return p
}

// page is a browser's side of a connection.
type page struct {
	gws.BuiltinEventHandler
	t       *testing.T
	conn    *gws.Conn
	arrived chan *wire.Message
	ended   chan struct{}
}

func (p *page) OnMessage(_ *gws.Conn, m *gws.Message) {
	data := append([]byte(nil), m.Bytes()...)
	m.Close()
	e, err := wire.Decode(data, wire.MaxDepth)
	if err != nil {
		p.t.Errorf("message %q: %v", data, err)
		return
	}
	p.arrived <- e
}

func (p *page) next() *wire.Message {
	p.t.Helper()
	select {
	case m := <-p.arrived:
		return m
	case <-time.After(patience):
		p.t.Fatal("nothing arrives")
		panic("unreachable")
	}
}

func (p *page) write(message string) {
	p.t.Helper()
	if err := p.conn.WriteMessage(gws.OpcodeText, []byte(message)); err != nil {
		p.t.Errorf("write: %v", err)
	}
}

func (p *page) Send(topic, id, payload string) {
	p.t.Helper()
	if id == "" {
		id = `""`
	}
	if payload == "" {
		payload = "null"
	}
	p.write(fmt.Sprintf(`{"request_id":%s,"service":"servicetest","topic":%q,"payload":%s}`, id, topic, payload))
}

func (p *page) Next() servicetest.Message {
	p.t.Helper()
	return servicetest.MessageOf(p.t, &p.next().Envelope)
}

func (p *page) Leave() {
	_ = p.conn.WriteClose(1000, nil)
	_ = p.conn.NetConn().Close()
	<-p.ended
}
