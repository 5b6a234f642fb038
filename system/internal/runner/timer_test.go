package runner

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"strowger/system/service"
)

// TestEvery looks at the times at which a timer runs: they stay on the grid.
func TestEvery(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	tests := map[string]struct {
		jitter   time.Duration
		advances []time.Duration // by which the clock moves
		want     []time.Duration // the time of the run that follows, since the start; 0: none
	}{
		"on time":         {0, []time.Duration{ms(99), ms(1), ms(99), ms(1)}, []time.Duration{0, ms(100), 0, ms(200)}},
		"late, no drift":  {0, []time.Duration{ms(130), ms(70), ms(100)}, []time.Duration{ms(130), ms(200), ms(300)}},
		"late, one skips": {0, []time.Duration{ms(100), ms(250), ms(50)}, []time.Duration{ms(100), ms(350), ms(400)}},
		"on a later one":  {0, []time.Duration{ms(300), ms(100)}, []time.Duration{ms(300), ms(400)}},
		"jitter":          {ms(20), []time.Duration{ms(109), ms(1), ms(99), ms(1)}, []time.Duration{0, ms(110), 0, ms(210)}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			ran := make(chan time.Time, 16)
			r := start(t, &service.Service{Setup: func(s service.Setup) error {
				s.Handle("ping", pong)
				s.Every(ms(100), func(c service.Context) { ran <- c.Now() }).Jitter(test.jitter)
				return nil
			}, Supervision: service.Supervision{PingEvery: -1}})
			began := r.clock.Now()
			for n, d := range test.advances {
				r.clock.Advance(d)
				if test.want[n] == 0 {
					r.ping()
					continue
				}
				if got := await(t, ran).Sub(began); got != test.want[n] {
					t.Fatalf("run %d at %s, want %s", n, got, test.want[n])
				}
				r.ping() // it is armed again
			}
			if len(ran) > 0 {
				t.Errorf("%d runs too many", len(ran))
			}
		})
	}
}

// TestSourceFails: a source that fails is called again after growing pauses, and the service does
// not notice.
func TestSourceFails(t *testing.T) {
	began := make(chan int, 16)
	lasts := make(chan struct{})
	runs := 0
	r := start(t, &service.Service{Supervision: service.Supervision{Backoff: 100 * time.Millisecond, BackoffCap: 300 * time.Millisecond, PingEvery: -1},
		Setup: func(s service.Setup) error {
			s.Handle("ping", pong)
			s.Source("flaky", func(ctx context.Context, emit service.Emit) error {
				runs++
				began <- runs
				if runs == 5 {
					<-lasts
				}
				if runs < 7 {
					return errors.New("not there")
				}
				return emit("last")
			}, func(c service.Context, event any) { c.Broadcast("event", event) })
			return nil
		}})
	for n, pause := range []time.Duration{50, 100, 150, 150} {
		if got := await(t, began); got != n+1 {
			t.Fatalf("run %d, want %d", got, n+1)
		}
		r.after(pause * time.Millisecond)
	}
	await(t, began)
	r.clock.Advance(10 * time.Second) // a run that lasts starts the pauses anew
	close(lasts)
	r.after(50 * time.Millisecond)
	await(t, began)
	r.after(100 * time.Millisecond)
	r.want(`event "last"`)
	r.ping()
	if s := r.instance.State(); s.Restarts != 0 || r.instance.Counters().Sources.Load() != 6 {
		t.Errorf("state %+v, %d failures", s, r.instance.Counters().Sources.Load())
	}
}

// TestBackpressure: a source waits for the service, and for the home.
func TestBackpressure(t *testing.T) {
	emitted, handle, ended := make(chan int, 16), make(chan struct{}), make(chan error, 1)
	s := &service.Service{Limits: service.Limits{Events: 2}, Setup: func(s service.Setup) error {
		s.Handle("ping", pong)
		s.Source("fast", func(ctx context.Context, emit service.Emit) error {
			for n := 0; ; n++ {
				if err := emit(n); err != nil {
					ended <- err
					return err
				}
				select {
				case emitted <- n:
				case <-ctx.Done():
				}
			}
		}, func(c service.Context, event any) { <-handle; c.Broadcast("event", event) })
		return nil
	}}
	r := newRig(t, s)
	r.room = make(chan struct{})
	r.run()
	r.state("up")
	r.ping()
	if len(emitted) > 0 {
		t.Fatal("emitted while the home had no room")
	}
	close(r.room)
	for n := range 3 { // one is being handled, which frees its place, and two wait
		if got := await(t, emitted); got != n {
			t.Fatalf("emitted %d, want %d", got, n)
		}
	}
	if got := r.instance.State(); got.Condition != service.Up {
		t.Errorf("state %+v", got)
	}
	select {
	case n := <-emitted:
		t.Fatalf("emitted %d, beyond the limit", n)
	default:
	}
	for n := range 100 {
		handle <- struct{}{}
		await(t, emitted)
		r.want("event " + strconv.Itoa(n))
	}
	close(handle)
	r.stop()
	if err := await(t, ended); !errors.Is(err, context.Canceled) {
		t.Errorf("emit ended with %v", err)
	}
}
