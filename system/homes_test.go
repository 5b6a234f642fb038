package system

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"strowger/client"
	"strowger/system/service"
	serving "strowger/system/service/remote"
	"strowger/system/service/servicetest"
	"strowger/system/token"
)

// The same service behaves the same in the router's process and in another one.
func TestSuiteInside(t *testing.T) {
	servicetest.Run(t, func(t *testing.T, s *service.Service) servicetest.Home {
		cfg := testConfig(t)
		cfg.Routing.DefaultPolicy = "allow"
		system, stop := startStoppable(t, cfg, s)
		return &inside{system, stop, s.Name}
	})
}

func TestSuiteOutside(t *testing.T) {
	servicetest.Run(t, func(t *testing.T, s *service.Service) servicetest.Home {
		cfg := testConfig(t)
		cfg.Routing.DefaultPolicy = "allow"
		system, stop := startStoppable(t, cfg)
		h := &outside{inside: inside{system, stop, s.Name}}
		h.serve(t, s)
		return h
	})
}

// inside is a service in the process of a router.
type inside struct {
	system *System
	stop   func()
	name   string
}

func (h *inside) Call(t *testing.T) servicetest.Caller {
	return &suiteCaller{peer: join(t, h.system, token.Spec{Kind: token.User, Services: []string{h.name}, DomainName: servicetest.DomainName,
		DomainUUID: servicetest.DomainUUID, Permissions: []string{servicetest.Permission}}), name: h.name}
}

func (h *inside) Stop(*testing.T) { h.stop() }

// outside is one that has connected to a router.
type outside struct {
	inside
	cancel context.CancelFunc
	done   chan error
}

func (h *outside) serve(t *testing.T, s *service.Service) {
	t.Helper()
	source := func(context.Context) (client.Token, error) {
		return mint(t, h.system.running.Load().Tokens.Directory, remote(h.name, "suite_service")), nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	h.cancel, h.done = cancel, make(chan error, 1)
	online := make(chan struct{})
	var opts serving.Options
	opts.Client.OnState = func(state client.State, _ error) {
		if state == client.StateOnline {
			close(online)
		}
	}
	go func() {
		h.done <- serving.Serve(ctx, "ws://"+h.system.Addr().String()+"/", source, s, opts)
	}()
	t.Cleanup(func() { h.Stop(t) })
	select {
	case <-online:
	case <-time.After(patience):
		t.Fatal("the service does not come online")
	}
}

func (h *outside) Stop(t *testing.T) {
	t.Helper()
	h.cancel()
	if h.done == nil {
		return
	}
	if err := <-h.done; err != nil {
		t.Error(err)
	}
	h.done = nil
}

// suiteCaller speaks to one service.
type suiteCaller struct {
	*peer
	name string
}

func (c *suiteCaller) Send(topic, id, payload string) {
	message := fmt.Sprintf(`{"service":%q,"topic":%q`, c.name, topic)
	if id != "" {
		message += `,"request_id":` + id
	}
	if payload != "" {
		message += `,"payload":` + payload
	}
	c.sendf("%s}", message)
}

func (c *suiteCaller) Next() servicetest.Message {
	e := c.next()
	m := servicetest.Message{Service: e.Service, Topic: e.Topic, Payload: e.Payload}
	if id := string(e.RequestID); id != `""` {
		m.ID = id
	}
	if len(e.Code) > 0 && e.Code[0] != '"' {
		if err := json.Unmarshal(e.Code, &m.Status); err != nil {
			c.t.Errorf("status code %s: %v", e.Code, err)
		}
	}
	return m
}

func (c *suiteCaller) Leave() { c.leave() }
