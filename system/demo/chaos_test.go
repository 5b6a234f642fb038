package demo

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"strowger/actors/clock/clocktest"
	"strowger/system/internal/hometest"
	"strowger/system/service"
)

// strikes is a log that passes on which faults have begun.
type strikes chan Fault

func (strikes) Enabled(context.Context, slog.Level) bool { return true }
func (s strikes) WithAttrs([]slog.Attr) slog.Handler     { return s }
func (s strikes) WithGroup(string) slog.Handler          { return s }
func (s strikes) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "fault" {
			s <- Fault(a.Value.String())
		}
		return true
	})
	return nil
}

func (s strikes) await(t *testing.T, want Fault) {
	t.Helper()
	select {
	case got := <-s:
		if got != want {
			t.Fatalf("fault %s, want %s", got, want)
		}
	case <-time.After(hometest.Patience):
		t.Fatalf("fault %s never begins", want)
	}
}

// broken is a clock service that is to be broken.
type broken struct {
	*hometest.Home
	chaos  *Chaos
	victim *victim
	began  strikes
}

func newBroken(t *testing.T, random func() float64) *broken {
	t.Helper()
	began, clock := make(strikes, 100), clocktest.New()
	chaos := NewChaos(ChaosOptions{Clock: clock, Random: random, Log: slog.New(began)})
	s := Clock(Options{Clock: clock, Random: random, Chaos: chaos})
	return &broken{hometest.Start(t, s, clock), chaos, chaos.victims[0], began}
}

func half() float64 { return 0.5 }

var root = hometest.Person{Permissions: []string{ChaosPermission}}

// TestFaults orders each fault, by request and by schedule, and wants the service to work afterwards.
func TestFaults(t *testing.T) {
	restarts := func(t *testing.T, b *broken) { b.AwaitState(service.Restarting) }
	// after lets the clock run to the next start, d from now.
	after := func(b *broken, t *testing.T, d time.Duration) {
		b.Clock.AwaitTimer(t, d)
		b.Clock.Advance(d)
	}
	backoff := supervision().Backoff / 2 // as random is a half
	tests := map[Fault]func(t *testing.T, b *broken){
		RequestPanic: restarts,
		EventPanic:   restarts,
		TimerPanic:   restarts,
		SourcePanic:  restarts,
		WorkPanic:    restarts,
		StartPanic: func(t *testing.T, b *broken) {
			restarts(t, b)
			after(b, t, backoff)
		},
		Storm: func(t *testing.T, b *broken) {
			restarts(t, b)
			after(b, t, backoff)
			after(b, t, 2*backoff)
			b.AwaitState(service.Down)
			after(b, t, supervision().CoolDown)
		},
		Hang: func(t *testing.T, b *broken) {
			after(b, t, supervision().PingEvery)
			after(b, t, supervision().PingTimeout)
			b.AwaitState(service.Restarting)
		},
	}
	for fault, follow := range tests {
		t.Run(string(fault)+" by request", func(t *testing.T) {
			b := newBroken(t, half)
			answer := b.Answer(b.Ask(root, chaosTopic, chaosOrder{fault}))
			want := hometest.Said{Topic: chaosTopic, Code: 200, RequestID: answer.RequestID, Payload: `{"fault":"` + string(fault) + `"}`}
			if fault == RequestPanic {
				want.Code, want.Payload = 500, ""
			}
			if answer != want {
				t.Errorf("answer is %+v, want %+v", answer, want)
			}
			b.began.await(t, fault)
			follow(t, b)
			b.checkWorks(t)
		})
		t.Run(string(fault)+" by schedule", func(t *testing.T) {
			b := newBroken(t, half)
			b.victim.orders <- fault
			b.began.await(t, fault)
			if fault == RequestPanic {
				if got := b.Answer(b.Ask(hometest.Person{}, "now", nil)); got.Code != 500 {
					t.Errorf("the next request is answered %+v", got)
				}
			}
			follow(t, b)
			b.checkWorks(t)
		})
	}
}

// checkWorks wants the service to come up, answer and tick.
func (b *broken) checkWorks(t *testing.T) {
	t.Helper()
	b.AwaitState(service.Up)
	if got := b.Answer(b.Ask(hometest.Person{}, "now", nil)); got.Code != 200 {
		t.Errorf("afterwards it answers %+v", got)
	}
	b.Clock.AwaitTimer(t, time.Second)
	b.Clock.Advance(time.Second)
	b.Broadcast("tick")
}

