package admin

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/system/internal/introspect"
	"strowger/system/internal/supervisor"
)

func TestOptions(t *testing.T) {
	good := Options{Address: "127.0.0.1:0", Source: &fake{}, Log: slog.New(slog.DiscardHandler)}
	tests := map[string]struct {
		change func(*Options)
		want   string
	}{
		"no source":      {func(o *Options) { o.Source = nil }, "source"},
		"no log":         {func(o *Options) { o.Log = nil }, "log"},
		"no address":     {func(o *Options) { o.Address = "" }, "address"},
		"a bad address":  {func(o *Options) { o.Address = "127.0.0.1:99999" }, "invalid port"},
		"questions":      {func(o *Options) { o.Questions = -1 }, "limit is negative"},
		"connections":    {func(o *Options) { o.Connections = -1 }, "limit is negative"},
		"header bytes":   {func(o *Options) { o.HeaderBytes = -1 }, "limit is negative"},
		"actors":         {func(o *Options) { o.Actors = -1 }, "limit is negative"},
		"header timeout": {func(o *Options) { o.ReadTimeout = -1 }, "timeout is negative"},
		"write timeout":  {func(o *Options) { o.WriteTimeout = -1 }, "timeout is negative"},
		"idle timeout":   {func(o *Options) { o.IdleTimeout = -1 }, "timeout is negative"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o := good
			test.change(&o)
			s, err := Listen(o)
			if err == nil {
				_ = s.Stop(t.Context())
				t.Fatal("no error")
			}
			if !strings.HasPrefix(err.Error(), "admin: ") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %q, want %q", err, test.want)
			}
		})
	}
}

func TestStopFreesTheAddress(t *testing.T) {
	o := Options{Address: "127.0.0.1:0", Source: &fake{}, Log: slog.New(slog.DiscardHandler)}
	first, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	o.Address = first.Addr().String()
	if _, err := Listen(o); err == nil {
		t.Error("two servers on one address")
	}
	if err := first.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	second, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if err := second.Stop(t.Context()); err != nil {
		t.Errorf("stopped twice: %v", err)
	}
}

// A profile that would run for two minutes is no reason to stop late.
func TestStopEndsProfiles(t *testing.T) {
	s := listen(t, &fake{}, func(o *Options) { o.Profiling = true })
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("GET /debug/pprof/trace?seconds=120 HTTP/1.1\r\nHost: localhost\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// slow is a source whose tree is not there before it is released.
type slow struct {
	fake
	asked, release chan struct{}
}

func (s *slow) Ready() []introspect.Problem {
	close(s.asked)
	<-s.release
	return nil
}

func TestStopCutsOffWhatTakesTooLong(t *testing.T) {
	source := &slow{asked: make(chan struct{}), release: make(chan struct{})}
	s := listen(t, source, nil)
	var wg sync.WaitGroup
	wg.Go(func() { raw(t, s, "GET /readyz HTTP/1.0\r\n\r\n") })
	<-source.asked
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Stop(over); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that the time was over", err)
	}
	close(source.release)
	wg.Wait()
}

func newSystem() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}), actor.WithDeadLetterThrottleInterval(time.Millisecond))
}

// The actor takes the address as soon as it is free, and gives it back.
func TestActor(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listening := make(chan net.Addr, 1)
	o := Options{Address: taken.Addr().String(), Source: &fake{}, Log: slog.New(slog.DiscardHandler),
		Listening: func(addr net.Addr) { listening <- addr }}
	system := newSystem()
	opened := make(chan struct{}, 1000)
	props, err := supervisor.New(supervisor.Options{
		Children: []supervisor.Spec{{
			Name: "admin", Props: actor.PropsFromProducer(New(o)),
			Breaker: &supervisor.Breaker{CoolDown: time.Millisecond},
		}},
		Backoff: time.Millisecond,
		Observe: func(e supervisor.Event) {
			if _, ok := e.(*supervisor.BreakerOpened); ok {
				select {
				case opened <- struct{}{}:
				default:
				}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	root := system.Root.Spawn(props)
	<-opened
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	addr := <-listening
	if addr.String() != o.Address {
		t.Errorf("listens on %s, want %s", addr, o.Address)
	}
	if _, err := system.Root.RequestFuture(root, &supervisor.Shutdown{}, patience).Result(); err != nil {
		t.Fatal(err)
	}
	again, err := net.Listen("tcp", o.Address)
	if err != nil {
		t.Fatalf("the address is not free: %v", err)
	}
	_ = again.Close()
}

// spy is a holder that hands out its server.
type spy struct{ *holder }

func (s spy) Receive(ctx actor.Context) {
	if to, ok := ctx.Message().(chan *Server); ok {
		to <- s.server
		return
	}
	s.holder.Receive(ctx)
}

// When accepting ends by itself the actor fails, and comes back with a new listener.
func TestActorComesBack(t *testing.T) {
	listening := make(chan net.Addr, 1)
	o := Options{Address: "127.0.0.1:0", Source: &fake{}, Log: slog.New(slog.DiscardHandler),
		Listening: func(addr net.Addr) { listening <- addr }}
	system := newSystem()
	props, err := supervisor.New(supervisor.Options{Children: []supervisor.Spec{{Name: "admin",
		Props: actor.PropsFromProducer(func() actor.Actor { return spy{&holder{o: o}} })}}})
	if err != nil {
		t.Fatal(err)
	}
	root := system.Root.Spawn(props)
	first := <-listening
	answer, err := system.Root.RequestFuture(root, &supervisor.Inspect{}, patience).Result()
	if err != nil {
		t.Fatal(err)
	}
	server := make(chan *Server)
	system.Root.Send(answer.(*supervisor.Snapshot).Children[0].PID, server)
	_ = (<-server).listener.Close()
	second := <-listening
	if first.String() == second.String() {
		t.Errorf("the address is still %s", first)
	}
	if _, err := system.Root.RequestFuture(root, &supervisor.Shutdown{}, patience).Result(); err != nil {
		t.Fatal(err)
	}
}
