package runtime

import (
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/clock"
)

// Runtime is what the actors of one system run on.
type Runtime struct {
	System *actor.ActorSystem
	Clock  clock.Clock
	Log    *slog.Logger
	// Temporary ends an actor that panics. It is one value for all actors, because the library keeps a
	// guardian for each value.
	Temporary actor.SupervisorStrategy
	// Permanent restarts an actor that panics in place. Its mailbox is kept. The message at which it panicked
	// is lost.
	Permanent actor.SupervisorStrategy

	dispatcher *dispatcher
	pauses     pauses
	crashed    func(c *Crash)
	lost       func(message any, why Loss)
}

// New returns a runtime without any actor. The system must not have begun to work.
func New(system *actor.ActorSystem, c clock.Clock, log *slog.Logger) *Runtime {
	compact(system)
	return &Runtime{
		System: system, Clock: c, Log: log,
		Temporary: &stopOnFailure{}, Permanent: &restartOnFailure{},
		dispatcher: newDispatcher(),
		crashed:    func(*Crash) {},
		lost:       func(any, Loss) {},
	}
}

// Report sets who is told of each panic, and of each message that no actor handles. Neither function may block
// or panic. It is called before the first actor is spawned.
func (r *Runtime) Report(crashed func(c *Crash), lost func(message any, why Loss)) {
	r.crashed, r.lost = crashed, lost
}

// Go runs f soon on a goroutine that is kept for its stack.
func (r *Runtime) Go(f func()) { r.dispatcher.Schedule(f) }

// Trim ends goroutines that are kept for their stacks and were not needed since the last call. It is called from time to
// time, by one goroutine.
func (r *Runtime) Trim() { r.dispatcher.trim() }

// Idle returns how many goroutines are kept for their stacks and have nothing to do.
func (r *Runtime) Idle() int { return int(r.dispatcher.idle.Load()) }

// Stop ends the goroutines that wait for something to do. The caller calls it after the last actor has ended.
func (r *Runtime) Stop() { r.dispatcher.stop() }

// Mailbox returns how an actor with a guard of its own gets a mailbox of this package.
func (r *Runtime) Mailbox() []actor.PropsOption {
	return []actor.PropsOption{actor.WithMailbox(newMailbox), actor.WithDispatcher(r.dispatcher)}
}

// spawn starts an actor whose name is its kind and a number.
func (r *Runtime) spawn(props *actor.Props, kind string) *actor.PID {
	pid, err := r.System.Root.SpawnNamed(props, kind+r.System.ProcessRegistry.NextId())
	if err != nil {
		// Names are numbered, so this cannot happen but for a bug here.
		panic(err)
	}
	return pid
}

// Slept returns how long the process did not run in total. It knows of a pause at once, also before the
// next beat.
func (r *Runtime) Slept() time.Duration { return r.pauses.until(r.Clock.Now()) }

// Awake returns the time on a clock that stands still while the process does not run. It is for
// deadlines of peers, and only to be compared with itself.
func (r *Runtime) Awake() time.Time {
	awake, _ := r.Moment()
	return awake
}

// Moment returns what Awake and Slept do, for one look at the clock.
func (r *Runtime) Moment() (awake time.Time, slept time.Duration) {
	now := r.Clock.Now()
	slept = r.pauses.until(now)
	return now.Add(-slept), slept
}

// Beat notes that the process runs, and returns how long it did not run since the last call. One
// goroutine calls it, every second. Where nobody does, the process is taken to run always.
func (r *Runtime) Beat() (slept time.Duration) {
	now := r.Clock.Now()
	total := r.pauses.until(now)
	if last := r.pauses.last.Load(); last != nil {
		slept = total - last.slept
	}
	r.pauses.last.Store(&beat{now, total})
	return slept
}
