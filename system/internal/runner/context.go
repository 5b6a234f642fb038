package runner

import (
	"context"
	"log/slog"
	"sync"
	"time"

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
		c.ctx, c.cancel = context.WithCancel(context.Background())
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
	i := c.life.instance
	raw, err := encode(payload)
	if err != nil {
		i.counters.Unencoded.Add(1)
		i.log.Error("broadcast cannot be encoded", "topic", topic, "err", err)
		return
	}
	if c.life.mute.Load() {
		i.counters.Dropped.Add(1)
		return
	}
	i.counters.Broadcasts.Add(1)
	i.home.Say(i.broadcast(topic, status, raw))
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
