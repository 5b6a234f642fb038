// Package hometest runs a service in a test: under a supervisor as in the router, but without one,
// and with a clock that stands still until the test moves it.
package hometest

import (
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/clock/clocktest"
	"strowger/actors/envelope"
	"strowger/system/internal/runner"
	"strowger/system/internal/supervisor"
	"strowger/system/service"
)

// Patience is how long a test waits for what must happen; only one that fails takes that long.
const Patience = 2 * time.Minute

// Home is where one service runs. Its methods are for the test's own goroutine.
type Home struct {
	Clock    *clocktest.Clock
	Instance *runner.Instance

	t     testing.TB
	said  chan *envelope.Envelope
	after []Said // read already, and not yet looked at
	last  int    // request id
}

// Said is what the service has said.
type Said struct {
	Topic     string
	Code      int    // 0: a broadcast
	RequestID string // empty: a broadcast
	Payload   string // JSON
}

// Person is who asks.
type Person struct {
	Domain      string
	Permissions []string
	Extensions  []string
}

// subscriber is the resource id of whoever asks.
const subscriber = "5ca1ab1e"

// Start runs the service until t ends, and waits for its sources and work then.
func Start(t testing.TB, s *service.Service, clock *clocktest.Clock) *Home {
	t.Helper()
	h := &Home{Clock: clock, t: t, said: make(chan *envelope.Envelope, 100_000)}
	random := func() float64 { return 0.5 }
	var err error
	h.Instance, err = runner.New(s, sink{h.said}, runner.Options{Clock: clock, Random: random})
	if err != nil {
		t.Fatal(err)
	}
	props, err := supervisor.New(supervisor.Options{Children: []supervisor.Spec{h.Instance.Spec()}, Clock: clock,
		Random: random, Observe: h.Instance.Observe})
	if err != nil {
		t.Fatal(err)
	}
	silent := func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }
	system := actor.NewActorSystem(actor.WithLoggerFactory(silent), actor.WithDeadLetterThrottleInterval(time.Millisecond))
	pid := system.Root.Spawn(props)
	t.Cleanup(func() {
		if _, err := system.Root.RequestFuture(pid, &supervisor.Shutdown{}, Patience).Result(); err != nil {
			t.Errorf("stop service: %v", err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), Patience)
		defer cancel()
		if err := h.Instance.Wait(ctx); err != nil {
			t.Error(err)
		}
	})
	h.AwaitState(service.Up)
	return h
}

// sink is the runner.Home.
type sink struct{ said chan<- *envelope.Envelope }

func (s sink) Say(e *envelope.Envelope) { s.said <- e }

func (s sink) Room(ctx context.Context) error { return ctx.Err() }

// Ask sends a request and returns its id.
func (h *Home) Ask(who Person, topic string, payload any) (id string) {
	h.t.Helper()
	h.last++
	id = strconv.Itoa(h.last)
	permissions := map[string]bool{}
	for _, permission := range who.Permissions {
		permissions[permission] = true
	}
	h.Instance.Ask(&runner.Ask{
		Envelope: &envelope.Envelope{
			ServiceName: envelope.QuoteString(h.Instance.Name()), Topic: envelope.QuoteString(topic), Payload: h.encode(payload),
			RequestID: envelope.QuoteString(id), ResourceID: envelope.QuoteString(subscriber),
			DomainName: envelope.QuoteString(who.Domain), Permissions: h.encode(permissions),
		},
		User: service.User{Extensions: who.Extensions},
	})
	return id
}

func (h *Home) encode(v any) envelope.Raw {
	h.t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		h.t.Fatal(err)
	}
	return data
}

// Advance moves the clock and waits until the service has dealt with what became due. Where a test
// moves it often, this keeps the supervisor from taking a service for hung that is only behind.
func (h *Home) Advance(d time.Duration) {
	h.t.Helper()
	h.Clock.Advance(d)
	barrier := h.Ask(Person{}, "hometest.barrier", nil)
	var after []Said
	h.Next("404", func(s Said) bool {
		if s.RequestID == barrier {
			return true
		}
		after = append(after, s)
		return false
	})
	h.after = after
}

// Next returns the next thing that the service says and match wants, and forgets all before it. It
// fails the test if there is none.
func (h *Home) Next(what string, match func(s Said) bool) Said {
	h.t.Helper()
	return h.next(what, match, func() <-chan struct{} { return nil })
}

// Answer returns the next answer to a request.
func (h *Home) Answer(id string) Said {
	h.t.Helper()
	return h.Next("the answer to "+id, to(id))
}

// AnswerAfter is Answer, but moves the clock by d whenever a timer is set to exactly that.
func (h *Home) AnswerAfter(id string, d time.Duration) Said {
	h.t.Helper()
	return h.next("the answer to "+id, to(id), func() <-chan struct{} {
		set, changed := h.Clock.Due(d)
		for ; set; set, changed = h.Clock.Due(d) {
			h.Clock.Advance(d)
		}
		return changed
	})
}

func to(id string) func(s Said) bool { return func(s Said) bool { return s.RequestID == id } }

// next calls wait before it waits, and again when the channel that it returned is closed.
func (h *Home) next(what string, match func(s Said) bool, wait func() <-chan struct{}) Said {
	h.t.Helper()
	deadline := time.NewTimer(Patience)
	defer deadline.Stop()
	for len(h.after) > 0 {
		s := h.after[0]
		h.after = h.after[1:]
		if match(s) {
			return s
		}
	}
	for {
		changed := wait()
		select {
		case e := <-h.said:
			if s := h.read(e); match(s) {
				return s
			}
		case <-changed:
		case <-deadline.C:
			h.t.Fatalf("service never said %s", what)
		}
	}
}

// Broadcast returns the next broadcast of a topic.
func (h *Home) Broadcast(topic string) Said {
	h.t.Helper()
	return h.Next("broadcast "+topic, func(s Said) bool { return s.RequestID == "" && s.Topic == topic })
}

// AwaitState waits until the service says that it is in that condition.
func (h *Home) AwaitState(c service.Condition) {
	h.t.Helper()
	h.Next(string(c), func(s Said) bool {
		var state struct{ State service.Condition }
		return s.Topic == service.StateTopic && json.Unmarshal([]byte(s.Payload), &state) == nil && state.State == c
	})
}

// read also checks what must hold for everything that is said.
func (h *Home) read(e *envelope.Envelope) Said {
	h.t.Helper()
	var s Said
	s.Topic, _ = envelope.Text(e.Topic)
	s.RequestID, _ = envelope.Text(e.RequestID)
	s.Payload = string(e.Payload)
	to, _ := envelope.Text(e.ResourceID)
	if (to == subscriber) != (s.RequestID != "") {
		h.t.Errorf("%s has request id %q but resource id %q", s.Topic, s.RequestID, to)
	}
	// A broadcast has none, so no number.
	s.Code, _ = strconv.Atoi(string(e.StatusCode))
	return s
}
