package runner

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/envelope"
	"strowger/system/service"
)

// waiting is a service that answers late or not at all.
func waiting(limits service.Limits) (s *service.Service, entered chan struct{}, ends chan error) {
	entered, ends = make(chan struct{}, 16), make(chan error, 16)
	return &service.Service{Limits: limits, Supervision: service.Supervision{PingEvery: -1}, Setup: func(s service.Setup) error {
		var kept []service.Request
		s.Handle("ping", pong)
		s.Handle("keep", func(r service.Request) error { kept = append(kept, r); entered <- struct{}{}; return nil })
		s.Handle("late", func(r service.Request) error {
			for _, k := range kept {
				k.Reply("late")
			}
			r.Reply(len(kept))
			return nil
		})
		s.Handle("work", func(r service.Request) error {
			r.Go(func(ctx context.Context) func() {
				entered <- struct{}{}
				<-ctx.Done()
				ends <- ctx.Err()
				return nil
			})
			return nil
		})
		return nil
	}}, entered, ends
}

func TestDeadline(t *testing.T) {
	s, entered, ends := waiting(service.Limits{})
	s.RequestTimeout = time.Minute
	r := start(t, s)
	early := r.ask("keep", "")
	r.clock.Advance(time.Second)
	later := r.ask("work", "")
	soon := envelope.Envelope{Topic: envelope.Raw(`"keep"`), RequestID: envelope.Raw(`"soon"`), ResourceID: envelope.Raw(`"x"`)}
	r.instance.Ask(&Ask{Envelope: &soon, Deadline: r.clock.Now().Add(10 * time.Second)})
	for range 3 {
		await(t, entered)
	}
	r.clock.Advance(10*time.Second - 1)
	r.ping()
	r.clock.Advance(1)
	r.want(`"soon" 504 keep null`)
	r.clock.Advance(49*time.Second - 1)
	r.ping()
	r.clock.Advance(1)
	r.want(early + ` 504 keep null`)
	r.clock.Advance(time.Second)
	r.want(later + ` 504 work null`)
	if err := await(t, ends); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the context ended with %v", err)
	}
	r.want(r.ask("late", "") + ` 200 late 2`) // who was answered is not answered again
	c := r.instance.Counters()
	if timeouts, surplus := c.Timeouts.Load(), c.Surplus.Load(); timeouts != 3 || surplus != 2 {
		t.Errorf("%d timeouts and %d answers too late, want 3 and 2", timeouts, surplus)
	}
}

func TestGone(t *testing.T) {
	s, entered, ends := waiting(service.Limits{})
	r := start(t, s)
	for range 2 { // as many as the pool takes
		r.askAs("a", `1`, "work", "")
		await(t, entered)
	}
	r.askAs("b", `1`, "work", "")
	r.askAs("c", `1`, "work", "")
	r.instance.Gone("nobody")
	r.instance.Gone("a")
	for range 2 {
		if err := await(t, ends); !errors.Is(err, context.Canceled) {
			t.Errorf("the context ended with %v", err)
		}
		await(t, entered) // those of b and c
	}
	r.ping()
	r.open(2)
	r.instance.AllGone()
	for range 2 {
		await(t, ends)
	}
	r.open(0)
	r.ping()
	r.quiet()
	if got := r.instance.Counters().Gone.Load(); got != 4 {
		t.Errorf("%d requests were left, want 4", got)
	}
}

