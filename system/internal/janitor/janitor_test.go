package janitor

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"go.uber.org/goleak"

	"strowger/system/internal/supervisor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen.
const patience = 2 * time.Minute

const every = time.Minute

// handClock hands its timers to the test, which makes them fire.
type handClock struct{ timers chan *handTimer }

type handTimer struct {
	d       time.Duration
	f       func()
	stopped atomic.Bool
}

func (c *handClock) AfterFunc(d time.Duration, f func()) func() bool {
	timer := &handTimer{d: d, f: f}
	c.timers <- timer
	return func() bool { return !timer.stopped.Swap(true) }
}

// workers runs each piece of work on a goroutine of its own.
type workers struct{ running sync.WaitGroup }

func (w *workers) Go(f func()) { w.running.Go(f) }

// journal is a log that can be read while it is written.
type journal struct {
	mu   sync.Mutex // Protects following.
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// bench is one janitor under a supervisor. Random is 1/2.
type bench struct {
	t      *testing.T
	system *actor.ActorSystem
	clock  *handClock
	log    *journal
	pid    *actor.PID
	events chan supervisor.Event
}

func run(t *testing.T, work func(context.Context) error) *bench {
	t.Helper()
	b := &bench{t: t, clock: &handClock{make(chan *handTimer, 100)}, log: new(journal), events: make(chan supervisor.Event, 100)}
	b.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}), actor.WithDeadLetterThrottleInterval(time.Millisecond))
	pool := new(workers)
	produce, err := New(Options{Name: "tokens", Every: every, Work: work, Clock: b.clock, Workers: pool,
		Log: slog.New(slog.NewTextHandler(b.log, nil)), Random: func() float64 { return 0.5 }})
	if err != nil {
		t.Fatal(err)
	}
	props, err := supervisor.New(supervisor.Options{
		Children: []supervisor.Spec{{Name: "tokens", Props: actor.PropsFromProducer(produce)}},
		Observe:  func(e supervisor.Event) { b.events <- e },
	})
	if err != nil {
		t.Fatal(err)
	}
	root := b.system.Root.Spawn(props)
	b.pid = (<-b.events).(*supervisor.ChildStarted).PID
	t.Cleanup(func() {
		if _, err := b.system.Root.RequestFuture(root, &supervisor.Shutdown{}, patience).Result(); err != nil {
			t.Error(err)
		}
		pool.running.Wait()
	})
	return b
}

// timer returns the next timer that was set, which must be for d.
func (b *bench) timer(d time.Duration) *handTimer {
	b.t.Helper()
	select {
	case timer := <-b.clock.timers:
		if timer.d != d {
			b.t.Fatalf("a timer for %s, want %s", timer.d, d)
		}
		return timer
	case <-time.After(patience):
		b.t.Fatal("no timer is set")
	}
	return nil
}

// fire makes a timer fire unless it was stopped.
func (t *handTimer) fire() {
	if !t.stopped.Load() {
		t.f()
	}
}

