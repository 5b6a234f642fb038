package supervisor

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

func TestMailboxIsKeptThroughAPause(t *testing.T) {
	b := newBench(t).run(Options{Children: workers("a", func(s *Spec) { s.InPlace = true })})
	b.want("started a-1")
	b.tell("a", &crash{"boom"})
	b.want("failed a-1: boom", "restarting a in place", "up a-1 in place")
	b.tell("a", &crash{"boom"})
	b.want("failed a-1: boom", "restarting a in place in 50ms")
	answer := b.system.Root.RequestFuture(b.pids["a"], &count{}, patience)
	b.do("advance 50ms")
	if got, err := answer.Result(); err != nil || got != 1 {
		t.Fatalf("%v, %v, want 1", got, err)
	}
	b.want("up a-1 in place")
}

func TestMailboxIsKeptInPlace(t *testing.T) {
	b := newBench(t).run(Options{Children: workers("a", nil)})
	b.want("started a-1")
	release := b.hang("a")
	b.tell("a", &crash{"boom"})
	var answers []*actor.Future
	for range 100 {
		answers = append(answers, b.system.Root.RequestFuture(b.pids["a"], &count{}, patience))
	}
	release()
	for i, answer := range answers {
		if got, err := answer.Result(); err != nil || got != i+1 {
			t.Fatalf("message %d: %v, %v", i, got, err)
		}
	}
	b.want("failed a-1: boom", "restarting a in place", "up a-1 in place")
}

func TestFailureCarriesMessageAndSender(t *testing.T) {
	failed := make(chan *ChildFailed, 1)
	b := newBench(t)
	props, err := New(Options{Children: workers("a", nil), Observe: func(e Event) {
		if f, ok := e.(*ChildFailed); ok {
			failed <- f
		}
		b.observe(e)
	}})
	if err != nil {
		t.Fatal(err)
	}
	b.pid = b.system.Root.Spawn(props)
	t.Cleanup(func() { b.system.Root.StopFuture(b.pid).Wait() })
	b.want("started a-1")
	message, asker := &crash{"boom"}, actor.NewPID("nonhost", "asker")
	b.system.Root.RequestWithCustomSender(b.pids["a"], message, asker)
	if f := <-failed; f.Message != message || !f.Sender.Equal(asker) || f.Reason != "boom" {
		t.Errorf("got %+v", f)
	}
}

func TestGivingUp(t *testing.T) {
	cause := errors.New("no more")
	give := func(failed chan<- error) Options {
		return Options{Children: workers("x y", nil), Intensity: -1, Failed: failed}
	}
	t.Run("at the root: through the channel", func(t *testing.T) {
		failed := make(chan error, 1)
		b := newBench(t).run(give(failed))
		b.want("started x-1", "started y-1")
		b.tell("x", &crash{cause})
		b.want("failed x-1: no more", "gave up x after 1: no more", "stopped y-1", "stopped x-1")
		b.gone(b.pid)
		err := <-failed
		var gaveUp *GaveUp
		if !errors.As(err, &gaveUp) || gaveUp.Child != "x" || !errors.Is(err, cause) {
			t.Errorf("got %v", err)
		}
		if want := `child "x": failure 1 within 10s: no more`; err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	})
	t.Run("below: a failure for the parent, which counts it and gives up in turn", func(t *testing.T) {
		failed := make(chan error, 1)
		b := newBench(t)
		inner := b.complete(give(nil))
		b.run(Options{Intensity: 1, Failed: failed, Children: []Spec{{Name: "inner", Nested: true, Props: inner}}})
		b.wantAll("started inner-1", "started x-1", "started y-1")
		b.tell("y", &crash{cause})
		b.want("failed y-1: no more", "gave up y after 1: no more", "stopped y-1", "stopped x-1",
			`failed inner-1: child "y": failure 1 within 10s: no more`, "restarting inner in place")
		b.wantAll("up inner-1 in place", "started x-2", "started y-2")
		b.tell("y", &crash{cause})
		b.want("failed y-2: no more", "gave up y after 1: no more", "stopped y-2", "stopped x-2",
			`failed inner-1: child "y": failure 1 within 10s: no more`,
			`gave up inner after 2: child "y": failure 1 within 10s: no more`, "stopped inner-1")
		b.gone(b.pid)
		if err := <-failed; !errors.Is(err, cause) {
			t.Errorf("got %v", err)
		}
	})
}

