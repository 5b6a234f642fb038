package supervisor

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/clock/clocktest"
)

// patience is how long a test waits for what must happen; only a test that fails takes that long.
const patience = 2 * time.Minute

type (
	crash struct{ reason any } // panic
	leave struct{}             // stop by own decision
	block struct {
		entered, until chan struct{}
		panics         bool
	} // hang
	exit  struct{ supervisor *actor.PID } // end the goroutine
	count struct{}                        // answered with the number of counts seen by this incarnation
)

// worker is a child that does what it is told. On restart: it counts from zero.
type worker struct {
	counts int
	hooks  hooks
}

// hooks make a worker panic in its life cycle.
type hooks struct{ started, restarting, stopping, stopped func() }

func call(hook func()) {
	if hook != nil {
		hook()
	}
}

func (w *worker) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		call(w.hooks.started)
	case *actor.Restarting:
		call(w.hooks.restarting)
	case *actor.Stopping:
		call(w.hooks.stopping)
	case *actor.Stopped:
		call(w.hooks.stopped)
	case *crash:
		panic(m.reason)
	case *exit:
		defer ctx.Send(m.supervisor, &Exited{ctx.Self()})
		runtime.Goexit()
	case *leave:
		ctx.Stop(ctx.Self())
	case *block:
		close(m.entered)
		<-m.until
		if m.panics {
			panic("late")
		}
	case *count:
		w.counts++
		ctx.Respond(w.counts)
	}
}

func workerProps(h hooks) *actor.Props {
	return actor.PropsFromProducer(func() actor.Actor { return &worker{hooks: h} })
}

// workers returns specs of plain children, with the restart type and more set by change.
func workers(names string, change func(*Spec)) []Spec {
	var specs []Spec
	for _, name := range strings.Fields(names) {
		spec := Spec{Name: name, Props: workerProps(hooks{})}
		if change != nil {
			change(&spec)
		}
		specs = append(specs, spec)
	}
	return specs
}

// bench is one supervisor under test. Random is 1/2, so that a pause is half the longest.
type bench struct {
	t      *testing.T
	system *actor.ActorSystem
	clock  *clocktest.Clock
	pid    *actor.PID
	events chan string
	pids   map[string]*actor.PID // of the children, as announced; kept by want
	news   chan announced
}

type announced struct {
	child string
	pid   *actor.PID
}

func newSystem() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}), actor.WithDeadLetterThrottleInterval(time.Millisecond))
}

func newBench(t *testing.T) *bench {
	return &bench{t: t, system: newSystem(), clock: clocktest.New(), pids: make(map[string]*actor.PID),
		events: make(chan string, 10_000), news: make(chan announced, 10_000)}
}

// complete sets what all supervisors of a test share.
func (b *bench) complete(o Options) *actor.Props {
	b.t.Helper()
	o.Clock, o.Random, o.Observe = b.clock, func() float64 { return 0.5 }, b.observe
	props, err := New(o)
	if err != nil {
		b.t.Fatal(err)
	}
	return props
}

// run spawns the supervisor and stops it at the end of the test, if it still runs.
func (b *bench) run(o Options) *bench {
	b.t.Helper()
	var err error
	if b.pid, err = b.system.Root.SpawnNamed(b.complete(o), "root"); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		stopped := b.system.Root.StopFuture(b.pid).Wait()
		if stopped != nil && !errors.Is(stopped, actor.ErrDeadLetter) {
			b.t.Errorf("supervisor did not stop: %v", stopped)
		}
	})
	return b
}

func (b *bench) observe(e Event) {
	switch e := e.(type) {
	case *ChildStarted:
		b.news <- announced{e.Child, e.PID}
	case *ChildUp:
		b.news <- announced{e.Child, e.PID}
	}
	b.events <- render(e)
}

// render writes an event as tests expect it.
func render(e Event) string {
	switch e := e.(type) {
	case *ChildStarted:
		return fmt.Sprintf("started %s-%d", e.Child, e.Generation)
	case *ChildUp:
		if e.InPlace {
			return fmt.Sprintf("up %s-%d in place", e.Child, e.Generation)
		}
		return fmt.Sprintf("up %s-%d", e.Child, e.Generation)
	case *ChildFailed:
		return fmt.Sprintf("failed %s-%d: %v", e.Child, e.Generation, e.Reason)
	case *ChildRestarting:
		if e.InPlace && e.In == 0 {
			return fmt.Sprintf("restarting %s in place", e.Child)
		}
		if e.InPlace {
			return fmt.Sprintf("restarting %s in place in %s", e.Child, e.In)
		}
		return fmt.Sprintf("restarting %s in %s", e.Child, e.In)
	case *ChildStopped:
		return fmt.Sprintf("stopped %s-%d", e.Child, e.Generation)
	case *ChildAbandoned:
		return fmt.Sprintf("abandoned %s-%d: %v", e.Child, e.Generation, e.Reason)
	case *ChildRetired:
		return "retired " + e.Child
	case *ChildRemoved:
		return "removed " + e.Child
	case *ChildGaveUp:
		return fmt.Sprintf("gave up %s after %d: %v", e.Child, e.Failures, e.Reason)
	case *BreakerOpened:
		if e.Obstacle != nil {
			return fmt.Sprintf("opened %s for %s: %v", e.Child, e.For, e.Obstacle)
		}
		return fmt.Sprintf("opened %s for %s", e.Child, e.For)
	case *BreakerHalfOpened:
		return "half-opened " + e.Child
	case *BreakerClosed:
		return "closed " + e.Child
	case *MessageIgnored:
		return "ignored " + e.Type
	}
	return fmt.Sprintf("%T", e)
}

