package transport

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors"
	"strowger/actors/clock"
	"strowger/actors/filter"
	"strowger/actors/runtime"
)

// patience is how long a test waits for what must happen, on a slow machine and under the race detector too.
const patience = 2 * time.Minute

// namedTokens grants what a token's name says: "client", "client:SERVICE+SERVICE" or "service:SERVICE".
type namedTokens struct{}

func (namedTokens) Claim(name, _ string, admit func(actors.Role) error) (*actors.Credentials, error) {
	role, service, _ := strings.Cut(name, ":")
	switch role {
	case "client":
		c := &actors.Credentials{Role: actors.Client}
		if service != "" {
			c.Services = strings.Split(service, "+")
		}
		if err := admit(c.Role); err != nil {
			return nil, err
		}
		return c, nil
	case "service":
		return &actors.Credentials{Role: actors.Service, Service: service}, nil
	}
	return nil, errors.New("unknown token")
}

// freePool runs everything at once.
type freePool struct{ running sync.WaitGroup }

func (w *freePool) Go(_ string, f func()) bool {
	w.running.Go(f)
	return true
}

func testLimits() *Limits {
	return &Limits{
		Connections: 2000, HeaderBytes: 8 << 10, HeaderTimeout: patience,
		UnauthenticatedBytes: 64 << 10, UnauthenticatedTotal: 64 << 20, ClientBytes: 1 << 20, ServiceBytes: 16 << 20,
		InboundMessages: 64, ServiceInboundMessages: 256,
		OutboundMessages: 1024, OutboundBytes: 4 << 20,
		WriteTimeout: patience, TCPKeepAlive: 15 * time.Second,
	}
}

// newDeps logs to log, to nothing without one.
func newDeps(log *slog.Logger) *actors.Deps {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	settings := new(atomic.Pointer[actors.Settings])
	settings.Store(&actors.Settings{Depth: 64, AuthenticationTimeout: patience, AuthenticationAttempts: 3, Policies: actors.NewPolicies(nil, nil, filter.Pass()),
		RequestTimeout: patience, PendingRequests: 64})
	d := &actors.Deps{
		Runtime: runtime.New(actor.NewActorSystem(
			actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }),
			actor.WithDeadLetterThrottleInterval(time.Millisecond)), clock.Wall{}, log),
		Tokens: namedTokens{}, Pool: new(freePool), Counters: new(actors.Counters),
		Settings: settings, Registry: new(actors.Registry),
	}
	d.Supervise()
	return d
}

// rig is an egress with its shards and nothing in front of it.
type rig struct {
	*Egress
	t      testing.TB
	deps   *actors.Deps
	limits *atomic.Pointer[Limits]
	stop   sync.Once
}

func newRig(t testing.TB, change func(*Limits)) *rig { return newRigWithLog(t, nil, change) }

func newRigWithLog(t testing.TB, log *slog.Logger, change func(*Limits)) *rig {
	r := &rig{t: t, deps: newDeps(log), limits: new(atomic.Pointer[Limits])}
	l := testLimits()
	if change != nil {
		change(l)
	}
	r.limits.Store(l)
	e, err := NewEgress(r.deps, r.limits)
	if err != nil {
		t.Fatal(err)
	}
	r.Egress, r.deps.Egress = e, e
	t.Cleanup(r.end)
	return r
}

func (r *rig) end() {
	r.stop.Do(func() {
		r.Egress.Stop()
		r.deps.Stop()
	})
}

// settle returns when the shards have handled all that was posted before the call.
func (r *rig) settle() {
	for _, sh := range r.shards {
		var w runtime.Window
		w.SetBudget(1)
		w.Acquire(1)
		nobody := &socket{shard: sh, reader: new(reader), admitted: true, closing: true, finished: true}
		sh.inbox.Post(order{socket: nobody, message: actors.Message{Lease: runtime.NewLease(&w, 1)}})
		w.Acquire(1)
	}
}

// tick lets every shard believe that it is now.
func (r *rig) tick(now time.Time) {
	for _, sh := range r.shards {
		sh.post(&tick{now: now})
	}
	r.settle()
}

// ahead lets every shard believe that it is an hour later, and returns that time. The egress ticks every second
// as well, but a shard's time never goes back, so from now on it passes as the test says.
func (r *rig) ahead() time.Time {
	now := time.Now().Add(time.Hour)
	r.tick(now)
	return now
}

// server is a router without a configuration: real sockets, real actors, tokens by name.
type server struct {
	*rig
	*Server
	router   actors.RouterRef
	acceptor *actor.PID
	stop     sync.Once
}

func newServer(t testing.TB, config *tls.Config, change func(*Limits)) *server {
	s := listen(t, nil, config, change)
	s.begin()
	return s
}

// listen returns a server that takes nothing in until begin. It logs to log, to nothing without one.
func listen(t testing.TB, log *slog.Logger, config *tls.Config, change func(*Limits)) *server {
	s := &server{rig: newRigWithLog(t, log, change)}
	var err error
	s.router = actors.SpawnRouter(s.deps)
	s.Server, err = Listen("127.0.0.1:0", s.Egress, Options{
		Limits: s.limits, TLS: config, Log: s.deps.Log, Deps: s.deps})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// begin takes connections in until the test ends.
func (s *server) begin() {
	s.Server.Open()
	s.acceptor = s.deps.System.Root.Spawn(s.Server.Props(s.router))
	s.t.Cleanup(s.shut)
}

// shut stops the way a system does, without patience for anybody.
func (s *server) shut() {
	s.stop.Do(func() {
		s.StopListening()
		s.CloseAll()
		s.AbortAll()
		_ = s.deps.System.Root.PoisonFuture(s.acceptor).Wait()
		s.Wait()
		s.deps.Pool.(*freePool).running.Wait()
		_ = s.deps.System.Root.PoisonFuture(s.router.PID()).Wait()
		s.end()
	})
}

// eventually polls for what no event tells of.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); !holds(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}