func TestShutdownOfATree(t *testing.T) {
	b := newBench(t)
	inner := b.complete(Options{Children: workers("x y", nil)})
	specs := workers("a", nil)
	specs = append(specs, Spec{Name: "inner", Nested: true, Props: inner})
	b.run(Options{Children: append(specs, workers("b", nil)...)})
	b.wantAll("started a-1", "started inner-1", "started b-1", "started x-1", "started y-1")
	if _, ok := b.ask(b.pid, &Shutdown{}).(*ShutdownCompleted); !ok {
		t.Error("wrong answer")
	}
	b.want("stopped b-1", "stopped y-1", "stopped x-1", "stopped inner-1", "stopped a-1")
	b.gone(b.pid)
}

func TestDrain(t *testing.T) {
	for name, drain := range map[string]bool{"drained": true, "dropped": false} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t).run(Options{Children: workers("a", func(s *Spec) { s.Drain = drain })})
			b.want("started a-1")
			release := b.hang("a")
			answer := b.system.Root.RequestFuture(b.pids["a"], &count{}, patience)
			b.system.Root.Send(b.pid, &Shutdown{})
			b.clock.AwaitTimers(b.t, 1)
			release()
			b.want("stopped a-1")
			b.gone(b.pid)
			if !drain {
				// The stop overtook the message: nothing else is ever answered.
				b.system.Root.Send(answer.PID(), "dropped")
			}
			if got, err := answer.Result(); err != nil || (got == 1) != drain {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestPanicWhileDraining(t *testing.T) {
	b := newBench(t).run(Options{Children: workers("a b", func(s *Spec) { s.Drain = true })})
	b.want("started a-1", "started b-1")
	release := b.hang("b")
	b.tell("b", &crash{"boom"})
	b.system.Root.Send(b.pid, &Shutdown{})
	b.clock.AwaitTimers(b.t, 1)
	release()
	b.want("failed b-1: boom", "stopped b-1", "stopped a-1")
	b.gone(b.pid)
}

// once returns a hook that panics the first time.
func once() func() {
	done := make(chan struct{}, 1)
	return func() {
		select {
		case done <- struct{}{}:
			panic("hook")
		default:
		}
	}
}

func TestPanicsInTheLifeCycle(t *testing.T) {
	tests := map[string]struct {
		hooks hooks
		steps []step
	}{
		"started": {hooks{started: once()}, []step{
			{"", []string{"started a-1", "failed a-1: hook", "restarting a in place", "up a-1 in place"}}}},
		"restarting": {hooks{restarting: once()}, []step{{"", []string{"started a-1"}},
			{"crash a", []string{"failed a-1: boom", "restarting a in place", "up a-1 in place",
				"failed a-1: hook", "restarting a in 50ms", "stopped a-1"}},
			{"advance 50ms", []string{"up a-2"}}}},
		"stopping, by its own decision": {hooks{stopping: once()}, []step{{"", []string{"started a-1"}},
			{"leave a", []string{"abandoned a-1: hook", "failed a-1: hook", "restarting a in 0s", "up a-2"}}}},
		"stopped, by its own decision": {hooks{stopped: once()}, []step{{"", []string{"started a-1"}},
			{"leave a", []string{"abandoned a-1: hook", "failed a-1: hook", "restarting a in 0s", "up a-2"}}}},
		"stopping, on shutdown": {hooks{stopping: once()}, []step{{"", []string{"started a-1"}},
			{"shutdown", []string{"abandoned a-1: hook", "failed a-1: hook"}}}},
		"stopped, on shutdown": {hooks{stopped: once()}, []step{{"", []string{"started a-1"}},
			{"shutdown", []string{"abandoned a-1: hook", "failed a-1: hook"}}}},
		"stopping, before a respawn": {hooks{stopping: once()}, []step{{"", []string{"started a-1"}},
			{"crash a", []string{"failed a-1: boom", "restarting a in place", "up a-1 in place"}},
			{"crash a", []string{"failed a-1: boom", "restarting a in 50ms", "abandoned a-1: hook", "failed a-1: hook"}},
			{"advance 50ms", []string{"up a-2"}}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t).run(Options{Children: []Spec{{Name: "a", Props: workerProps(test.hooks)}}})
			for _, step := range test.steps {
				b.do(step.do)
				b.want(step.want...)
			}
			if test.steps[len(test.steps)-1].do == "shutdown" {
				b.gone(b.pid)
				return
			}
			if got := b.ask(b.pids["a"], &count{}); got != 1 {
				t.Errorf("counted %v, want 1", got)
			}
			b.quiet()
		})
	}
}

