package runner

import (
	"context"

	"strowger/actors/envelope"
)

// Go is for service.Context.
func (c *Context) Go(work func(ctx context.Context) func()) bool {
	i, r := c.life.instance, c.request
	if work == nil {
		c.mistake("Go: function is nil")
		if r != nil {
			r.finish(answered, r.own(envelope.InternalError, nil))
		}
		return false
	}
	if c.life.ended.Load() {
		i.counters.Dropped.Add(1)
		return false
	}
	asker := ""
	if r != nil {
		asker = r.sender
		r.begin()
	}
	if c.life.pool.submit(asker, func() { c.work(work) }) {
		i.counters.Works.Add(1)
		return true
	}
	i.counters.Busy.Add(1)
	if r != nil {
		r.refuse(retryAfter(busyFor))
		r.worked()
	}
	return false
}

func (c *Context) work(work func(ctx context.Context) func()) {
	l, i := c.life, c.life.instance
	if l.ended.Load() {
		i.counters.Dropped.Add(1)
		return
	}
	returned := false
	defer func() {
		reason := recover()
		if reason == nil && !returned {
			reason = errExit
		}
		if reason != nil {
			l.post(&failed{life: l, request: c.request, crash: i.crash("work", reason)})
		}
	}()
	then := work(c)
	returned = true
	switch {
	case then != nil:
		l.pool.unread.Add(1)
		l.post(&result{life: l, request: c.request, then: then, pooled: true})
	case c.request != nil:
		c.request.worked()
	}
}
