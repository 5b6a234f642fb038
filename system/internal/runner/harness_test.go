package runner

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/clock/clocktest"
	"strowger/actors/envelope"
	"strowger/system/internal/supervisor"
	"strowger/system/service"
)

// patience is how long a test waits for what must happen; only a test that fails takes that long.
const patience = 2 * time.Minute

// rig is a home in which one service runs under a supervisor with a clock that stands still.
type rig struct {
	t        *testing.T
	clock    *clocktest.Clock
	instance *Instance
	system   *actor.ActorSystem
	root     *actor.PID
	said     chan *envelope.Envelope // but for states
	states   chan string             // condition, with its retry_after
	dead     chan *service.DeadLetter
	room     chan struct{} // closed: Room does not block
	released atomic.Int64
	asks     int
	stopped  bool
}

// Say keeps what is said for the test.
func (r *rig) Say(e *envelope.Envelope) {
	topic, _ := envelope.Text(e.Topic)
	if topic != service.StateTopic || e.ResourceID != nil {
		r.said <- e
		return
	}
	var state struct {
		State      string
		RetryAfter float64 `json:"retry_after"`
	}
	if err := json.Unmarshal(e.Payload, &state); err != nil {
		r.t.Errorf("state %s: %v", e.Payload, err)
	}
	if state.RetryAfter > 0 {
		state.State += " " + strconv.FormatFloat(state.RetryAfter, 'f', -1, 64)
	}
	r.states <- state.State
}

// Room blocks as long as the test wants it to.
func (r *rig) Room(ctx context.Context) error {
	select {
	case <-r.room:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// start runs a service until the test ends.
func start(t *testing.T, s *service.Service) *rig {
	t.Helper()
	r := newRig(t, s)
	r.run()
	r.state("up")
	return r
}

func newRig(t *testing.T, s *service.Service) *rig {
	t.Helper()
	return newRigIn(t, s, func(r *rig) Home { return r })
}

// newRigIn is newRig with the rig as a part of another home.
func newRigIn(t *testing.T, s *service.Service, in func(*rig) Home) *rig {
	t.Helper()
	r := &rig{t: t, clock: clocktest.New(), said: make(chan *envelope.Envelope, 4096), states: make(chan string, 4096),
		dead: make(chan *service.DeadLetter, 4096), room: make(chan struct{})}
	close(r.room)
	if s.Name == "" {
		s.Name = "test"
	}
	var err error
	r.instance, err = New(s, in(r), Options{Clock: r.clock, Random: func() float64 { return 0.5 }, Pool: 2,
		OnDead: func(d *service.DeadLetter) { r.dead <- d }})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) run() {
	r.t.Helper()
	r.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}), actor.WithDeadLetterThrottleInterval(time.Millisecond))
	props, err := supervisor.New(supervisor.Options{Children: []supervisor.Spec{r.instance.Spec()},
		Observe: r.instance.Observe, Clock: r.clock, Random: func() float64 { return 0.5 }})
	if err != nil {
		r.t.Fatal(err)
	}
	r.root = r.system.Root.Spawn(props)
	r.t.Cleanup(r.stop)
}

// stop is what a home does at its end.
func (r *rig) stop() {
	if r.stopped {
		return
	}
	r.stopped = true
	_, err := r.system.Root.RequestFuture(r.root, &supervisor.Shutdown{}, patience).Result()
	if err != nil {
		r.t.Errorf("shutdown: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.instance.Wait(ctx); err != nil {
		r.t.Error(err)
	}
}

// ask sends a request of subscriber "sub" and returns its id.
func (r *rig) ask(topic string, payload string) string {
	r.asks++
	id := fmt.Sprintf("%q", strconv.Itoa(r.asks))
	r.askAs("sub", id, topic, payload)
	return id
}

func (r *rig) askAs(sender, id, topic, payload string) {
	e := &envelope.Envelope{ServiceName: r.instance.name, Topic: envelope.QuoteString(topic), ResourceID: envelope.QuoteString(sender),
		RequestID: envelope.Raw(id), Payload: envelope.Raw(payload)}
	r.instance.Ask(&Ask{Envelope: e, Held: releaser(func() { r.released.Add(1) })})
}

// next returns what the service says next, as "id code topic payload"; a broadcast is "topic payload".
func (r *rig) next() string {
	r.t.Helper()
	e := await(r.t, r.said)
	topic, _ := envelope.Text(e.Topic)
	payload := "null"
	if e.Payload != nil {
		payload = string(e.Payload)
	}
	if e.ResourceID == nil {
		return topic + " " + payload
	}
	return fmt.Sprintf("%s %s %s %s", e.RequestID, e.StatusCode, topic, payload)
}

func (r *rig) want(want ...string) {
	r.t.Helper()
	for _, w := range want {
		if got := r.next(); got != w {
			r.t.Fatalf("the service says %s, want %s", got, w)
		}
	}
}

// state waits for the next changes of state.
func (r *rig) state(want ...string) {
	r.t.Helper()
	for _, w := range want {
		if got := await(r.t, r.states); got != w {
			r.t.Fatalf("state %q, want %q", got, w)
		}
	}
}

// quiet checks that nothing was said that nobody asked about.
func (r *rig) quiet() {
	r.t.Helper()
	select {
	case e := <-r.said:
		r.t.Errorf("the service says %s", e.Append(nil))
	default:
	}
}

func await[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("waited too long")
		panic("unreachable")
	}
}

// ping asks a service that has pong among its topics whether it lives.
func (r *rig) ping() {
	r.t.Helper()
	r.want(r.ask("ping", "") + ` 200 ping "pong"`)
}

func pong(r service.Request) error { r.Reply("pong"); return nil }

func quoted(id int) string { return strconv.Quote(strconv.Itoa(id)) }

// open waits until so many requests are open: the answer is said a moment before a request is closed.
func (r *rig) open(want int) {
	r.t.Helper()
	for end := time.Now().Add(patience); r.instance.State().Open != want; runtime.Gosched() {
		if time.Now().After(end) {
			r.t.Fatalf("%d requests are open, want %d", r.instance.State().Open, want)
		}
	}
}

// after waits until a timer is set for d from now, and lets it fire.
func (r *rig) after(d time.Duration) {
	r.clock.AwaitTimer(r.t, d)
	r.clock.Advance(d)
}

// releaser is a function that is called for what a request holds.
type releaser func()

func (f releaser) Release() { f() }
