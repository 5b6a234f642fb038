package runner

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"strowger/system/service"
)

// crasher is a service whose state is a count, and which crashes on demand.
func crasher(v service.Supervision) *service.Service {
	return &service.Service{Supervision: v, Setup: func(s service.Setup) error {
		count := 0
		s.Handle("ping", pong)
		s.Handle("count", func(r service.Request) error { count++; r.Reply(count); return nil })
		s.Handle("crash", func(service.Request) error { panic("boom") })
		s.Handle("exit", func(service.Request) error { runtime.Goexit(); return nil })
		s.Handle("exit work", func(r service.Request) error {
			r.Go(func(context.Context) func() { runtime.Goexit(); return nil })
			return nil
		})
		return nil
	}}
}

// TestDown follows a service through pauses and its breaker, and what is asked meanwhile.
func TestDown(t *testing.T) {
	r := start(t, crasher(service.Supervision{Intensity: 2, Period: time.Minute, Backoff: 200 * time.Millisecond,
		CoolDown: time.Hour, Quiet: time.Minute}))
	since := r.clock.Now()
	r.want(r.ask("count", "") + ` 200 count 1`)
	r.want(r.ask("crash", "") + ` 500 crash null`)
	r.state("restarting", "up") // the first time in place
	r.want(r.ask("count", "") + ` 200 count 1`)

	r.clock.Advance(time.Second)
	r.want(r.ask("crash", "") + ` 500 crash null`)
	r.state("restarting 0.1") // then after a pause
	r.want(r.ask("count", "") + ` 503 count {"retry_after":0.1}`)
	r.want(r.ask(service.StateTopic, "") + ` 200 service_state {"service":"test","state":"restarting","since":"2027-01-15T08:00:01.000Z","retry_after":0.1}`)
	r.clock.AwaitTimer(r.t, 100*time.Millisecond)
	r.clock.Advance(40 * time.Millisecond)
	r.want(r.ask("count", "") + ` 503 count {"retry_after":0.06}`)
	r.clock.Advance(60 * time.Millisecond)
	r.state("up")
	r.want(r.ask("count", "") + ` 200 count 1`)

	r.want(r.ask("crash", "") + ` 500 crash null`)
	r.state("down 3600") // and then the breaker opens
	r.want(r.ask("count", "") + ` 503 count {"retry_after":3600}`)
	r.askAs("sub", `""`, "count", "") // nobody waits for this one
	r.after(time.Hour)
	r.state("restarting", "up") // the probe
	r.want(r.ask("count", "") + ` 200 count 1`)
	if s := r.instance.State(); s.Condition != service.Up || s.Restarts != 3 || !s.Since.After(since) || s.Reason != `service "test": request: boom` {
		t.Errorf("state %+v", s)
	}
	if got := r.instance.Counters().Refused.Load(); got != 4 {
		t.Errorf("%d requests refused, want 4", got)
	}
	r.stop()
	r.state("stopped")
	r.want(r.ask("count", "") + ` 503 count null`)
	r.quiet()
}

// TestQueue has requests wait behind one that crashes: a restart in place keeps them.
func TestQueue(t *testing.T) {
	entered, until := make(chan struct{}), make(chan struct{})
	s := crasher(service.Supervision{})
	setup := s.Setup
	s.Setup = func(s service.Setup) error {
		s.Handle("block", func(service.Request) error { close(entered); <-until; panic("boom") })
		return setup(s)
	}
	r := start(t, s)
	first := r.ask("block", "")
	await(t, entered)
	a, b := r.ask("count", ""), r.ask("count", "")
	if s := r.instance.State(); s.Open != 3 || s.Queued != 2 {
		t.Errorf("open %d, queued %d, want 3 and 2", s.Open, s.Queued)
	}
	close(until)
	r.want(first+` 500 block null`, a+` 200 count 1`, b+` 200 count 2`)
}