// want waits for exactly these events, in this order.
func (b *bench) want(events ...string) {
	b.t.Helper()
	for i, want := range events {
		select {
		case got := <-b.events:
			if got != want {
				b.t.Fatalf("event %d: got %q, want %q\nthen: %q", i, got, want, b.rest())
			}
		case <-time.After(patience):
			b.t.Fatalf("event %d: want %q, got none", i, want)
		}
	}
	for len(b.news) > 0 {
		a := <-b.news
		b.pids[a.child] = a.pid
	}
}

// wantAll waits for exactly these events in any order: those of two supervisors may mix.
func (b *bench) wantAll(events ...string) {
	b.t.Helper()
	missing := slices.Clone(events)
	for range events {
		select {
		case got := <-b.events:
			i := slices.Index(missing, got)
			if i < 0 {
				b.t.Fatalf("got %q, want one of %q", got, missing)
			}
			missing = slices.Delete(missing, i, i+1)
		case <-time.After(patience):
			b.t.Fatalf("want %q, got none", missing)
		}
	}
	b.want()
}

// rest returns the events that are there already.
func (b *bench) rest() (events []string) {
	for len(b.events) > 0 {
		events = append(events, <-b.events)
	}
	return events
}

// quiet fails if there are more events, after the supervisor has handled all that it was sent.
func (b *bench) quiet() {
	b.t.Helper()
	b.snapshot()
	if more := b.rest(); len(more) > 0 {
		b.t.Fatalf("more events: %q", more)
	}
}

func (b *bench) ask(pid *actor.PID, message any) any {
	b.t.Helper()
	answer, err := b.system.Root.RequestFuture(pid, message, patience).Result()
	if err != nil {
		b.t.Fatalf("%T: %v", message, err)
	}
	return answer
}

func (b *bench) snapshot() *Snapshot {
	b.t.Helper()
	return b.ask(b.pid, &Inspect{}).(*Snapshot)
}

func (b *bench) tell(child string, message any) {
	b.system.Root.Send(b.pids[child], message)
}

// hang has a child do nothing until the function it returns is called, and returns once it does so.
func (b *bench) hang(child string) (release func()) {
	m := &block{entered: make(chan struct{}), until: make(chan struct{})}
	b.tell(child, m)
	<-m.entered
	return func() { close(m.until) }
}

// do carries out one step of a script: "crash a", "leave a", "advance 10s", "shutdown".
func (b *bench) do(step string) {
	b.t.Helper()
	verb, object, _ := strings.Cut(step, " ")
	switch verb {
	case "":
	case "crash":
		b.tell(object, &crash{"boom"})
	case "leave":
		b.tell(object, &leave{})
	case "advance":
		d, err := time.ParseDuration(object)
		if err != nil {
			b.t.Fatal(err)
		}
		b.settle()
		b.clock.Advance(d)
	case "shutdown":
		b.system.Root.Send(b.pid, &Shutdown{})
	default:
		b.t.Fatalf("unknown step %q", step)
	}
}

// settle waits until the supervisor has set the timers of what it has announced: until it has answered, or is gone.
// A supervisor that stops answers nothing of what waits in its mailbox, so settle asks again.
func (b *bench) settle() {
	b.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if _, err := b.system.Root.RequestFuture(b.pid, &Inspect{}, time.Second/10).Result(); err == nil {
			return
		}
		if _, known := b.system.ProcessRegistry.Get(b.pid); !known {
			return
		}
	}
	b.t.Fatal("the supervisor neither answers nor ends")
}

// gone waits until the actor is no more.
func (b *bench) gone(pid *actor.PID) {
	b.t.Helper()
	future := actor.NewFuture(b.system, patience)
	process, _ := b.system.ProcessRegistry.Get(pid)
	process.SendSystemMessage(pid, &actor.Watch{Watcher: future.PID()})
	if err := future.Wait(); err != nil && !errors.Is(err, actor.ErrDeadLetter) {
		b.t.Fatalf("%s still runs: %v", pid.GetId(), err)
	}
}
