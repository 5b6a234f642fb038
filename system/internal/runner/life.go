package runner

import (
	"context"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/system/service"
)

// life is what one run of Setup has made. Its host ends it; while that hangs, Observe does.
type life struct {
	instance   *Instance
	run        *run
	generation uint64
	self       *actor.PID
	root       *actor.RootContext
	context    Context
	ctx        context.Context
	cancel     context.CancelFunc
	ended      atomic.Bool // takes nothing any more
	mute       atomic.Bool // says nothing any more
	mistakes   mistakes
	pool       *pool
	overdue    atomic.Bool  // something of it has run for too long
	listening  atomic.Int64 // sources that run

	// The rest belongs to the host.
	handlers map[string]func(r service.Request) error
	timers   map[*Timer]struct{}
	sources  []*source
	reloads  []func(c service.Context)
	joins    []func(c service.Context)
	stops    []func(c service.Context)
	relay    Relay // nil: the service runs in this process
}

func newLife(i *Instance, r *run, ctx actor.Context) *life {
	l := &life{instance: i, run: r, generation: r.generation, self: ctx.Self(), root: ctx.ActorSystem().Root,
		handlers: make(map[string]func(r service.Request) error), timers: make(map[*Timer]struct{})}
	l.context.life, l.pool = l, newPool(l)
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// post sends a message to the host, unless the life has ended.
func (l *life) post(m message) {
	if l.ended.Load() {
		l.instance.counters.Dropped.Add(1)
		return
	}
	l.root.Send(l.self, m)
}

// disarm stops all timers. The host's goroutine calls it.
func (l *life) disarm() {
	for t := range l.timers {
		t.Stop()
	}
}

// kill ends a life that crashed or hangs: its state is lost, and with it whatever was being done
// for the requests it has looked at. It may be called from any goroutine and more than once.
func (l *life) kill() { l.end((*Request).crash) }

// close ends a life that was told to stop.
func (l *life) close() { l.end((*Request).stop) }

func (l *life) end(answer func(r *Request)) {
	if l.ended.Swap(true) {
		return
	}
	l.cancel()
	l.pool.close()
	i, patience := l.instance, l.instance.service.Supervision.StopTimeout
	if l.overdue.Load() {
		patience = 0
	}
	i.mu.Lock()
	i.keep(l, patience)
	i.mu.Unlock()
	for _, r := range i.under(l) {
		answer(r)
	}
}