func TestOptions(t *testing.T) {
	good := Options{Name: "tokens", Every: every, Work: func(context.Context) error { return nil },
		Clock: &handClock{}, Workers: new(workers), Log: slog.New(slog.DiscardHandler)}
	tests := map[string]struct {
		change func(*Options)
		want   string
	}{
		"no name":       {func(o *Options) { o.Name = "" }, "name, work, clock, workers and log are needed"},
		"no work":       {func(o *Options) { o.Work = nil }, "name, work, clock, workers and log are needed"},
		"no clock":      {func(o *Options) { o.Clock = nil }, "name, work, clock, workers and log are needed"},
		"no workers":    {func(o *Options) { o.Workers = nil }, "name, work, clock, workers and log are needed"},
		"no log":        {func(o *Options) { o.Log = nil }, "name, work, clock, workers and log are needed"},
		"no time":       {func(o *Options) { o.Every = 0 }, "janitor tokens: every 0s is no time"},
		"negative time": {func(o *Options) { o.Every = -1 }, "janitor tokens: every -1ns is no time"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o := good
			test.change(&o)
			if _, err := New(o); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestWorksAgainAndAgain(t *testing.T) {
	ran := make(chan struct{}, 10)
	b := run(t, func(context.Context) error { ran <- struct{}{}; return nil })
	next := b.timer(every / 2)
	for range 3 {
		next.fire()
		<-ran
		warning := b.timer(every)
		next = b.timer(every)
		if !warning.stopped.Load() {
			t.Error("the warning goes on after the work is done")
		}
	}
	if log := b.log.String(); log != "" {
		t.Errorf("logged %s", log)
	}
}

func TestErrorsAreLogged(t *testing.T) {
	b := run(t, func(context.Context) error { return errors.New("no such directory") })
	b.timer(every / 2).fire()
	b.timer(every) // the warning
	b.timer(every) // the next run: the error was handled
	if log := b.log.String(); !strings.Contains(log, "no such directory") || !strings.Contains(log, "actor=tokens") {
		t.Errorf("logged %q", log)
	}
}

// Runs do not overlap: while one takes its time there is a warning and no second one.
func TestSlowWork(t *testing.T) {
	entered, leave := make(chan struct{}, 10), make(chan struct{})
	b := run(t, func(context.Context) error {
		entered <- struct{}{}
		<-leave
		return nil
	})
	b.timer(every / 2).fire()
	<-entered
	b.timer(every).fire()
	leave <- struct{}{}
	b.timer(every) // the next run; by now the warning was handled
	if log := b.log.String(); strings.Count(log, "still at work") != 1 {
		t.Errorf("logged %q", log)
	}
	if len(entered) > 0 {
		t.Error("a second run began")
	}
}

// A panic of the work is one of the actor, which is restarted and works again.
func TestPanic(t *testing.T) {
	broken := true
	ran := make(chan struct{}, 10)
	b := run(t, func(context.Context) error {
		if broken {
			broken = false
			panic("boom")
		}
		ran <- struct{}{}
		return nil
	})
	b.timer(every / 2).fire()
	b.timer(every) // the warning
	if failed := (<-b.events).(*supervisor.ChildFailed); failed.Reason != "boom" {
		t.Errorf("failed with %v, want boom", failed.Reason)
	}
	if _, ok := (<-b.events).(*supervisor.ChildRestarting); !ok {
		t.Error("no restart")
	}
	if up := (<-b.events).(*supervisor.ChildUp); !up.InPlace {
		t.Error("not in place")
	}
	b.timer(every / 2).fire()
	<-ran
	b.timer(every)
	b.timer(every)
	if log := b.log.String(); !strings.Contains(log, "work panicked") || !strings.Contains(log, "stack=") {
		t.Errorf("logged %q", log)
	}
}

// Stopping the actor ends the work's context, and its timers.
func TestStop(t *testing.T) {
	entered, left := make(chan struct{}), make(chan error, 1)
	b := run(t, func(ctx context.Context) error {
		close(entered)
		<-ctx.Done()
		left <- ctx.Err()
		return ctx.Err()
	})
	b.timer(every / 2).fire()
	<-entered
	warning := b.timer(every)
	b.system.Root.Stop(b.pid)
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("the context ended with %v", err)
	}
	if stopped := <-b.events; stopped.(*supervisor.ChildStopped).Child != "tokens" {
		t.Errorf("got %v", stopped)
	}
	if !warning.stopped.Load() {
		t.Error("the timer goes on")
	}
	// It is permanent: the next one begins anew, and what the first comes to is not its business.
	b.timer(every / 2)
	if log := b.log.String(); log != "" {
		t.Errorf("logged %s", log)
	}
}

func TestUnknownMessage(t *testing.T) {
	b := run(t, func(context.Context) error { return nil })
	b.timer(every / 2)
	b.system.Root.Send(b.pid, "what?")
	b.system.Root.Send(b.pid, &done{new(janitor), errors.New("of an earlier one")})
	if err := b.system.Root.PoisonFuture(b.pid).Wait(); err != nil {
		t.Fatal(err)
	}
	if log := b.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "message=string") {
		t.Errorf("logged %q", log)
	}
}
