package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/clock"
	"strowger/actors/envelope"
	"strowger/system/internal/supervisor"
	"strowger/system/service"
)

// Instance is one Service in one Home, through all its restarts. Its methods may be called from any
// goroutine and never block but for Wait.
type Instance struct {
	service  service.Service
	home     Home
	paced    Paced // nil: the home takes all that is said
	o        Options
	log      *slog.Logger
	name     envelope.Raw // quoted
	tasks    tasks
	counters Counters
	errors   errorLog
	noRoom   errorLog

	beginning sync.Once
	begun     chan struct{} // closed when the first start is over
	leaving   atomic.Bool   // requests that a stop ends get no answer
	watched   atomic.Bool   // by another node, now or before
	run       atomic.Pointer[run]
	numbers   atomic.Uint64 // of relayed requests

	mu      sync.Mutex    // Protects following.
	state   service.State // but for RetryAfter, Open and Queued
	retry   time.Time     // when the next attempt to start is due
	over    uint64        // no generation up to this one is coming back
	life    *life         // the latest; nil: never started
	formers []former      // lives that have ended, and may have left something that runs
	pid     *actor.PID    // nil: down
	root    *actor.RootContext
	table   table
	idle    chan struct{} // closed when no request is open; nil: nobody waits
	alarm   alarm
}

// New checks the service and prepares it; it runs when a supervisor starts its Spec. The
// error names everything that is wrong.
func New(s *service.Service, home Home, o Options) (*Instance, error) {
	if s == nil {
		return nil, errors.New("the service is nil")
	}
	filled, err := withDefaults(s)
	o, wrong := o.withDefaults()
	if filled.Limits.Pool == 0 {
		filled.Limits.Pool = o.Pool
	}
	if home == nil {
		wrong = errors.Join(wrong, errors.New("home is nil"))
	}
	wrong = errors.Join(wrong, supervisor.CheckPlatform())
	if err := errors.Join(err, wrong); err != nil {
		return nil, fmt.Errorf("service %q: %w", s.Name, err)
	}
	i := &Instance{
		service: filled,
		home:    home,
		o:       o,
		log:     o.Log.With("service", s.Name),
		name:    envelope.QuoteString(s.Name),
		table:   newTable(),
		begun:   make(chan struct{}),
	}
	i.paced, _ = home.(Paced)
	i.state = service.State{Service: s.Name, Condition: service.Starting, Since: o.Clock.Now()}
	if o.Standby != nil && o.Standby() {
		i.state.Condition = service.Standby
	}
	return i, nil
}

// Name is the service's.
func (i *Instance) Name() string { return i.service.Name }

// Service is what runs, with the defaults filled in. It must not be changed.
func (i *Instance) Service() *service.Service { return &i.service }

// Spec is the child for the home's supervisor; its Name is the service's. That supervisor must pass
// the child's events to Observe. One Instance is one child of one supervisor.
func (i *Instance) Spec() supervisor.Spec {
	child := spec(&i.service)
	child.Produce = func(generation uint64) *actor.Props {
		r := &run{generation: generation}
		i.run.Store(r)
		return actor.PropsFromProducer(func() actor.Actor { return newHost(i, r) }, i.o.Actor...)
	}
	if child.Breaker != nil {
		child.Obstacle = i.obstacle
	}
	child.Call = func() uint64 { return i.run.Load().call() }
	return child
}

// Ask hands over a request. Every request with an id is answered through the home, exactly once
// unless it is streamed: by the service, with 503 and {"retry_after":seconds} while it is down or
// has too many, with 500 if it crashed, with 504 at the deadline. None is if the subscriber has left, or
// if the service stops after Leave. A nil a, or one without an envelope, is logged and dropped.
func (i *Instance) Ask(a *Ask) { i.Begin(a) }

// Begin is Ask. It returns the request, which may be over by then, or nil if it was dropped.
func (i *Instance) Begin(a *Ask) *Request {
	if a == nil || a.Envelope == nil {
		i.log.Error("request without an envelope dropped")
		i.counters.Mistakes.Add(1)
		if a != nil && a.Held != nil {
			a.Held.Release()
		}
		return nil
	}
	i.counters.Requests.Add(1)
	r := newRequest(i, a)
	if r.topic == service.StateTopic {
		r.ReplyWith(service.StateTopic, 200, i.State())
		return r
	}
	if i.o.Ready != nil && !i.o.Ready() {
		r.refuse(retryAfter(busyFor))
		return r
	}
	i.mu.Lock()
	pid, root := i.pid, i.root
	switch {
	case pid == nil && i.ended():
		i.mu.Unlock()
		r.stop()
		return r
	case pid == nil:
		payload := i.retryAfter()
		i.mu.Unlock()
		r.refuse(payload)
		return r
	case i.table.len() >= i.service.Limits.Open:
		i.mu.Unlock()
		r.refuse(retryAfter(busyFor))
		return r
	}
	surplus := i.add(r)
	i.mu.Unlock()
	if surplus != nil {
		surplus.refuse(retryAfter(busyFor))
		return r
	}
	root.Send(pid, &turn{})
	return r
}