func TestProducers(t *testing.T) {
	t.Run("each generation has its own props", func(t *testing.T) {
		var generations []uint64
		b := newBench(t).run(Options{Children: []Spec{{Name: "a", Produce: func(generation uint64) *actor.Props {
			generations = append(generations, generation)
			return workerProps(hooks{})
		}}}})
		b.want("started a-1")
		b.tell("a", &leave{})
		b.want("stopped a-1", "failed a-1: permanent child ended", "restarting a in 0s", "up a-2")
		b.snapshot()
		if !slices.Equal(generations, []uint64{1, 2}) {
			t.Errorf("generations %v", generations)
		}
	})
	for name, test := range map[string]struct {
		produce func() *actor.Props
		reason  string
	}{
		"a producer that panics":   {func() *actor.Props { panic("nothing there") }, "start: nothing there"},
		"a producer without props": {func() *actor.Props { return nil }, "start: no props"},
		"an actor's producer that panics": {func() *actor.Props {
			return actor.PropsFromProducer(func() actor.Actor { panic("stillborn") })
		}, "start: stillborn"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t).run(Options{Strategy: RestForOne, Children: append([]Spec{{Name: "a", Produce: func(generation uint64) *actor.Props {
				if generation < 3 {
					return test.produce()
				}
				return workerProps(hooks{})
			}}}, workers("b", nil)...)})
			b.want("failed a-1: "+test.reason, "restarting a in 0s", "failed a-2: "+test.reason, "restarting a in 50ms")
			b.quiet()
			b.clock.Advance(50 * time.Millisecond)
			b.want("up a-3", "started b-1")
			b.quiet()
		})
	}
}

func TestSnapshot(t *testing.T) {
	specs := append(breakers("a"), workers("b c", nil)...)
	specs = append(specs, workers("d", func(s *Spec) { s.Restart = Transient })...)
	b := newBench(t).run(Options{Children: specs, Intensity: 1})
	start := b.clock.Now()
	b.want("started a-1", "started b-1", "started c-1", "started d-1")
	for _, step := range []string{"crash a", "crash a", "crash b", "leave d"} {
		b.do(step)
		for {
			if e := <-b.events; strings.HasPrefix(e, "stopped") || strings.HasPrefix(e, "up") {
				break
			}
		}
	}
	b.clock.Advance(4 * time.Second)
	want := []Child{
		{Name: "a", Generation: 1, State: Waiting, Restarts: 1, Failures: 2, Last: Failure{start, "boom"},
			Remaining: 6 * time.Second, Breaker: Open, Possible: DoRestart | DoStop | DoReset},
		{Name: "b", Generation: 1, State: Running, Restarts: 1, Failures: 1, Last: Failure{start, "boom"}, PID: b.pids["b"], Possible: DoRestart | DoStop},
		{Name: "c", Generation: 1, State: Running, PID: b.pids["c"], Possible: DoRestart | DoStop},
		{Name: "d", Generation: 1, State: Finished, Possible: DoStart},
	}
	for i, got := range b.snapshot().Children {
		w := want[i]
		w.Since = start
		if got.PID.String() != w.PID.String() {
			t.Errorf("%s: pid %v, want %v", w.Name, got.PID, w.PID)
		}
		got.PID, w.PID = nil, nil
		if got != w {
			t.Errorf("got %+v, want %+v", got, w)
		}
	}
}

