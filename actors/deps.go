package actors

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/refusals"
)

// Deps is what every actor of one system shares. Fields are needed unless their
// comment says otherwise; Supervise sets Temporary and Permanent.
type Deps struct {
	System   *actor.ActorSystem
	Egress   Egress
	Tokens   Tokens
	Workers  Workers
	Clock    Clock
	Log      *slog.Logger
	Counters *Counters
	Settings *atomic.Pointer[Settings]
	Registry *Registry
	// OnCrash is told of every message at which an actor panicked. It must not block or panic. Nil:
	// nobody is.
	OnCrash func(c *Crash)
	// Temporary ends connections and subscribers that panic. It is one value for all, because the
	// library keeps a guardian for each.
	Temporary actor.SupervisorStrategy
	// Permanent restarts topics and services in place.
	Permanent actor.SupervisorStrategy

	holders     *actor.PID // nil: nobody comes back
	sleep       sleep
	workers     *workers
	refusals    *refusals.Log
	connections spawner
	subscribers spawner

	unruled warned
	askers  askers

	grants  shared[grants]
	tenants shared[tenant]
}

// Supervise readies what runs the actors and what happens to those that panic. Stop undoes it.
func (d *Deps) Supervise() {
	d.workers = newWorkers()
	d.refusals = refusals.New(d.Log, d.Clock.Now)
	d.Temporary = &stopOnFailure{d.Log}
	d.Permanent = &restartOnFailure{d.Log}
	d.connections.init(d, "connection")
	d.subscribers.init(d, "subscriber")
}

// Refusals returns where refused and cut off peers are named. It is there after Supervise.
func (d *Deps) Refusals() *refusals.Log { return d.refusals }

// Go runs f soon on a goroutine that is kept for its stack.
func (d *Deps) Go(f func()) { d.workers.Schedule(f) }

// Stop ends the goroutines that wait for something to do. The caller calls it after the last actor has
// ended.
func (d *Deps) Stop() {
	d.workers.stop()
	d.refusals.Close()
}

// spawner spawns temporary actors of a kind that there are many of. They share their props, which
// would be a third of what an actor takes.
type spawner struct {
	kind  string
	deps  *Deps
	mu    sync.Mutex // Protects following.
	next  actor.Actor
	box   *mailbox // of the actor spawned last
	props *actor.Props
}

func (s *spawner) init(d *Deps, kind string) {
	s.kind, s.deps = kind, d
	s.props = Props(d, kind, func() actor.Actor { return s.next }, actor.WithGuardian(d.Temporary),
		actor.WithMailbox(func() actor.Mailbox {
			// Nobody else is to run it before spawn does.
			s.box = &mailbox{running: true}
			return s.box
		}))
}

// spawn starts an actor on the caller's goroutine.
func (s *spawner) spawn(a actor.Actor) *actor.PID {
	i := s.make(a)
	i.mailbox.runOne()
	return i.PID
}

// make is spawn of an actor that must know its inbox when it starts: to run its mailbox is left to the
// caller.
func (s *spawner) make(a actor.Actor) Inbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	// The library calls the producer before it returns, and never again: the actor is not restarted.
	s.next = a
	defer func() { s.next, s.box = nil, nil }()
	pid := s.deps.spawn(s.props, s.kind)
	return Inbox{pid, s.box}
}

// Settings are the limits and choices that a reload may change; a new value replaces the old one
// as a whole.
type Settings struct {
	Depth                  int           // levels of JSON nesting accepted
	AuthenticationTimeout  time.Duration // from the greeting to a valid token
	AuthenticationAttempts int           // refused tokens before the connection is closed
	RequestTimeout         time.Duration // how long a request waits for its reply
	PendingRequests        int           // unanswered requests of one subscriber to one service
	UnknownService         int           // status code answered for a service nobody offers; 0: silence
	UnsolicitedReplies     bool          // a service may write to whoever asked it anything before
	RepliesWithoutResource bool          // a reply without resource_id goes to the only one it can be for
	Instances              Instances     // which of several remote instances get a request
	Reclaim                time.Duration // how long a holder may come back with a token that is used up; 0: not
	ReclaimCount           int           // how many such tokens are kept
	Policies               *Policies     // who sees what; nil: nobody sees anything
}

func (d *Deps) settings() *Settings { return d.Settings.Load() }

// send posts a message from whatever goroutine.
func (d *Deps) send(to *actor.PID, message any) { d.System.Root.Send(to, message) }

// after posts a message to an actor later, unless stop is called before.
func (d *Deps) after(delay time.Duration, to *actor.PID, message any) (stop func() bool) {
	return d.Clock.AfterFunc(delay, func() { d.send(to, message) })
}

func (d *Deps) spawn(props *actor.Props, kind string) *actor.PID {
	pid, err := d.System.Root.SpawnNamed(props, kind+d.System.ProcessRegistry.NextId())
	if err != nil {
		// Names are numbered, so this cannot happen but for a bug here.
		panic(err)
	}
	return pid
}
