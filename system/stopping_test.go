package system

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"strowger/actors"
	"strowger/system/internal/introspect"
	"strowger/system/service"
)

// stuck is a switch and a database that do not stop before the test ends.
type stuck struct {
	everything
	until <-chan struct{}
}

func (s stuck) Stop()                    { <-s.until }
func (s stuck) Stats() introspect.Switch { return introspect.Switch{} }

type stuckDatabase struct {
	everything
	until <-chan struct{}
}

func (s stuckDatabase) Close()                     { <-s.until }
func (s stuckDatabase) Stats() introspect.Database { return introspect.Database{} }

// TestEverybodyIsToldToGo: whatever hangs, connections are closed with 1001 before the time for stopping is over, and Stop
// returns.
func TestEverybodyIsToldToGo(t *testing.T) {
	const timeout = 8 * time.Second
	for name, hang := range map[string]func(s *System, c *peer, until <-chan struct{}){
		"a service": func(_ *System, c *peer, _ <-chan struct{}) {
			c.sendf(`{"service":"hanger","topic":"begin","request_id":"1"}`)
			c.gets(`200 hanger/begun #"1" null`)
		},
		"the router or a topic": func(s *System, _ *peer, until <-chan struct{}) {
			hangs := make(chan struct{})
			s.way.Send(&actors.Fence{Done: func() { close(hangs); <-until }})
			<-hangs
		},
		"the switch and the database": func(*System, *peer, <-chan struct{}) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			until := make(chan struct{})
			free := sync.OnceFunc(func() { close(until) })
			t.Cleanup(free)
			hanger := &service.Service{Name: "hanger", Policy: service.Everyone(), Supervision: service.Supervision{StopTimeout: time.Hour, PingEvery: -1},
				Setup: func(s service.Setup) error {
					s.Handle("begin", func(r service.Request) error { r.Stream("begun", nil); <-until; return nil })
					return nil
				}}
			cfg := testConfig(t)
			cfg.Shutdown.Timeout = timeout
			s, err := New(Options{Config: cfg, Log: slog.New(slog.DiscardHandler), Switch: stuck{until: until}, Database: stuckDatabase{until: until}}, hanger)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Start(); err != nil {
				t.Fatal(err)
			}
			c := join(t, s, user("one.example", nil, "hanger"))
			hang(s, c, until)
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			_ = s.Stop(ctx) // an error if the time was over
			<-c.closed
			if c.code != 1001 {
				t.Errorf("the connection was closed with %d, want 1001", c.code)
			}
		})
	}
}
