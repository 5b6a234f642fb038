package janitor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/clock"
)

// Workers runs blocking work outside the actors. It may drop what it is given when it is closed.
type Workers interface {
	Go(f func())
}

// Options says what is to be done and how often. All fields but Random are needed.
type Options struct {
	// Name stands in logs.
	Name string
	// Every is the time from the end of one run to the beginning of the next. The first comes after
	// a random part of it, so that not all janitors work at once.
	Every time.Duration
	// Work is one run. It ends early when ctx does, which is when the actor stops. An error is logged
	// and the next run comes as usual; a panic is the actor's.
	Work    func(ctx context.Context) error
	Clock   clock.Clock
	Workers Workers
	Log     *slog.Logger
	// Random returns a number in [0, 1); nil means math/rand/v2.
	Random func() float64
}

type (
	// due begins a run.
	due struct{ owner *janitor }
	// done ends one.
	done struct {
		owner *janitor
		err   error
	}
	// late says that a run has taken as long as the time between two.
	late struct {
		owner *janitor
		run   uint64
	}
)

// panicked is why Work did not return.
type panicked struct {
	reason any
	stack  []byte
}

func (p *panicked) Error() string { return fmt.Sprint(p.reason) }

// janitor is the actor.
//
// On restart: the time to the next run begins anew; a run under way is told to end, and what comes
// of it is ignored.
type janitor struct {
	o      Options
	ctx    context.Context
	cancel context.CancelFunc
	run    uint64
	stop   func() bool // the timer
}

// New returns what makes the actor, or what is wrong with the options.
func New(o Options) (actor.Producer, error) {
	if o.Name == "" || o.Work == nil || o.Clock == nil || o.Workers == nil || o.Log == nil {
		return nil, errors.New("janitor: name, work, clock, workers and log are needed")
	}
	if o.Every <= 0 {
		return nil, fmt.Errorf("janitor %s: every %s is no time", o.Name, o.Every)
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	return func() actor.Actor { return &janitor{o: o} }, nil
}

// Receive waits, has the work done, and waits again.
func (j *janitor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		j.ctx, j.cancel = context.WithCancel(context.Background())
		j.after(ctx, time.Duration(j.o.Random()*float64(j.o.Every)), &due{j})
	case *actor.Restarting, *actor.Stopping:
		j.end()
	case *due:
		if m.owner == j {
			j.begin(ctx)
		}
	case *late:
		if m.owner == j && m.run == j.run {
			j.o.Log.Warn("still at work", "actor", j.o.Name, "for", j.o.Every.String())
		}
	case *done:
		if m.owner == j {
			j.finish(ctx, m.err)
		}
	case actor.SystemMessage, actor.AutoReceiveMessage:
	default:
		j.o.Log.Error("unknown message", "actor", j.o.Name, "message", fmt.Sprintf("%T", m))
	}
}

func (j *janitor) end() {
	if j.cancel != nil {
		j.cancel()
	}
	if j.stop != nil {
		j.stop()
	}
}

func (j *janitor) after(ctx actor.Context, d time.Duration, message any) {
	root, self := ctx.ActorSystem().Root, ctx.Self()
	j.stop = j.o.Clock.AfterFunc(d, func() { root.Send(self, message) })
}

func (j *janitor) begin(ctx actor.Context) {
	j.run++
	j.after(ctx, j.o.Every, &late{j, j.run})
	root, self, work := ctx.ActorSystem().Root, ctx.Self(), j.ctx
	j.o.Workers.Go(func() { root.Send(self, &done{j, j.do(work)}) })
}

// do turns a panic into an error: it is on another goroutine than the actor.
func (j *janitor) do(ctx context.Context) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = &panicked{reason, debug.Stack()}
		}
	}()
	return j.o.Work(ctx)
}

func (j *janitor) finish(ctx actor.Context, err error) {
	j.stop()
	j.run++ // a warning that is on its way is too late
	var crash *panicked
	if errors.As(err, &crash) {
		j.o.Log.Error("work panicked", "actor", j.o.Name, "reason", fmt.Sprint(crash.reason), "stack", string(crash.stack))
		panic(crash.reason)
	}
	if err != nil {
		j.o.Log.Error("work failed", "actor", j.o.Name, "err", err)
	}
	j.after(ctx, j.o.Every, &due{j})
}
