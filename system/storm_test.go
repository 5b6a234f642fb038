package system

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"strowger/client"
	"strowger/system/service"
	"strowger/system/token"
)

// stormTime is how long the storm lasts; STROWGER_STORM sets another one.
func stormTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("STROWGER_STORM")
	if text == "" {
		return 2 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		t.Fatalf("STROWGER_STORM=%q: want a time such as 30s", text)
	}
	return d
}

// steady echoes. It broadcasts the next number, from 0 on, whenever it is asked to.
func steady(name string) *service.Service {
	return &service.Service{
		Name:   name,
		Policy: service.Everyone(),
		Setup: func(s service.Setup) error {
			n := 0
			s.Handle("echo", func(r service.Request) error {
				r.Reply(r.Payload())
				return nil
			})
			s.Handle("next", func(r service.Request) error {
				r.Broadcast("n", n)
				n++
				r.Reply(nil)
				return nil
			})
			return nil
		},
	}
}

// shaky echoes, and panics at every tenth request of its life or lives.
func shaky(name string) *service.Service {
	var asked atomic.Int64
	return &service.Service{
		Name:   name,
		Policy: service.Everyone(),
		Setup: func(s service.Setup) error {
			s.Handle("echo", func(r service.Request) error {
				if asked.Add(1)%10 == 0 {
					panic("every tenth")
				}
				r.Reply(r.Payload())
				return nil
			})
			return nil
		},
		// So that it is back at once, in place or after a moment, and never for long out of service.
		Supervision: service.Supervision{Intensity: 1 << 30, Period: 10 * time.Millisecond,
			Backoff: time.Millisecond, BackoffCap: 5 * time.Millisecond},
	}
}

// caller is one connection of the storm. It hears the steady services and asks all of them.
type caller struct {
	client *client.Client
	news   chan<- struct{} // gets a value for each number that came
	mu     sync.Mutex      // Protects the fields below.
	heard  map[string]int
	wrong  error
}

func (c *caller) hear(m client.Message) {
	var n int
	if err := json.Unmarshal(m.Payload, &n); err != nil {
		return // a change of state
	}
	c.mu.Lock()
	if next := c.heard[m.Service]; (n != next || m.Missed > 0) && c.wrong == nil {
		c.wrong = fmt.Errorf("%s: %d came in place of %d, %d missed", m.Service, n, next, m.Missed)
	}
	c.heard[m.Service] = n + 1
	c.mu.Unlock()
	c.news <- struct{}{}
}

// drum has the steady services broadcast until ctx ends, and again once everybody has heard the last
// number. A slow machine therefore has fewer broadcasts and not a longer queue of them.
func drum(ctx context.Context, c *caller, news <-chan struct{}, connections int) error {
	for round := 0; ctx.Err() == nil; round++ {
		for _, name := range []string{"b", "c"} {
			if _, err := c.client.Request(context.Background(), name, "next", nil); err != nil {
				return err
			}
		}
		patience := time.After(2 * time.Minute)
		for i := range 2 * connections {
			select {
			case <-news:
			case <-patience:
				return fmt.Errorf("%d of %d broadcasts with number %d came", i, 2*connections, round)
			}
		}
	}
	return nil
}

// outcomes counts how requests to the shaky service ended.
type outcomes struct{ good, crashed, down atomic.Int64 }

func (o *outcomes) count(err error) error {
	var status *client.StatusError
	switch {
	case err == nil:
		o.good.Add(1)
	case errors.As(err, &status) && status.Code == 500:
		o.crashed.Add(1)
	case errors.As(err, &status) && status.Code == 503:
		o.down.Add(1)
	default:
		return err
	}
	return nil
}

// patient connects, however long that takes on a busy machine.
func patient(t *testing.T, s *System, spec token.Spec) *client.Client {
	t.Helper()
	made := mint(t, s.cfg.Tokens.Directory, spec)
	source := func(context.Context) (client.Token, error) { return made, nil }
	c, err := client.Dial(context.Background(), "ws://"+s.Addr().String()+"/", source,
		client.Options{ConnectTimeout: 2 * time.Minute, RequestTimeout: 2 * time.Minute, Reconnect: client.Reconnect{Disabled: true}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// run asks one service after the other until ctx ends.
func (c *caller) run(ctx context.Context, o *outcomes, asked *atomic.Int64) error {
	for i := 0; ctx.Err() == nil; i++ {
		for _, name := range []string{"b", "c"} {
			reply, err := c.client.Request(context.Background(), name, "echo", i)
			if err != nil {
				return err
			}
			if string(reply.Payload) != fmt.Sprint(i) {
				return fmt.Errorf("%s echoed %s for %d", name, reply.Payload, i)
			}
		}
		asked.Add(1)
		_, err := c.client.Request(context.Background(), "a", "echo", i)
		if err := o.count(err); err != nil {
			return err
		}
	}
	return nil
}

// One of three services crashes all the time: nobody's connection and nobody else's message is
// lost, and whoever asks the crashing one has an answer.
func TestCrashStorm(t *testing.T) {
	connections := 2000
	if testing.Short() {
		connections = 100
	}
	cfg := testConfig(t)
	s := start(t, cfg, shaky("a"), steady("b"), steady("c"))
	callers := make([]*caller, connections)
	news := make(chan struct{}, 2*connections)
	for i := range callers {
		c := &caller{heard: make(map[string]int), news: news}
		c.client = patient(t, s, token.Spec{Kind: token.User, Services: []string{"b", "c"}})
		c.client.Listen("", c.hear)
		callers[i] = c
	}

	var (
		o       outcomes
		asked   atomic.Int64
		running sync.WaitGroup
	)
	ctx, cancel := context.WithTimeout(context.Background(), stormTime(t))
	defer cancel()
	for _, c := range callers {
		running.Go(func() {
			if err := c.run(ctx, &o, &asked); err != nil {
				t.Error(err)
			}
		})
	}
	running.Go(func() {
		if err := drum(ctx, callers[0], news, connections); err != nil {
			t.Error(err)
		}
	})
	running.Wait()
	for i, c := range callers {
		c.mu.Lock()
		if c.wrong != nil {
			t.Errorf("connection %d: %v", i, c.wrong)
		}
		c.mu.Unlock()
		if state := c.client.State(); state != client.StateOnline {
			t.Errorf("connection %d is %v", i, state)
		}
	}

	counters := s.services.get("a").instance.Counters()
	panics := int64(counters.Panics.Load())
	t.Logf("%d requests to the crashing service: %d replies, %d times 500, %d times 503, %d panics",
		asked.Load(), o.good.Load(), o.crashed.Load(), o.down.Load(), panics)
	if sum := o.good.Load() + o.crashed.Load() + o.down.Load(); sum != asked.Load() {
		t.Errorf("%d of %d requests answered", sum, asked.Load())
	}
	if panics == 0 || o.crashed.Load() != panics {
		t.Errorf("%d panics and %d requests answered with 500, want as many and more than none", panics, o.crashed.Load())
	}
	if got := s.Connections(); got != connections {
		t.Errorf("%d connections, want %d", got, connections)
	}
	if n := s.counters().SlowConsumers.Load(); n != 0 {
		t.Errorf("%d connections cut off", n)
	}
}
