package system

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"strowger/client"
	"strowger/system/service"
	serving "strowger/system/service/remote"
	"strowger/system/token"
)

// slowly answers one topic at once and the other after a while, outside the service's goroutine.
var slowly = &service.Service{Name: "slowly", Setup: func(s service.Setup) error {
	s.Handle("at once", func(r service.Request) error { r.Reply(nil); return nil })
	s.Handle("later", func(r service.Request) error {
		r.Go(func(context.Context) func() {
			<-time.After(10 * time.Millisecond)
			return func() { r.Reply(nil) }
		})
		return nil
	})
	return nil
}}

// deploy runs one instance of slowly and returns when the router knows it. stop ends it in good order.
func deploy(t *testing.T, s *System) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	online, done := make(chan struct{}), make(chan error, 1)
	var once, stopped sync.Once
	var opts serving.Options
	opts.Client.OnState = func(state client.State, _ error) {
		if state == client.StateOnline {
			once.Do(func() { close(online) })
		}
	}
	source := func(context.Context) (client.Token, error) {
		return mint(t, s.running.Load().Tokens.Directory, remote("slowly", "slowly_service")), nil
	}
	go func() { done <- serving.Serve(ctx, "ws://"+s.Addr().String()+"/", source, slowly, opts) }()
	stop = func() {
		stopped.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("serve: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	select {
	case <-online:
	case <-time.After(patience):
		t.Fatal("the service does not come online")
	}
	return stop
}

// Two instances are restarted one after the other, while clients ask all the time. No request fails.
func TestRollingRestart(t *testing.T) {
	for _, mode := range []string{"all", "balanced", "failover"} {
		t.Run(mode, func(t *testing.T) {
			cfg := testConfig(t)
			cfg.Routing.DefaultPolicy, cfg.Routing.Instances = "allow", mode
			s := start(t, cfg)
			stops := []func(){deploy(t, s), deploy(t, s)}
			const clients, restarts, between = 6, 8, 60
			var answers atomic.Int64
			var all sync.WaitGroup
			ctx, cancel := context.WithCancel(context.Background())
			for n := range clients {
				c, err := dial(s, mint(t, cfg.Tokens.Directory, token.Spec{Kind: token.User, UserName: "u"}), nil)
				if err != nil {
					t.Fatal(err)
				}
				topic := []string{"at once", "later"}[n%2]
				all.Go(func() {
					defer c.Close()
					for ctx.Err() == nil {
						if _, err := c.Request(context.Background(), "slowly", topic, nil); err != nil {
							t.Errorf("request %q: %v", topic, err)
							return
						}
						answers.Add(1)
					}
				})
			}
			for i := range restarts {
				seen := answers.Load()
				eventually(t, "requests are answered", func() bool { return answers.Load() >= seen+between || t.Failed() })
				stops[i%2]()
				stops[i%2] = deploy(t, s)
			}
			cancel()
			all.Wait()
			t.Logf("%d requests", answers.Load())
		})
	}
}