// TestLostQueue has requests wait behind a second crash: the mailbox is lost and they hear so.
func TestLostQueue(t *testing.T) {
	entered, until := make(chan struct{}), make(chan struct{})
	s := crasher(service.Supervision{Backoff: time.Second})
	setup := s.Setup
	s.Setup = func(s service.Setup) error {
		s.Handle("block", func(service.Request) error { close(entered); <-until; panic("boom") })
		return setup(s)
	}
	r := start(t, s)
	r.want(r.ask("crash", "") + ` 500 crash null`)
	r.state("restarting", "up")
	first := r.ask("block", "")
	await(t, entered)
	a, b := r.ask("count", ""), r.ask("count", "")
	close(until)
	r.want(first + ` 500 block null`)
	got := []string{r.next(), r.next()}
	slices.Sort(got)
	if want := []string{a + ` 503 count {"retry_after":0.5}`, b + ` 503 count {"retry_after":0.5}`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	r.state("restarting 0.5")
	r.after(500 * time.Millisecond)
	r.state("up")
	r.want(r.ask("count", "") + ` 200 count 1`)
	r.open(0)
	r.stop()
	if got := r.released.Load(); got != int64(r.asks) {
		t.Errorf("%d of %d requests were released", got, r.asks)
	}
}

func TestHang(t *testing.T) {
	tests := map[string]func(until chan struct{}){
		"returns in the end":      func(until chan struct{}) { <-until },
		"panics in the end":       func(until chan struct{}) { <-until; panic("boom") },
		"ends its own goroutine":  func(chan struct{}) { runtime.Goexit() },
		"ends its goroutine late": func(until chan struct{}) { <-until; runtime.Goexit() },
	}
	for name, hang := range tests {
		t.Run(name, func(t *testing.T) {
			entered, until, back := make(chan struct{}), make(chan struct{}), make(chan struct{})
			s := crasher(service.Supervision{PingEvery: time.Second, PingTimeout: 2 * time.Second})
			setup := s.Setup
			s.Setup = func(s service.Setup) error {
				s.Handle("hang", func(r service.Request) error {
					defer close(back)
					close(entered)
					hang(until)
					r.Reply("too late")
					r.Broadcast("ghost", 1)
					return nil
				})
				return setup(s)
			}
			r := start(t, s)
			first := r.ask("hang", "")
			await(t, entered)
			if name == "ends its own goroutine" {
				r.want(first + ` 500 hang null`)
				r.state("restarting", "up") // at once
			} else {
				second := r.ask("ping", "")
				r.after(time.Second)
				r.after(2 * time.Second)
				r.want(first+` 500 hang null`, second+` 503 ping {"retry_after":0}`)
				r.state("restarting", "up")
			}
			r.ping()
			close(until)
			await(t, back)
			r.ping()
			r.stop()
			r.quiet() // the ghost is not heard
		})
	}
}

// TestBadEnds are crashes that the table of TestCrashes does not fit.
func TestBadEnds(t *testing.T) {
	t.Run("setup returns an error", func(t *testing.T) {
		wrong := errors.New("no database")
		fail := true
		r := newRig(t, &service.Service{Setup: func(s service.Setup) error {
			s.Handle("ping", pong)
			if fail {
				fail = false
				return wrong
			}
			return nil
		}})
		r.run()
		r.state("restarting", "up")
		if d := await(t, r.dead); d.Task != "setup" || d.Reason != wrong {
			t.Errorf("dead letter %+v", d)
		}
		r.ping()
	})
	t.Run("setup always fails", func(t *testing.T) {
		r := newRig(t, &service.Service{Setup: func(service.Setup) error { panic("never") }, Supervision: service.Supervision{Intensity: 2}})
		r.run()
		r.state("restarting", "restarting 0.05")
		r.after(50 * time.Millisecond)
		r.state("down 30")
		r.want(r.ask("ping", "") + ` 503 ping {"retry_after":30}`)
	})
	t.Run("every OnStop panics", func(t *testing.T) {
		stops := 0
		r := start(t, &service.Service{Setup: func(s service.Setup) error {
			for range 3 {
				s.OnStop(func(service.Context) { stops++; panic("stop") })
			}
			s.Handle("ping", pong)
			s.Handle("crash", func(service.Request) error { panic("boom") })
			return nil
		}})
		r.want(r.ask("crash", "") + ` 500 crash null`)
		r.state("restarting", "up")
		r.ping()
		r.stop()
		r.state("stopped")
		if stops != 6 {
			t.Errorf("%d calls of OnStop, want 6", stops)
		}
		for _, want := range []string{"request", "stop", "stop", "stop", "stop", "stop", "stop"} {
			if d := await(t, r.dead); d.Task != want {
				t.Errorf("dead letter of %s, want %s", d.Task, want)
			}
		}
	})
	t.Run("work ends its goroutine", func(t *testing.T) {
		r := start(t, crasher(service.Supervision{}))
		r.want(r.ask("exit work", "") + ` 500 exit work null`)
		r.state("restarting", "up")
		r.ping()
	})
	t.Run("a source ends its goroutine", func(t *testing.T) {
		first := true
		r := newRig(t, &service.Service{Setup: func(s service.Setup) error {
			s.Handle("ping", pong)
			exits := first
			first = false
			s.Source("exit", func(ctx context.Context, _ service.Emit) error {
				if exits {
					runtime.Goexit()
				}
				<-ctx.Done()
				return ctx.Err()
			}, func(service.Context, any) {})
			return nil
		}})
		r.run()
		r.state("up", "restarting", "up")
		r.ping()
	})
	t.Run("whoever takes dead letters panics", func(t *testing.T) {
		s := crasher(service.Supervision{})
		r := newRig(t, s)
		r.instance.o.OnDead = func(*service.DeadLetter) { panic("not you too") }
		r.run()
		r.state("up")
		r.want(r.ask("crash", "") + ` 500 crash null`)
		r.state("restarting", "up")
		r.ping()
	})
}

// TestDeadLetterLog checks that a payload does not get into a log.
func TestDeadLetterLog(t *testing.T) {
	d := &service.DeadLetter{Service: "s", Task: "request", Topic: "t", Payload: []byte(`"secret"`), Reason: "boom", Stack: []byte("stack")}
	if got, want := d.LogValue().String(), "[service=s task=request topic=t payload_bytes=8 err=boom]"; got != want {
		t.Errorf("logged as %s, want %s", got, want)
	}
}

// TestNoID are requests that nobody waits for: no answer of the home's comes, which pages would take
// for a broadcast, and nothing stays open.
func TestNoID(t *testing.T) {
	work := make(chan struct{})
	s := crasher(service.Supervision{})
	setup := s.Setup
	ended := make(chan error, 1)
	s.Setup = func(s service.Setup) error {
		s.Handle("forget", func(service.Request) error { return nil })
		s.Handle("work", func(r service.Request) error {
			r.Go(func(ctx context.Context) func() { <-work; return func() { ended <- ctx.Err(); r.Reply("done") } })
			return nil
		})
		return setup(s)
	}
	r := start(t, s)
	for _, id := range []string{`""`, `0`, `null`, `[]`} {
		r.askAs("sub", id, "forget", "")
		r.askAs("sub", id, "what", "")
	}
	r.askAs("sub", `""`, "crash", "")
	r.state("restarting", "up")
	r.askAs("sub", `""`, "work", "")
	r.ping()
	r.open(1)
	close(work)
	r.want(`"" 200 work "done"`)
	if err := await(t, ended); err != nil {
		t.Errorf("the context had ended before the work: %v", err)
	}
	r.ping()
	r.quiet()
	r.open(0)
}

// TestHangingSetup: a Setup that returns after it was given up starts nothing any more.
func TestHangingSetup(t *testing.T) {
	entered, until, stopped := make(chan struct{}), make(chan struct{}), make(chan struct{})
	runs, sources := 0, make(chan int, 4)
	r := newRig(t, &service.Service{Supervision: service.Supervision{PingEvery: time.Second, PingTimeout: time.Second}, Setup: func(s service.Setup) error {
		runs++
		run := runs
		s.Handle("ping", pong)
		s.Source("one", func(ctx context.Context, _ service.Emit) error { sources <- run; <-ctx.Done(); return nil }, func(service.Context, any) {})
		if run == 1 {
			s.OnStop(func(service.Context) { close(stopped) })
			close(entered)
			<-until
		}
		return nil
	}})
	r.run()
	await(t, entered)
	waits := r.ask("ping", "")
	r.after(time.Second)
	r.after(time.Second)
	r.want(waits + ` 503 ping {"retry_after":0}`)
	r.state("restarting", "up")
	close(until)
	await(t, stopped)
	r.ping()
	r.stop()
	if got := await(t, sources); got != 2 || len(sources) > 0 {
		t.Errorf("the source of run %d runs, and %d more", got, len(sources))
	}
}
