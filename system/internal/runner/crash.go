package runner

import (
	"fmt"
	"runtime/debug"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/envelope"
	"strowger/system/internal/supervisor"
	"strowger/system/service"
)

// Crash is the reason with which a service fails: what ran, what was thrown and where. Supervisors
// get it in ChildFailed.
type Crash struct {
	Service string
	// Task is as in DeadLetter.
	Task   string
	Reason any
	Stack  []byte   // nil if Setup has returned an error
	Asked  *Request // at which it crashed; nil: none
}

// Error says all but the stack.
func (c *Crash) Error() string { return fmt.Sprintf("service %q: %s: %v", c.Service, c.Task, c.Reason) }

// Trace returns the stack.
func (c *Crash) Trace() []byte { return c.Stack }

// Unwrap returns the reason if that is an error.
func (c *Crash) Unwrap() error {
	err, _ := c.Reason.(error)
	return err
}

// crash makes what was recovered the reason of a failure. It must be called by the function that
// recovered, for the stack.
func (i *Instance) crash(task string, reason any) *Crash {
	if c, ok := reason.(*Crash); ok {
		return c
	}
	return &Crash{Service: i.service.Name, Task: task, Reason: reason, Stack: debug.Stack()}
}

// bury counts and logs a crash and tells the home what it has lost.
func (i *Instance) bury(c *Crash, r *Request) {
	i.counters.Panics.Add(1)
	topic, sender := "", ""
	var payload envelope.Raw
	if r != nil {
		topic, payload, sender = r.topic, r.asked.Envelope.Payload, r.sender
	}
	c.Asked = r
	if i.o.Inner && c.Task != "stop" {
		return
	}
	i.log.Error("service panicked", "task", c.Task, "topic", topic, "err", fmt.Sprint(c.Reason), "stack", string(c.Stack))
	if i.o.OnDead == nil {
		return
	}
	defer func() {
		if reason := recover(); reason != nil {
			i.log.Error("dead letter refused", "err", fmt.Sprint(reason))
		}
	}()
	i.o.OnDead(&service.DeadLetter{Service: i.service.Name, Task: c.Task, Topic: topic, Payload: payload, Subscriber: sender,
		Reason: c.Reason, Stack: c.Stack, At: i.o.Clock.Now()})
}

// guard is what follows each message. A panic ends the life at once and is then the supervisor's,
// but for one in a hook that has to go through for the actor to stop or restart.
func (h *host) guard(ctx actor.Context, reason any, returned bool) {
	if reason == nil {
		if !returned {
			h.exited(ctx)
		}
		return
	}
	crash := h.instance.crash(h.task, reason)
	r := h.request
	h.task, h.request = "", nil
	if h.life != nil {
		h.life.kill()
	}
	h.instance.bury(crash, r)
	switch ctx.Message().(type) {
	case *actor.Restarting, *actor.Stopping, *actor.Stopped:
		return
	}
	panic(crash)
}

// exited says that runtime.Goexit was called, which ends the mailbox's goroutine and cannot be held up. The supervisor
// replaces the service at once.
func (h *host) exited(ctx actor.Context) {
	i := h.instance
	h.run.over.Store(true)
	crash := i.crash(h.task, errExit)
	r := h.request
	h.task, h.request = "", nil
	if h.life != nil {
		h.life.disarm() // no message tells the host to stop
		h.life.kill()
	}
	i.bury(crash, r)
	ctx.Send(ctx.Parent(), &supervisor.Exited{Child: ctx.Self()})
}