func TestLimits(t *testing.T) {
	t.Run("open", func(t *testing.T) {
		s, entered, _ := waiting(service.Limits{Open: 2})
		r := start(t, s)
		r.ask("keep", "")
		r.ask("keep", "")
		await(t, entered)
		await(t, entered)
		r.want(r.ask("ping", "") + ` 503 ping {"retry_after":1}`)
		r.clock.Advance(30 * time.Second)
		r.want(`"1" 504 keep null`, `"2" 504 keep null`)
		r.ping()
	})
	t.Run("mailbox", func(t *testing.T) {
		entered, until := make(chan struct{}), make(chan struct{})
		r := start(t, &service.Service{Limits: service.Limits{Mailbox: 2}, Setup: func(s service.Setup) error {
			s.Handle("ping", pong)
			s.Handle("block", func(r service.Request) error { close(entered); <-until; r.Reply(nil); return nil })
			return nil
		}})
		block := r.ask("block", "")
		await(t, entered)
		a, b := r.ask("ping", ""), r.ask("ping", "")
		r.want(r.ask("ping", "") + ` 503 ping {"retry_after":1}`)
		r.instance.Gone("sub") // who leaves does not empty the mailbox
		r.askAs("sub", `9`, "ping", "")
		r.want(`9 503 ping {"retry_after":1}`)
		close(until)
		r.open(0)
		for r.instance.State().Queued > 0 {
			r.open(0)
		}
		r.ping()
		_, _, _ = block, a, b // got nothing, as they had left
		r.quiet()
	})
	t.Run("work", func(t *testing.T) {
		s, entered, _ := waiting(service.Limits{Work: 1})
		r := start(t, s)
		for range 3 { // two run, one waits
			r.ask("work", "")
		}
		await(t, entered)
		await(t, entered)
		r.want(r.ask("work", "") + ` 503 work {"retry_after":1}`)
		r.instance.Gone("sub")
		await(t, entered)
		r.ping()
		if got := r.instance.Counters().Busy.Load(); got != 1 {
			t.Errorf("%d found no place, want 1", got)
		}
	})
	t.Run("work without a request", func(t *testing.T) {
		until, took := make(chan struct{}), make(chan []bool, 1)
		r := start(t, &service.Service{Limits: service.Limits{Work: 1}, Setup: func(s service.Setup) error {
			s.After(time.Second, func(c service.Context) {
				var ok []bool
				for range 4 {
					ok = append(ok, c.Go(func(context.Context) func() { <-until; return nil }))
				}
				took <- ok
			})
			return nil
		}})
		r.after(time.Second)
		if got := await(t, took); !slices.Equal(got, []bool{true, true, true, false}) {
			t.Errorf("taken: %v", got)
		}
		close(until)
	})
	t.Run("timers", func(t *testing.T) {
		r := start(t, &service.Service{Limits: service.Limits{Timers: 2}, Setup: func(s service.Setup) error {
			s.Handle("ping", pong)
			s.Handle("timer", func(r service.Request) error { r.Every(time.Hour, func(service.Context) {}); r.Reply(nil); return nil })
			s.Handle("once", func(r service.Request) error {
				r.After(time.Second, func(service.Context) { r.Reply("fired") })
				return nil
			})
			s.Handle("stopped", func(r service.Request) error {
				r.After(time.Second, func(service.Context) {}).Stop()
				r.Reply(nil)
				return nil
			})
			return nil
		}})
		r.want(r.ask("timer", "") + ` 200 timer null`)
		for range 3 { // over is over
			r.want(r.ask("stopped", "") + ` 200 stopped null`)
			id := r.ask("once", "")
			r.after(time.Second)
			r.want(id + ` 200 once "fired"`)
		}
		r.want(r.ask("timer", "") + ` 200 timer null`)
		r.want(r.ask("timer", "") + ` 500 timer null`)
		r.state("restarting", "up")
		r.ping()
	})
}