// TestLeaks wants leaks to be bounded, and a crash to end them.
func TestLeaks(t *testing.T) {
	b := newBroken(t, half)
	for i := range mostLeaks {
		if got := b.Answer(b.Ask(root, chaosTopic, chaosOrder{Leak})); got.Code != 200 {
			t.Fatalf("leak %d is answered %+v", i, got)
		}
		b.began.await(t, Leak)
	}
	if got := b.Answer(b.Ask(hometest.Person{}, "now", nil)); got.Code != 200 {
		t.Errorf("with leaks it answers %+v", got)
	}
	b.Ask(root, chaosTopic, chaosOrder{Leak})
	b.began.await(t, Leak)
	b.AwaitState(service.Restarting)
	b.checkWorks(t)
	// goleak finds those that do not end.
}

// TestStartsAreForgiven wants a start that comes late to succeed, as a probe of the breaker must be
// able to.
func TestStartsAreForgiven(t *testing.T) {
	b := newBroken(t, half)
	b.victim.starts.Store(stormStarts)
	b.victim.until.Store(b.victim.now())
	b.Ask(root, chaosTopic, chaosOrder{EventPanic})
	b.AwaitState(service.Restarting)
	b.checkWorks(t)
	if n := b.victim.starts.Load(); n != stormStarts {
		t.Errorf("%d starts are left to fail, so one did", n)
	}
}

func TestUnknownFault(t *testing.T) {
	b := newBroken(t, half)
	got := b.Answer(b.Ask(root, chaosTopic, map[string]string{"fault": "meteor"}))
	if want := `{"reason":"fault is none of [request event timer source work start storm hang leak]"}`; got.Code != 400 || got.Payload != want {
		t.Errorf("got %+v", got)
	}
}

// TestSchedule wants faults at their times, of services and kinds that the random source chooses.
func TestSchedule(t *testing.T) {
	var turn atomic.Int64
	// Before the first fault, service, fault; before the second, service, fault; before the third.
	numbers := []float64{0, 0, 0.99, 0.5, 0.99, 0, 0.999}
	random := func() float64 { return numbers[min(int(turn.Add(1))-1, len(numbers)-1)] }
	clock := clocktest.New()
	chaos := NewChaos(ChaosOptions{Clock: clock, Random: random, Interval: 10 * time.Second})
	first, second := chaos.victim("first"), chaos.victim("second")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		chaos.Run(ctx)
	}()
	for _, want := range []struct {
		after  time.Duration
		victim *victim
		fault  Fault
	}{{5 * time.Second, first, Leak}, {10 * time.Second, second, RequestPanic}} {
		clock.AwaitTimer(t, want.after)
		clock.Advance(want.after)
		select {
		case got := <-want.victim.orders:
			if got != want.fault {
				t.Errorf("%s gets %s, want %s", want.victim.service, got, want.fault)
			}
		case <-time.After(hometest.Patience):
			t.Fatalf("%s is spared", want.victim.service)
		}
	}
	clock.AwaitTimer(t, 14990*time.Millisecond)
	cancel()
	<-ended
}

// TestBusyVictimIsSpared has the schedule go on while a service does not take its faults.
func TestBusyVictimIsSpared(t *testing.T) {
	clock := clocktest.New()
	chaos := NewChaos(ChaosOptions{Clock: clock, Random: func() float64 { return 0 }})
	v := chaos.victim("busy")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		chaos.Run(ctx)
	}()
	for range 3 {
		clock.AwaitTimer(t, 2500*time.Millisecond)
		clock.Advance(2500 * time.Millisecond)
	}
	clock.AwaitTimer(t, 2500*time.Millisecond)
	cancel()
	<-ended
	if n := len(v.orders); n != 1 {
		t.Errorf("%d faults wait", n)
	}
}

func TestWithoutChaos(t *testing.T) {
	clock := clocktest.New()
	h := hometest.Start(t, Clock(Options{Clock: clock}), clock)
	if got := h.Answer(h.Ask(root, chaosTopic, chaosOrder{EventPanic})); got.Code != 404 {
		t.Errorf("got %+v", got)
	}
}
