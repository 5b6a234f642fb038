package supervisor

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

func pinged(s *Spec) { s.PingEvery, s.PingTimeout = 10*time.Second, 2*time.Second }

// ping has the supervisor send its ping; the timer for the answer then takes the other's place.
func (b *bench) ping() {
	b.t.Helper()
	b.clock.Advance(10 * time.Second)
	b.snapshot()
	b.clock.AwaitTimers(b.t, 1)
}

func TestHungChildIsReplaced(t *testing.T) {
	b := newBench(t).run(Options{Children: workers("a", pinged)})
	b.want("started a-1")
	old := b.pids["a"]
	release := b.hang("a")
	b.ping()
	b.clock.Advance(2 * time.Second)
	b.want("abandoned a-1: child hangs", "failed a-1: child hangs", "restarting a in 0s", "up a-2")
	if got := b.ask(b.pids["a"], &count{}); got != 1 {
		t.Errorf("new generation counted %v, want 1", got)
	}
	if _, ok := b.system.ProcessRegistry.Get(old); ok {
		t.Error("the hung actor can still be reached")
	}
	// It comes to itself and must neither be noticed nor harm its successor.
	release()
	b.quiet()
	if got := b.ask(b.pids["a"], &count{}); got != 2 {
		t.Errorf("new generation counted %v, want 2", got)
	}
}

func TestAbandonedChildThatPanicsIsNoBother(t *testing.T) {
	stopped := make(chan struct{})
	b := newBench(t).run(Options{Children: workers("a", func(s *Spec) {
		pinged(s)
		s.Restart = Temporary
		s.Props = workerProps(hooks{stopped: func() { close(stopped) }})
	})})
	b.want("started a-1")
	m := &block{entered: make(chan struct{}), until: make(chan struct{}), panics: true}
	b.tell("a", m)
	<-m.entered
	b.ping()
	b.clock.Advance(2 * time.Second)
	b.want("abandoned a-1: child hangs", "failed a-1: child hangs")
	close(m.until)
	<-stopped
	b.quiet()
	if got := b.snapshot().Children[0]; got.State != Finished || got.PID != nil || got.Failures != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestChildThatAnswersIsLeftAlone(t *testing.T) {
	b := newBench(t).run(Options{Children: workers("a", pinged)})
	b.want("started a-1")
	for range 5 {
		b.clock.Advance(10 * time.Second)
		b.snapshot()                 // the ping is sent
		b.ask(b.pids["a"], &count{}) // and answered before this
		b.snapshot()                 // and the answer arrived before this
		b.quiet()
	}
}

func TestHungChildDoesNotHoldUpShutdown(t *testing.T) {
	tests := map[string]struct {
		stop func(b *bench)
		want []string
	}{
		"shutdown": {func(b *bench) { b.system.Root.Send(b.pid, &Shutdown{}); b.clock.AwaitTimers(b.t, 1) },
			[]string{"abandoned b-1: not stopped after 5s", "stopped a-1"}},
		"the library's stop": {func(b *bench) { b.system.Root.Stop(b.pid); b.want("stopped a-1") },
			[]string{"abandoned b-1: not stopped after 5s"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t).run(Options{Children: workers("a b", nil)})
			b.want("started a-1", "started b-1")
			defer b.hang("b")()
			test.stop(b)
			b.clock.Advance(5 * time.Second)
			b.want(test.want...)
			b.gone(b.pid)
		})
	}
}