func TestObserver(t *testing.T) {
	b := newBench(t)
	seen := make(chan any, 10)
	observer := b.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if e, ok := ctx.Message().(Event); ok {
			seen <- e
		}
	}))
	t.Cleanup(func() { b.system.Root.StopFuture(observer).Wait() })
	b.run(Options{Children: workers("a", nil), Observer: observer})
	b.system.Root.Send(b.pid, "what?")
	b.want("started a-1", "ignored string")
	for _, want := range []string{"started a-1", "ignored string"} {
		if got := render((<-seen).(Event)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestPause(t *testing.T) {
	tests := map[string]struct {
		attempt int
		random  float64
		want    time.Duration
	}{
		"first failure":        {1, 0.5, 0},
		"least":                {2, 0, 0},
		"second failure":       {2, 0.5, 50 * time.Millisecond},
		"third":                {3, 0.5, 100 * time.Millisecond},
		"tenth, below the cap": {10, 0.5, 12800 * time.Millisecond},
		"eleventh, capped":     {11, 0.5, 15 * time.Second},
		"very many":            {1 << 30, 0.25, 7500 * time.Millisecond},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o, err := Options{Random: func() float64 { return test.random }, Children: workers("a", nil)}.withDefaults()
			if err != nil {
				t.Fatal(err)
			}
			if got := (&supervisor{o: o}).pause(&child{spec: o.Children[0], attempt: test.attempt}); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestOptionsErrors(t *testing.T) {
	props := workerProps(hooks{})
	tests := map[string]struct {
		o    Options
		want string
	}{
		"strategy":          {Options{Strategy: 3}, "strategy 3 is unknown"},
		"unbuffered":        {Options{Failed: make(chan error)}, "failed must be a buffered channel"},
		"negative period":   {Options{Period: -1}, "period, backoff and its cap must not be negative"},
		"no name":           {Options{Children: []Spec{{Props: props}}}, `child 0 "": name is empty or has a slash`},
		"slash":             {Options{Children: []Spec{{Name: "a/b", Props: props}}}, `child 0 "a/b": name is empty or has a slash`},
		"no props":          {Options{Children: []Spec{{Name: "a"}}}, `child 0 "a": exactly one of props and produce is needed`},
		"restart type":      {Options{Children: []Spec{{Name: "a", Props: props, Restart: 9}}}, `child 0 "a": restart type 9 is unknown`},
		"twice":             {Options{Children: []Spec{{Name: "a", Props: props}, {Name: "a", Props: props}}}, `child 1 "a": name is taken`},
		"temporary breaker": {Options{Children: []Spec{{Name: "a", Props: props, Restart: Temporary, Breaker: &Breaker{}}}}, `child 0 "a": a temporary child has no use for a breaker`},
		"negative ping":     {Options{Children: []Spec{{Name: "a", Props: props, PingEvery: -1}}}, `child 0 "a": ping times must not be negative`},
		"negative breaker":  {Options{Children: []Spec{{Name: "a", Props: props, Breaker: &Breaker{Quiet: -1}}}}, `child 0 "a": breaker times must not be negative`},
		"pace alone":        {Options{Children: []Spec{{Name: "a", Props: props, Pace: Pace{Intensity: 1}}}}, `child 0 "a": the period 10s of a pace without a breaker must be longer than 30s, its backoff cap times its intensity`},
		"negative pace":     {Options{Children: []Spec{{Name: "a", Props: props, Breaker: &Breaker{}, Pace: Pace{Backoff: -1}}}}, `child 0 "a": period, backoff and its cap must not be negative`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := New(test.o)
			if err == nil || err.Error() != "supervisor: "+test.want {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
