package runner

import (
	"context"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/envelope"
	"strowger/system/internal/supervisor"
	"strowger/system/service"
)

// counter is a home that counts what it is told.
type counter chan struct{}

func (c counter) Say(e *envelope.Envelope) {
	if e.ResourceID != nil {
		c <- struct{}{}
	}
}
func (counter) Room(context.Context) error { return nil }

func benchmark(b *testing.B, s *service.Service) (*Instance, counter) {
	b.Helper()
	home := make(counter, 1<<16)
	i, err := New(s, home, Options{})
	if err != nil {
		b.Fatal(err)
	}
	props, err := supervisor.New(supervisor.Options{Children: []supervisor.Spec{i.Spec()}, Observe: i.Observe})
	if err != nil {
		b.Fatal(err)
	}
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}), actor.WithDeadLetterThrottleInterval(time.Millisecond))
	root := system.Root.Spawn(props)
	b.Cleanup(func() {
		if _, err := system.Root.RequestFuture(root, &supervisor.Shutdown{}, patience).Result(); err != nil {
			b.Error(err)
		}
		if err := i.Wait(b.Context()); err != nil && b.Context().Err() == nil {
			b.Error(err)
		}
	})
	for i.State().Condition != service.Up {
		runtime.Gosched()
	}
	return i, home
}

func question(topic string) *envelope.Envelope {
	return &envelope.Envelope{Topic: envelope.QuoteString(topic), RequestID: envelope.Raw(`"1"`), ResourceID: envelope.Raw(`"0123456789abcdef0123456789abcdef"`),
		Payload: envelope.Raw(`{}`), Permissions: envelope.Raw(`{"a":true}`)}
}

// BenchmarkAsk is a request through a service and back, a hundred under way at a time.
func BenchmarkAsk(b *testing.B) {
	i, home := benchmark(b, &service.Service{Name: "bench", Setup: func(s service.Setup) error {
		s.Handle("ping", func(r service.Request) error { r.Reply("pong"); return nil })
		return nil
	}})
	e := question("ping")
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		i.Ask(&Ask{Envelope: e})
		if n >= 100 {
			<-home
		}
	}
}

// BenchmarkPanicToNextAnswer crashes a service, with the next request waiting behind.
func BenchmarkPanicToNextAnswer(b *testing.B) {
	i, home := benchmark(b, &service.Service{Name: "bench", Setup: func(s service.Setup) error {
		s.Handle("ping", func(r service.Request) error { r.Reply("pong"); return nil })
		s.Handle("crash", func(service.Request) error { panic("boom") })
		return nil
	}, Supervision: service.Supervision{Period: time.Nanosecond}}) // every crash is isolated
	crash, ping := question("crash"), question("ping")
	for b.Loop() {
		i.Ask(&Ask{Envelope: crash})
		i.Ask(&Ask{Envelope: ping})
		<-home
		<-home
	}
	if got := i.Counters().Refused.Load(); got > 0 {
		b.Errorf("%d requests were refused", got)
	}
}
