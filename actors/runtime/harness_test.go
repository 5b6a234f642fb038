package runtime

import (
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/clock/clocktest"
)

// patience is how long a test waits for what must come; it is spent only by a failing test.
const patience = 2 * time.Minute

// reports is what a runtime has reported.
type reports struct {
	mu      sync.Mutex // Protects following.
	crashes []*Crash
	lost    map[Loss]int
}

func (r *reports) count(why Loss) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lost[why]
}

func (r *reports) panics() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.crashes)
}

func newRuntime(t interface{ Cleanup(func()) }, log *slog.Logger) (*Runtime, *reports) {
	system := actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond))
	r := New(system, clocktest.New(), log)
	told := &reports{lost: map[Loss]int{}}
	r.Report(func(c *Crash) {
		told.mu.Lock()
		defer told.mu.Unlock()
		told.crashes = append(told.crashes, c)
	}, func(m any, why Loss) {
		if _, ours := m.(holding); !ours {
			return // one of the library's, or harmless
		}
		told.mu.Lock()
		defer told.mu.Unlock()
		told.lost[why]++
	})
	system.EventStream.Subscribe(func(event any) {
		if dead, ok := event.(*actor.DeadLetterEvent); ok {
			r.Bury(dead.Message)
		}
	})
	t.Cleanup(r.Stop)
	return r, told
}

func await(t testing.TB, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("%s: still waiting", what)
	}
}

// watchdog tells a channel when an actor has stopped.
type watchdog struct {
	target *actor.PID
	gone   chan struct{}
}

func (w *watchdog) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		ctx.Watch(w.target)
	case *actor.Terminated:
		close(w.gone)
		ctx.Stop(ctx.Self())
	}
}

func ended(t testing.TB, r *Runtime, pid *actor.PID) {
	t.Helper()
	dog := &watchdog{pid, make(chan struct{})}
	r.System.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return dog }))
	await(t, "end of "+pid.Id, dog.gone)
}

// returned waits until nothing of a window is leased: with no budget a message passes only alone.
func returned(t testing.TB, w *Window) {
	t.Helper()
	w.SetBudget(0)
	guard := time.AfterFunc(patience, w.Close)
	defer guard.Stop()
	if !w.Acquire(1) {
		t.Errorf("%d bytes still leased", w.Used())
		return
	}
	w.release(1)
}
