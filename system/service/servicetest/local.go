package servicetest

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/clock"
	"strowger/actors/envelope"
	"strowger/system/internal/runner"
	"strowger/system/internal/supervisor"
	"strowger/system/service"
)

// Local is a home in the test's own process. There is no router: every caller gets every broadcast.
type Local struct {
	t        *testing.T
	instance *runner.Instance
	system   *actor.ActorSystem
	root     *actor.PID
	stop     sync.Once

	mu      sync.Mutex // protects following
	callers map[string]*local
}

var _ Home = (*Local)(nil)

// Options says how a Local runs its service. The zero value serves.
type Options struct {
	// Clock is what the service's Now, timers and deadlines go by; nil means the machine's.
	Clock Clock
	// Random returns a number in [0, 1); nil means math/rand/v2.
	Random func() float64
	// Log gets the life cycle at Info and crashes with their stack at Error. Nil means no log.
	Log *slog.Logger
	// Pool is how many calls of Go may run at once. 0 means 8.
	Pool int
	// OnDead is told what a crash has lost. It must not block. Nil means nobody is told.
	OnDead func(d *service.DeadLetter)
}

// Clock is the time of a test.
type Clock = clock.Clock

// Start runs a service until the test ends, and returns when it is up. It fails the test if the
// service is wrong or its breaker opens before it is up. Start panics if t is nil, because there is no
// test to fail.
func Start(t *testing.T, s *service.Service, o Options) *Local {
	if t == nil {
		panic("servicetest: Start: t is nil")
	}
	t.Helper()
	h := &Local{t: t, callers: make(map[string]*local)}
	var err error
	if h.instance, err = runner.New(s, home{h}, runner.Options{Clock: o.Clock, Random: o.Random, Log: o.Log, Pool: o.Pool, OnDead: o.OnDead}); err != nil {
		t.Fatal(err)
	}
	props, err := supervisor.New(supervisor.Options{Children: []supervisor.Spec{h.instance.Spec()},
		Observe: h.instance.Observe, Clock: o.Clock, Random: o.Random})
	if err != nil {
		t.Fatal(err)
	}
	watch := h.Call(t)
	h.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}), actor.WithDeadLetterThrottleInterval(time.Millisecond))
	h.root = h.system.Root.Spawn(props)
	t.Cleanup(func() { h.Stop(t) })
	for state := h.instance.State(); state.Condition != service.Up; state = h.instance.State() {
		if state.Condition == service.Down {
			t.Fatalf("service %q does not start: %s", h.instance.Name(), state.Reason)
		}
		watch.Next()
	}
	watch.Leave()
	return h
}

// Call returns a new subscriber of the service. A nil t means that of Start.
func (h *Local) Call(t *testing.T) Caller {
	if t == nil {
		t = h.t
	}
	c := &local{t: t, home: h, id: envelope.NewID(), arrived: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.callers[c.id] = c
	return c
}

// Stop stops the service as a router does. A nil t means that of Start.
func (h *Local) Stop(t *testing.T) {
	if t == nil {
		t = h.t
	}
	t.Helper()
	h.stop.Do(func() {
		if _, err := h.system.Root.RequestFuture(h.root, &supervisor.Shutdown{}, patience).Result(); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := h.instance.Wait(ctx); err != nil {
			t.Error(err)
		}
	})
}

// home is what the instance sees of a Local.
type home struct{ *Local }

// Say gives a reply to who asked and a broadcast to everybody.
func (h home) Say(e *envelope.Envelope) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e.ResourceID != nil {
		id, _ := envelope.Text(e.ResourceID)
		if c := h.callers[id]; c != nil {
			c.deliver(e)
		}
		return
	}
	for _, c := range h.callers {
		c.deliver(e)
	}
}

// Room never blocks: callers take everything.
func (h home) Room(ctx context.Context) error { return ctx.Err() }

// local is a subscriber in the same process.
type local struct {
	t       *testing.T
	home    *Local
	id      string
	arrived chan struct{} // receives after a delivery

	mu      sync.Mutex // protects following
	waiting []*envelope.Envelope
}

func (c *local) deliver(e *envelope.Envelope) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = append(c.waiting, e)
	select {
	case c.arrived <- struct{}{}:
	default:
	}
}

// Send asks the service.
func (c *local) Send(topic, id, payload string) {
	c.home.instance.Ask(&runner.Ask{Envelope: &envelope.Envelope{
		Topic: envelope.QuoteString(topic), RequestID: raw(id), Payload: raw(payload), ResourceID: envelope.QuoteString(c.id),
		DomainName: envelope.QuoteString(DomainName), DomainUUID: envelope.QuoteString(DomainUUID),
		Permissions: envelope.Raw(`{"` + Permission + `":true}`),
	}})
}

func raw(json string) envelope.Raw {
	if json == "" {
		return nil
	}
	return envelope.Raw(json)
}

// Next waits for what the service says to this subscriber.
func (c *local) Next() Message {
	c.t.Helper()
	timeout := time.After(patience)
	for {
		c.mu.Lock()
		if len(c.waiting) > 0 {
			e := c.waiting[0]
			c.waiting = c.waiting[1:]
			c.mu.Unlock()
			return MessageOf(c.t, e)
		}
		c.mu.Unlock()
		select {
		case <-c.arrived:
		case <-timeout:
			c.t.Fatal("nothing arrives")
		}
	}
}

// Leave ends the subscriber.
func (c *local) Leave() {
	c.home.mu.Lock()
	delete(c.home.callers, c.id)
	c.home.mu.Unlock()
	c.home.instance.Gone(c.id)
}
