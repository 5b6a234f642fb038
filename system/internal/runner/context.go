package runner

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"strowger/actors/envelope"
	"strowger/system/service"
)

// Context implements service.Context.
type Context struct {
	life    *life
	request *Request // nil: of the life itself

	mu     sync.Mutex      // Protects following, which only a request has.
	ctx    context.Context // nil: nobody has asked for it
	cancel context.CancelFunc
	ended  bool
}

var _ service.Context = (*Context)(nil)

// Finish has the host stop when it has handled what waits for it.
func (c *Context) Finish() {
	if !c.life.ended.Load() {
		c.life.root.Poison(c.life.self)
	}
}

// Deadline is when the request must have been answered; other contexts have none.
func (c *Context) Deadline() (time.Time, bool) {
	if c.request == nil {
		return time.Time{}, false
	}
	return c.request.deadline, true
}

// Done is closed when the context ends.
func (c *Context) Done() <-chan struct{} { return c.within().Done() }

// Err is nil, context.DeadlineExceeded or context.Canceled.
func (c *Context) Err() error {
	err := c.within().Err()
	if err != nil && c.request != nil && c.request.ended() == expired {
		return context.DeadlineExceeded
	}
	return err
}

// Value is for package context.
func (c *Context) Value(key any) any { return c.within().Value(key) }

// within returns the context that does the work. A request's is made when it is first asked for,
// as most requests are answered at once.
func (c *Context) within() context.Context {
	if c.request == nil {
		return c.life.ctx
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx == nil {
		c.ctx, c.cancel = context.WithCancel(cmp.Or(c.request.asked.Within, context.Background()))
		if c.ended {
			c.cancel()
		}
	}
	return c.ctx
}

// end ends a request's context.
func (c *Context) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.cancel != nil {
		c.cancel()
	}
}

// Broadcast is for service.Context.
func (c *Context) Broadcast(topic string, payload any) { c.broadcast(topic, 0, payload) }

// BroadcastWith is for service.Context.
func (c *Context) BroadcastWith(topic string, status int, payload any) {
	if status < 200 || status > 599 {
		c.life.instance.counters.Unencoded.Add(1)
		c.life.instance.log.Error("broadcast has no status between 200 and 599", "topic", topic, "status", status)
		return
	}
	c.broadcast(topic, status, payload)
}

func (c *Context) broadcast(topic string, status int, payload any) {
	if e := c.broadcasting(topic, status, payload); e != nil {
		c.life.instance.home.Say(e)
	}
}

// broadcasting returns the message, or nil if there is none to send.
func (c *Context) broadcasting(topic string, status int, payload any) *envelope.Envelope {
	i := c.life.instance
	raw, err := encode(payload)
	if err != nil {
		i.counters.Unencoded.Add(1)
		i.log.Error("broadcast cannot be encoded", "topic", topic, "err", err)
		return nil
	}
	if c.life.mute.Load() {
		i.counters.Dropped.Add(1)
		return nil
	}
	if !i.hasRoom("broadcast", topic) {
		return nil
	}
	i.counters.Broadcasts.Add(1)
	return i.broadcast(topic, status, raw)
}

// BroadcastHere is for service.Context.
func (c *Context) BroadcastHere(topic string, payload any) {
	to, ok := c.life.instance.home.(Clustered)
	if !ok {
		c.broadcast(topic, 0, payload)
		return
	}
	if e := c.broadcasting(topic, 0, payload); e != nil {
		to.SayHere(e)
	}
}

// Will is for service.Context.
func (c *Context) Will(key, topic string, payload any) {
	i := c.life.instance
	to, ok := i.home.(Clustered)
	switch {
	case key == "":
		c.mistake("Will: key is empty")
		return
	case !ok || c.life.mute.Load():
		return
	case payload == nil:
		to.Will(key, nil)
		return
	}
	raw, err := encode(payload)
	if err != nil {
		i.counters.Unencoded.Add(1)
		i.log.Error("will cannot be encoded", "topic", topic, "err", err)
		return
	}
	to.Will(key, i.broadcast(topic, 0, raw))
}

// Log is for service.Context.
func (c *Context) Log() *slog.Logger { return c.life.instance.log }

// Now is for service.Context.
func (c *Context) Now() time.Time { return c.life.instance.o.Clock.Now() }

// ended returns how the request ended, open if it did not.
func (r *Request) ended() outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.outcome
}