// TestDefaults holds what the documentation says.
func TestDefaults(t *testing.T) {
	s, err := withDefaults(&service.Service{Name: "x", Setup: func(service.Setup) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	if want := (service.Limits{Open: 16384, Mailbox: 4096, Work: 1024, Events: 64, Timers: 4096, Abandoned: 3}); s.Limits != want {
		t.Errorf("limits %+v, want %+v", s.Limits, want)
	}
	want := service.Supervision{Intensity: 5, Period: 10 * time.Second, Backoff: 100 * time.Millisecond, BackoffCap: 30 * time.Second,
		CoolDown: 30 * time.Second, Quiet: 30 * time.Second, PingEvery: 5 * time.Second, PingTimeout: 10 * time.Second, WorkTimeout: 5 * time.Minute,
		StopTimeout: 5 * time.Second}
	if s.Supervision != want {
		t.Errorf("supervision %+v, want %+v", s.Supervision, want)
	}
	o, err := Options{}.withDefaults()
	if err != nil || o.Pool != 8 || o.RequestTimeout != 30*time.Second {
		t.Errorf("options %+v, %v", o, err)
	}
	s.Supervision.PingEvery = -1
	if spec := spec(&s); spec.PingEvery != 0 || !spec.Drain || spec.Breaker == nil {
		t.Errorf("spec %+v", spec)
	}
}

func TestWrongServices(t *testing.T) {
	setup := func(service.Setup) error { return nil }
	tests := map[string]struct {
		s    service.Service
		o    Options
		want string
	}{
		"no name":       {service.Service{Setup: setup}, Options{}, `service "": name is empty`},
		"no UTF-8":      {service.Service{Name: "a\xff", Setup: setup}, Options{}, `service "a\xff": name is not UTF-8`},
		"nil actor":     {service.Service{Name: "a", Setup: setup}, Options{Actor: []actor.PropsOption{nil}}, `service "a": actor option 1 of 1 is nil`},
		"slash":         {service.Service{Name: "a/b", Setup: setup}, Options{}, `service "a/b": name has a slash`},
		"reserved":      {service.Service{Name: "authentication", Setup: setup}, Options{}, `service "authentication": name is the router's own`},
		"no setup":      {service.Service{Name: "a"}, Options{}, `service "a": setup is nil`},
		"limit":         {service.Service{Name: "a", Setup: setup, Limits: service.Limits{Open: -1}}, Options{}, `service "a": limit open is -1, must not be negative`},
		"duration":      {service.Service{Name: "a", Setup: setup, Supervision: service.Supervision{Quiet: -1}}, Options{}, `service "a": quiet is -1ns, must not be negative`},
		"all of it":     {service.Service{Name: "/", RequestTimeout: -1}, Options{}, "service \"/\": name has a slash\nsetup is nil\nrequest timeout is -1ns, must not be negative"},
		"pool":          {service.Service{Name: "a", Setup: setup}, Options{Pool: -1}, `service "a": pool is -1, must not be negative`},
		"home's option": {service.Service{Name: "a", Setup: setup}, Options{RequestTimeout: -1}, `service "a": request timeout is -1ns, must not be negative`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := New(&test.s, make(counter), test.o)
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	if _, err := New(&service.Service{Name: "a", Setup: setup}, nil, Options{}); err == nil || err.Error() != `service "a": home is nil` {
		t.Errorf("without a home: %v", err)
	}
	long := make([]byte, longestName+1)
	for i := range long {
		long[i] = 'n'
	}
	if _, err := New(&service.Service{Name: string(long), Setup: setup}, make(counter), Options{}); err == nil {
		t.Error("a name that is too long is taken")
	}
}

// TestDeadlineAfterPause: a request gets the time again in which the process did not run.
func TestDeadlineAfterPause(t *testing.T) {
	s, entered, _ := waiting(service.Limits{})
	s.RequestTimeout = time.Minute
	r := newRig(t, s)
	var slept atomic.Int64
	r.instance.o.Slept = func() time.Duration { return time.Duration(slept.Load()) }
	r.run()
	r.state("up")
	before := r.ask("keep", "")
	await(t, entered)
	slept.Store(int64(10 * time.Minute))
	r.clock.Advance(10 * time.Minute)
	r.ping()
	after := r.ask("keep", "")
	await(t, entered)
	r.clock.Advance(time.Minute - 1)
	r.ping()
	r.clock.Advance(1)
	got := []string{r.next(), r.next()}
	slices.Sort(got)
	if want := []string{before + ` 504 keep null`, after + ` 504 keep null`}; !slices.Equal(got, want) {
		t.Errorf("the service says %v, want %v", got, want)
	}
}
