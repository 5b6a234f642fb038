package supervisor

import (
	"errors"
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

// TestBusyChildDoesNotHang: a child that goes from one call to the next is not taken for one that hangs, however far it
// is behind. It hangs when it has been in one call for the whole time.
func TestBusyChildDoesNotHang(t *testing.T) {
	var call atomic.Uint64
	call.Store(1)
	b := newBench(t).run(Options{Children: workers("a", func(s *Spec) { pinged(s); s.Call = call.Load })})
	b.want("started a-1")
	defer b.hang("a")() // so that no ping is answered
	b.ping()
	look := func(in uint64) {
		t.Helper()
		call.Store(in)
		b.clock.Advance(2 * time.Second)
		b.snapshot()
	}
	for _, in := range []uint64{2, 0, 0, 3, 4} {
		look(in)
		b.quiet()
		b.clock.AwaitTimers(b.t, 1)
	}
	look(4)
	b.want("abandoned a-1: child hangs", "failed a-1: child hangs", "restarting a in 0s", "up a-2")
}

// hangUp has a child hang and be given up, and returns what lets it go on.
func (b *bench) hangUp() (release func()) {
	b.t.Helper()
	release = b.hang("a")
	b.ping()
	b.clock.Advance(2 * time.Second)
	return release
}

// TestHangsOpenTheBreaker: a hang is noticed later than a period is long, and counts nevertheless.
func TestHangsOpenTheBreaker(t *testing.T) {
	b := newBench(t).run(Options{Children: workers("a", func(s *Spec) {
		pinged(s)
		s.Breaker = &Breaker{CoolDown: time.Hour}
		s.Pace = Pace{Intensity: 2, Period: time.Second}
	})})
	b.want("started a-1")
	defer b.hangUp()()
	b.want("abandoned a-1: child hangs", "failed a-1: child hangs", "restarting a in 0s", "up a-2")
	defer b.hangUp()()
	b.want("abandoned a-2: child hangs", "failed a-2: child hangs", "restarting a in 50ms")
	b.clock.AwaitTimers(t, 1)
	b.clock.Advance(50 * time.Millisecond)
	b.want("up a-3")
	defer b.hangUp()()
	b.want("abandoned a-3: child hangs", "failed a-3: child hangs", "opened a for 1h0m0s")
}

// TestHangsAreForgotten: hangs that are further apart than their period do not open a breaker, and one that follows
// answers is isolated.
func TestHangsAreForgotten(t *testing.T) {
	b := newBench(t).run(Options{Children: workers("a", func(s *Spec) {
		pinged(s)
		s.HangPeriod = 30 * time.Second
		s.Breaker = &Breaker{}
		s.Pace = Pace{Intensity: -1, Period: 20 * time.Second}
	})})
	b.want("started a-1")
	defer b.hangUp()()
	b.want("abandoned a-1: child hangs", "failed a-1: child hangs", "opened a for 30s")

	b = newBench(t).run(Options{Children: workers("a", func(s *Spec) {
		pinged(s)
		s.HangPeriod = 30 * time.Second
		s.Breaker = &Breaker{}
		s.Pace = Pace{Intensity: 1, Period: 20 * time.Second}
	})})
	b.want("started a-1")
	for _, n := range []string{"1", "2"} {
		for range 3 {
			b.ping()
			b.ask(b.pids["a"], &count{})
			b.snapshot()
		}
		defer b.hangUp()()
		next := map[string]string{"1": "up a-2", "2": "up a-3"}[n]
		b.want("abandoned a-"+n+": child hangs", "failed a-"+n+": child hangs", "restarting a in 0s", next)
	}
}

// TestObstacle: a child that must not be started stays down until the obstacle is gone.
func TestObstacle(t *testing.T) {
	var obstacle atomic.Pointer[error]
	b := newBench(t).run(Options{Children: workers("a", func(s *Spec) {
		s.Breaker = &Breaker{}
		s.Obstacle = func() error {
			if err := obstacle.Load(); err != nil {
				return *err
			}
			return nil
		}
	})})
	b.want("started a-1")
	b.do("crash a")
	b.want("failed a-1: boom", "restarting a in place", "up a-1 in place")
	full := errors.New("no room")
	obstacle.Store(&full)
	b.do("crash a")
	b.want("failed a-1: boom", "opened a for 30s: no room", "stopped a-1")
	b.do("advance 30s")
	b.want("opened a for 30s: no room")
	obstacle.Store(nil)
	b.do("advance 30s")
	b.want("half-opened a", "up a-2")
	// The time for which the probe must run is not shorter because nothing is in its way.
	obstacle.Store(&full)
	b.do("crash a")
	b.want("failed a-2: boom", "opened a for 30s: no room", "stopped a-2")
	// An operator may start it nevertheless.
	if err := b.ask(b.pid, &Order{Child: "a", Do: DoRestart}).(*Obeyed).Err; err != nil {
		t.Fatal(err)
	}
	b.want("half-opened a", "up a-3")
	b.quiet()
}

// TestProbeRunsLongEnough: a breaker does not close before a hang of the probe would have been noticed.
func TestProbeRunsLongEnough(t *testing.T) {
	b := newBench(t).run(Options{Children: workers("a", func(s *Spec) {
		pinged(s)
		s.Breaker = &Breaker{Quiet: time.Second}
		s.Pace = Pace{Intensity: -1}
	})})
	b.want("started a-1")
	b.do("crash a")
	b.want("failed a-1: boom", "opened a for 30s", "stopped a-1")
	b.do("advance 30s")
	b.want("half-opened a", "up a-2")
	b.do("advance 1s")
	b.quiet()
	b.do("advance 13s")
	b.want("closed a")
}

// TestExitedChildIsReplaced: a child whose goroutine has ended is replaced at once, and does not hold up a shutdown.
func TestExitedChildIsReplaced(t *testing.T) {
	b := newBench(t).run(Options{Children: workers("a", nil)})
	b.want("started a-1")
	old := b.pids["a"]
	b.tell("a", &exit{b.pid})
	b.want("abandoned a-1: "+ErrExited.Error(), "failed a-1: "+ErrExited.Error(), "restarting a in 0s", "up a-2")
	b.system.Root.Send(b.pid, &Exited{old}) // says nothing new
	b.quiet()
	release := b.hang("a")
	b.tell("a", &exit{b.pid})
	b.system.Root.Send(b.pid, &Order{Child: "a", Do: DoStop})
	b.want("retired a")
	b.system.Root.Send(b.pids["a"], &exit{b.pid})
	b.system.Root.Send(b.pid, &Exited{b.pids["a"]})
	b.want("abandoned a-2: its goroutine ended while it stopped")
	release()
	b.quiet()
}

// TestTogether: children that stop together share the time for it. One that another one needs waits for that one. The
// supervisor ends after the last of them.
func TestTogether(t *testing.T) {
	b := newBench(t).run(Options{Together: true, Children: workers("base a b c", func(s *Spec) {
		if s.Name == "c" {
			s.After = []string{"base"}
		}
	})})
	b.want("started base-1", "started a-1", "started b-1", "started c-1")
	releaseA, releaseC := b.hang("a"), b.hang("c")
	defer b.hang("b")()
	b.system.Root.Send(b.pid, &Shutdown{})
	b.clock.AwaitTimers(b.t, 3)
	releaseA()
	b.want("stopped a-1")
	releaseC()
	b.want("stopped c-1", "stopped base-1")
	if _, known := b.system.ProcessRegistry.Get(b.pid); !known {
		t.Error("the supervisor has ended before its children")
	}
	b.clock.Advance(5 * time.Second)
	b.want("abandoned b-1: not stopped after 5s")
	b.gone(b.pid)
}
