package runner

import (
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/system/internal/supervisor"
	"strowger/system/service"
)

// Observe takes the supervisor's events; those of other children are ignored.
func (i *Instance) Observe(e supervisor.Event) {
	name := i.service.Name
	switch e := e.(type) {
	case *supervisor.ChildStarted:
		if e.Child == name {
			i.started()
		}
	case *supervisor.ChildUp:
		if e.Child == name {
			i.started()
		}
	case *supervisor.ChildFailed:
		if e.Child == name {
			i.failed(e)
		}
	case *supervisor.ChildRestarting:
		if e.Child == name {
			i.restarting(e)
		}
	case *supervisor.BreakerOpened:
		if e.Child == name {
			i.down(service.Down, e.For)
		}
	case *supervisor.BreakerHalfOpened:
		if e.Child == name {
			i.down(service.Restarting, 0)
		}
	case *supervisor.ChildRetired:
		if e.Child == name {
			i.retired()
		}
	case *supervisor.ChildStopped:
		if e.Child == name {
			i.stopped(e.Generation)
		}
	case *supervisor.ChildAbandoned:
		if e.Child == name {
			i.abandoned(e)
		}
	}
}

// started says that a service that was on standby is being set up. Nobody is told before that is over.
func (i *Instance) started() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.state.Condition == service.Standby {
		i.state.Condition = service.Starting
	}
}

func (i *Instance) failed(e *supervisor.ChildFailed) {
	defer i.firstStartOver()
	if c, ok := e.Reason.(*Crash); !i.o.Inner && (!ok || c.Stack == nil) { // bury has logged a panic
		i.log.Warn("service failed", "err", fmt.Sprint(e.Reason))
	}
	i.mu.Lock()
	i.state.Reason = fmt.Sprint(e.Reason)
	l := i.life
	i.mu.Unlock()
	if l != nil && l.generation <= e.Generation {
		l.kill()
	}
	if i.service.Supervision.Restart == service.Temporary {
		i.stopped(e.Generation)
	}
}

func (i *Instance) restarting(e *supervisor.ChildRestarting) {
	if !e.InPlace {
		i.down(service.Restarting, e.In)
		return
	}
	i.mu.Lock()
	i.enter(service.Restarting, 0)
	i.mu.Unlock()
}

// down answers all that the mailbox held, which is lost.
func (i *Instance) down(c service.Condition, after time.Duration) {
	i.mu.Lock()
	i.fall(c, after)
}

// fall is called with mu held and gives it back.
func (i *Instance) fall(c service.Condition, after time.Duration) {
	i.pid = nil
	i.enter(c, after)
	payload := i.retryAfter()
	lost := i.table.all(func(*Request) bool { return true })
	i.table.line.clear()
	i.mu.Unlock()
	for _, r := range lost {
		if c == service.Stopped {
			r.stop()
			continue
		}
		r.refuse(payload)
	}
}

// retired says that a service that is down stays so. One that runs is heard of when it has stopped.
func (i *Instance) retired() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.pid == nil {
		i.enter(service.Stopped, 0)
	}
}

// stopped is the end of a generation. If it failed that is known already.
func (i *Instance) stopped(generation uint64) {
	i.mu.Lock()
	i.over = max(i.over, generation)
	if i.pid == nil || i.life.generation > generation {
		i.mu.Unlock()
		return
	}
	i.fall(service.Stopped, 0)
}

// abandoned is a generation that hangs or does not stop: it may still run, but is not heard any more.
func (i *Instance) abandoned(e *supervisor.ChildAbandoned) {
	if !i.o.Inner {
		i.log.Error("service abandoned", "err", fmt.Sprint(e.Reason))
	}
	i.mu.Lock()
	i.over = max(i.over, e.Generation)
	l := i.life
	i.mu.Unlock()
	err, _ := e.Reason.(error)
	hung := errors.Is(err, supervisor.ErrHung) || errors.Is(err, supervisor.ErrExited)
	if l != nil && l.generation <= e.Generation {
		if i.leaving.Load() && !hung {
			l.close()
		} else {
			l.kill()
		}
		l.mute.Store(true)
	}
	if l != nil && l.generation == e.Generation {
		l.run.abandoned.Store(true)
		i.mu.Lock()
		i.keep(l, 0)
		i.mu.Unlock()
	}
	if hung {
		return // that it failed comes next, and what follows from it
	}
	i.stopped(e.Generation)
}

// began makes l the life that requests go to; it is false if the generation was given up meanwhile.
func (i *Instance) began(l *life, self *actor.PID, root *actor.RootContext) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if l.generation <= i.over {
		return false
	}
	if i.life != nil {
		i.state.Restarts++
		if i.life.generation != l.generation {
			i.table.line.clear() // the turns of these were in another mailbox
		}
	}
	i.life, i.pid, i.root = l, self, root
	return true
}

// up says that Setup has returned.
func (i *Instance) up(l *life) {
	defer i.firstStartOver()
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.life == l && i.pid != nil && !l.ended.Load() {
		i.enter(service.Up, 0)
	}
}

// take gives the next request to a life; nil: there is none for it. It is not open if the request is over.
func (i *Instance) take(l *life) (r *Request, open bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.life != l {
		return nil, false // what waits is for another mailbox
	}
	r, ok := i.table.line.pop()
	if !ok {
		return nil, false
	}
	r.taker = l
	return r, r.at >= 0
}

// under returns the open requests that a life has looked at.
func (i *Instance) under(l *life) []*Request {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.table.all(func(r *Request) bool { return r.taker == l })
}
