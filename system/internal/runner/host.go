package runner

import (
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/system/service"
)

// message is what a host takes.
type message interface{ forHost() }

type (
	// turn has the host serve the next request. There is one for each that waits.
	turn struct{}
	// result is what work has come to; then is to be run.
	result struct {
		life    *life
		request *Request // nil: work of a timer, an event and so on
		then    func()
		pooled  bool // pool.unread counts it
	}
	// failed is a panic outside the host.
	failed struct {
		life    *life
		request *Request
		crash   *Crash
	}
	// reload has OnReload called.
	reload struct{}
	// joined has OnJoin called.
	joined struct{}
)

func (*turn) forHost()       {}
func (*tick) forHost()       {}
func (*occurrence) forHost() {}
func (*result) forHost()     {}
func (*failed) forHost()     {}
func (*reload) forHost()     {}
func (*joined) forHost()     {}

// IgnoreDeadLetterLogging keeps turns out of the library's log.
func (*turn) IgnoreDeadLetterLogging() {}

// IgnoreDeadLetterLogging keeps late ticks out of the library's log.
func (*tick) IgnoreDeadLetterLogging() {}

// IgnoreDeadLetterLogging keeps events out of the library's log.
func (*occurrence) IgnoreDeadLetterLogging() {}

// IgnoreDeadLetterLogging keeps results out of the library's log.
func (*result) IgnoreDeadLetterLogging() {}

// IgnoreDeadLetterLogging keeps late failures out of the library's log.
func (*failed) IgnoreDeadLetterLogging() {}

// host is the actor in which a service lives.
// On restart: everything is made anew by Setup; only the mailbox is kept.
type host struct {
	instance *Instance
	run      *run
	life     *life
	task     string   // that runs, as in DeadLetter
	request  *Request // for which it runs; nil: none
}

func newHost(i *Instance, r *run) *host { return &host{instance: i, run: r} }

// Receive handles one message.
func (h *host) Receive(ctx actor.Context) {
	returned := false
	h.run.steps.Add(1)
	defer func() {
		reason := recover()
		h.run.steps.Add(1)
		h.guard(ctx, reason, returned)
	}()
	h.receive(ctx)
	h.task, h.request = "", nil
	returned = true
}

func (h *host) receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		h.start(ctx)
	case *turn:
		h.serve()
	case *tick:
		h.tick(m)
	case *occurrence:
		h.occurred(m)
	case *result:
		h.result(m)
	case *failed:
		h.failed(m)
	case *reload:
		h.reload()
	case *joined:
		h.join()
	case *actor.Restarting, *actor.Stopping:
		h.stop()
	case *actor.Stopped:
		h.run.over.Store(true)
	case actor.SystemMessage, actor.AutoReceiveMessage:
	default:
		h.instance.log.Error("unknown message", "message", fmt.Sprintf("%T", m))
	}
}

func (h *host) start(ctx actor.Context) {
	h.task = "setup"
	h.life = newLife(h.instance, h.run, ctx)
	if !h.instance.began(h.life, ctx.Self(), ctx.ActorSystem().Root) {
		h.life.close()
		return
	}
	s := &Setup{Context: &h.life.context}
	err := h.instance.service.Setup(s)
	s.sealed = true
	if wrong := h.life.mistakes.close(); wrong != nil {
		err = errors.Join(err, wrong)
	}
	if err != nil {
		panic(&Crash{Service: h.instance.Name(), Task: h.task, Reason: err})
	}
	if h.life.ended.Load() {
		return // it took so long that another one runs by now
	}
	h.instance.up(h.life)
	for _, source := range h.life.sources {
		source.start()
	}
	if h.instance.watched.Load() {
		h.join()
	}
}

func (h *host) join() {
	h.task = "join"
	for _, f := range h.life.joins {
		f(&h.life.context)
	}
}

// serve handles the next request.
func (h *host) serve() {
	r, open := h.instance.take(h.life)
	if r == nil {
		return
	}
	open = open && !h.life.ended.Load()
	if open && h.life.relay != nil {
		h.relay(r)
		return
	}
	defer r.release()
	if !open {
		return
	}
	h.task, h.request = "request", r
	handle := h.life.handlers[r.topic]
	if handle == nil {
		h.unknown(r)
		return
	}
	r.context.life = h.life
	r.begin()
	if err := handle(r); err != nil {
		r.FailWith(err)
	}
	r.worked()
}

func (h *host) tick(m *tick) {
	if m.timer.life == h.life {
		h.task = "timer"
		m.timer.fire(m.turn)
	}
}

func (h *host) result(m *result) {
	if m.life != h.life {
		h.instance.counters.Dropped.Add(1)
		return
	}
	if m.pooled {
		h.life.pool.unread.Add(-1)
	}
	h.task, h.request = "work", m.request
	m.then()
	if m.request != nil {
		m.request.worked()
	}
}

// failed lets a panic that happened elsewhere end this life.
func (h *host) failed(m *failed) {
	if m.life != h.life {
		return
	}
	h.request = m.request
	panic(m.crash)
}

func (h *host) reload() {
	h.task = "reload"
	for _, f := range h.life.reloads {
		f(&h.life.context)
	}
}

// stop ends a life, which may have crashed before. What an OnStop answers or says still goes out.
func (h *host) stop() {
	l := h.life
	if l == nil {
		return
	}
	l.disarm()
	for len(l.stops) > 0 {
		last := len(l.stops) - 1
		f := l.stops[last]
		l.stops = l.stops[:last]
		h.onStop(f)
	}
	l.close()
	l.mute.Store(true)
}

// onStop runs one function whatever the others do.
func (h *host) onStop(f func(c service.Context)) {
	defer func() {
		if reason := recover(); reason != nil {
			h.instance.bury(h.instance.crash("stop", reason), nil)
		}
	}()
	f(&h.life.context)
}
