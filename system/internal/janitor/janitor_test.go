package janitor

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"go.uber.org/goleak"

	"strowger/actors/clock/clocktest"
	"strowger/system/internal/supervisor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen.
const patience = 2 * time.Minute

// Each run takes so long by the test's clock. So its warning is due earlier than the next run, and a test can
// tell their timers apart.
const took = time.Second

const every = time.Minute

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

// bench is one janitor under a supervisor. Random is 1/2, so the first run is due after half of the time.
type bench struct {
	t      *testing.T
	system *actor.ActorSystem
	clock  *clocktest.Clock
	log    *journal
	pid    *actor.PID
	events chan supervisor.Event
}

func run(t *testing.T, work func(context.Context) error) *bench {
	t.Helper()
	b := &bench{t: t, clock: clocktest.New(), log: new(journal), events: make(chan supervisor.Event, 100)}
	b.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}), actor.WithDeadLetterThrottleInterval(time.Millisecond))
	pool := new(workers)
	timed := func(ctx context.Context) error {
		b.clock.Advance(took)
		return work(ctx)
	}
	produce, err := New(Options{Name: "tokens", Every: every, Work: timed, Clock: b.clock, Workers: pool,
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

// after waits until a timer is set for d from now, and lets it fire.
func (b *bench) after(d time.Duration) {
	b.t.Helper()
	b.clock.AwaitTimer(b.t, d)
	b.clock.Advance(d)
}

func TestOptions(t *testing.T) {
	good := Options{Name: "tokens", Every: every, Work: func(context.Context) error { return nil },
		Clock: clocktest.New(), Workers: new(workers), Log: slog.New(slog.DiscardHandler)}
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
	b.after(every / 2)
	for range 3 {
		<-ran
		b.clock.AwaitTimer(t, every)
		if n := b.clock.Timers(); n != 1 {
			t.Errorf("%d timers, want one: the warning goes on after the work is done", n)
		}
		b.clock.Advance(every)
	}
	<-ran
	if log := b.log.String(); log != "" {
		t.Errorf("logged %s", log)
	}
}

func TestErrorsAreLogged(t *testing.T) {
	ran := make(chan struct{}, 10)
	b := run(t, func(context.Context) error { ran <- struct{}{}; return errors.New("no such directory") })
	b.after(every / 2)
	<-ran
	b.clock.AwaitTimer(t, every) // the next run: the error was handled
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
	b.after(every / 2)
	<-entered
	b.after(every - took)
	leave <- struct{}{}
	b.clock.AwaitTimer(t, every) // the next run; by now the warning was handled
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
	b.after(every / 2)
	if failed := (<-b.events).(*supervisor.ChildFailed); failed.Reason != "boom" {
		t.Errorf("failed with %v, want boom", failed.Reason)
	}
	if _, ok := (<-b.events).(*supervisor.ChildRestarting); !ok {
		t.Error("no restart")
	}
	if up := (<-b.events).(*supervisor.ChildUp); !up.InPlace {
		t.Error("not in place")
	}
	b.after(every / 2)
	<-ran
	b.clock.AwaitTimer(t, every)
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
	b.after(every / 2)
	<-entered
	b.clock.AwaitTimer(t, every-took) // the warning
	b.system.Root.Stop(b.pid)
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("the context ended with %v", err)
	}
	if stopped := <-b.events; stopped.(*supervisor.ChildStopped).Child != "tokens" {
		t.Errorf("got %v", stopped)
	}
	// It is permanent: the next one begins anew, and what the first comes to is not its business.
	b.clock.AwaitTimer(t, every/2)
	if n := b.clock.Timers(); n != 1 {
		t.Errorf("%d timers, want one: the warning goes on", n)
	}
	if log := b.log.String(); log != "" {
		t.Errorf("logged %s", log)
	}
}

func TestUnknownMessage(t *testing.T) {
	b := run(t, func(context.Context) error { return nil })
	b.clock.AwaitTimer(t, every/2)
	b.system.Root.Send(b.pid, "what?")
	b.system.Root.Send(b.pid, &done{new(janitor), errors.New("of an earlier one")})
	if err := b.system.Root.PoisonFuture(b.pid).Wait(); err != nil {
		t.Fatal(err)
	}
	if log := b.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "message=string") {
		t.Errorf("logged %q", log)
	}
}