// add has a request wait for the service. If too many wait, it returns the one that is to be refused: this one, or the
// newest of an asker of whom more wait, which gives its turn to this one. i.mu is held.
func (i *Instance) add(r *Request) (surplus *Request) {
	if i.table.line.length >= i.service.Limits.Mailbox {
		var ok bool
		if surplus, ok = i.table.line.yield(r.sender); !ok {
			return r
		}
	}
	i.table.add(r)
	i.setAlarm()
	return surplus
}

// busyFor is what a request that finds no room is told to wait.
const busyFor = time.Second

// Gone says that a subscriber has left: its requests end without an answer.
func (i *Instance) Gone(resourceID string) {
	i.mu.Lock()
	lost := i.table.of(resourceID)
	i.mu.Unlock()
	i.leave(lost)
}

// AllGone is Gone for every subscriber, such as when the way to the router is lost.
func (i *Instance) AllGone() {
	i.mu.Lock()
	lost := i.table.all(func(*Request) bool { return true })
	i.mu.Unlock()
	i.leave(lost)
}

func (i *Instance) leave(lost []*Request) {
	for _, r := range lost {
		if r.finish(left, nil) {
			i.counters.Gone.Add(1)
		}
	}
}

// Reload has the service's OnReload called, after what waits already. While the service is down it
// does nothing, as Setup runs anew.
func (i *Instance) Reload() {
	i.mu.Lock()
	pid, root := i.pid, i.root
	i.mu.Unlock()
	if pid != nil {
		root.Send(pid, &reload{})
	}
}

// Joined has the service's OnJoin called: another node begins to pass on what it says. It is called again after each
// later start.
func (i *Instance) Joined() {
	i.watched.Store(true)
	i.mu.Lock()
	pid, root, up := i.pid, i.root, i.state.Condition == service.Up
	i.mu.Unlock()
	if pid != nil && up {
		root.Send(pid, &joined{})
	}
}

// Counters are live.
func (i *Instance) Counters() *Counters { return &i.counters }

// Wait returns when the service's sources and work have returned, or with an error when ctx ends
// first; a nil ctx never ends. It is for after the supervisor's shutdown.
func (i *Instance) Wait(ctx context.Context) error {
	if ctx == nil {
		ctx = context.Background()
	}
	i.mu.Lock()
	i.alarm.cancel()
	i.mu.Unlock()
	if n := i.tasks.wait(ctx); n > 0 {
		return fmt.Errorf("service %q: %d sources or calls of Go still run: %w", i.service.Name, n, context.Cause(ctx))
	}
	return nil
}

// setAlarm has expire called at the earliest deadline. i.mu is held.
func (i *Instance) setAlarm() {
	if due, ok := i.table.earliest(); ok && i.alarm.needed(due) {
		i.alarm.set(due, due.Sub(i.awake()), i.o.Clock, i.expire)
	}
}

// awake returns the time on a clock that stands still while the process does not run.
func (i *Instance) awake() time.Time { return i.o.Clock.Now().Add(-i.o.Slept()) }

// expire ends the requests that are due.
func (i *Instance) expire() {
	i.mu.Lock()
	i.alarm.over()
	due := i.table.due(i.awake())
	i.setAlarm()
	i.mu.Unlock()
	for _, r := range due {
		r.expire()
	}
}

// alarm is one call in the future, at most.
type alarm struct {
	at   time.Time
	stop func() bool
}

// needed reports whether the call does not come until after at.
func (a *alarm) needed(at time.Time) bool { return a.stop == nil || at.Before(a.at) }

// set makes the call come at at, which is in so long.
func (a *alarm) set(at time.Time, in time.Duration, c clock.Clock, f func()) {
	if a.stop != nil {
		a.stop()
	}
	a.at, a.stop = at, c.AfterFunc(in, f)
}

func (a *alarm) over() { a.stop = nil }

func (a *alarm) cancel() {
	if a.stop != nil {
		a.stop()
		a.stop = nil
	}
}