// TestHurry: a second Shutdown abandons the child that is being stopped, also one of a supervisor below, and gives the
// others little time.
func TestHurry(t *testing.T) {
	b := newBench(t)
	patient := func(s *Spec) { s.StopTimeout = time.Hour }
	b.pid = b.system.Root.Spawn(b.complete(Options{Children: []Spec{
		{Name: "first", Props: workerProps(hooks{}), StopTimeout: time.Hour},
		{Name: "inner", Nested: true, Props: b.complete(Options{Children: workers("a b c", patient)})},
	}}))
	t.Cleanup(func() { b.system.Root.StopFuture(b.pid).Wait() })
	b.wantAll("started first-1", "started inner-1", "started a-1", "started b-1", "started c-1")
	defer b.hang("b")()
	defer b.hang("c")()
	defer b.hang("first")()
	b.system.Root.Send(b.pid, &Shutdown{})
	b.clock.AwaitTimers(b.t, 1)
	b.clock.Advance(time.Minute)
	b.system.Root.Send(b.pid, &Shutdown{Hurry: time.Second})
	b.want("abandoned c-1: not stopped after 1m0s")
	b.clock.AwaitTimers(b.t, 1)
	b.clock.Advance(time.Second)
	b.want("abandoned b-1: not stopped after 1s", "stopped a-1", "stopped inner-1")
	b.clock.AwaitTimers(b.t, 1)
	b.system.Root.Send(b.pid, &Shutdown{Hurry: time.Second}) // says nothing new
	b.clock.Advance(time.Second)
	b.want("abandoned first-1: not stopped after 1s")
	b.gone(b.pid)
}

func TestHungChildDoesNotHoldUpItsSupervisorsRestart(t *testing.T) {
	b := newBench(t)
	root := b.complete(Options{Children: []Spec{{Name: "inner", Nested: true,
		Props: b.complete(Options{Children: workers("a b", nil)})}}})
	b.pid = b.system.Root.Spawn(root)
	t.Cleanup(func() { b.system.Root.StopFuture(b.pid).Wait() })
	b.wantAll("started inner-1", "started a-1", "started b-1")
	defer b.hang("a")()
	process, _ := b.system.ProcessRegistry.Get(b.pids["inner"])
	process.SendSystemMessage(b.pids["inner"], &actor.Restart{})
	b.want("stopped b-1")
	b.clock.AwaitTimers(b.t, 1)
	b.clock.Advance(5 * time.Second)
	b.want("abandoned a-1: not stopped after 5s", "started a-2", "started b-2")
	b.quiet()
}

func TestStopTimeout(t *testing.T) {
	tests := map[string]struct {
		timeout time.Duration
		nested  bool
		timers  int
	}{
		"five seconds if not set":      {0, false, 1},
		"as set":                       {time.Minute, false, 1},
		"none if negative":             {-1, false, 0},
		"none for a nested supervisor": {0, true, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t).run(Options{Children: workers("a", func(s *Spec) { s.StopTimeout, s.Nested = test.timeout, test.nested })})
			b.want("started a-1")
			release := b.hang("a")
			b.system.Root.Send(b.pid, &Shutdown{})
			b.quiet()
			if n := b.clock.Timers(); n != test.timers {
				t.Errorf("%d timers, want %d", n, test.timers)
			}
			release()
			if test.nested { // a worker does not know Shutdown
				b.tell("a", &leave{})
			}
			b.want("stopped a-1")
			b.gone(b.pid)
		})
	}
}

// TestPauseIsNoHang: a child gets the time again in which the process did not run, once for each pause.
func TestPauseIsNoHang(t *testing.T) {
	var slept atomic.Int64
	b := newBench(t).run(Options{Children: workers("a", pinged), Slept: func() time.Duration { return time.Duration(slept.Load()) }})
	b.want("started a-1")
	release := b.hang("a")
	b.ping()
	for range 2 {
		slept.Add(int64(time.Hour))
		b.clock.Advance(2 * time.Second)
		b.snapshot()
		b.clock.AwaitTimers(b.t, 1)
		b.quiet()
	}
	release()
	b.ask(b.pids["a"], &count{})
	b.snapshot()
	b.clock.Advance(2 * time.Second)
	b.snapshot()
	b.quiet()
	// One that hangs is found out all the same.
	release = b.hang("a")
	defer release()
	b.ping()
	slept.Add(int64(time.Second))
	b.clock.Advance(2 * time.Second)
	b.snapshot()
	b.clock.AwaitTimers(b.t, 1)
	b.clock.Advance(time.Second)
	b.want("abandoned a-1: child hangs", "failed a-1: child hangs", "restarting a in 0s", "up a-2")
}
