package runner

import (
	"context"
	"sync"

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
	if r != nil {
		r.begin()
	}
	i.tasks.add()
	if i.pool.submit(func() {
		defer i.tasks.done()
		c.work(work)
	}) {
		i.counters.Works.Add(1)
		return true
	}
	i.tasks.done()
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
		l.post(&result{life: l, request: c.request, then: then})
	case c.request != nil:
		c.request.worked()
	}
}

// pool runs a bounded number of functions at once, each in a goroutine of its own, and keeps a
// bounded number waiting.
type pool struct {
	size, limit int

	mu      sync.Mutex // Protects following.
	running int
	waiting []func()
}

// submit is false if there is no room.
func (p *pool) submit(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running < p.size {
		p.running++
		go p.run(f)
		return true
	}
	if len(p.waiting) >= p.limit {
		return false
	}
	p.waiting = append(p.waiting, f)
	return true
}

// Load is how busy the pool of a service is.
type Load struct {
	Size    int // how many functions may run at once
	Running int
	Waiting int
}

// Load returns how busy the instance's pool is.
func (i *Instance) Load() Load {
	i.pool.mu.Lock()
	defer i.pool.mu.Unlock()
	return Load{Size: i.pool.size, Running: i.pool.running, Waiting: len(i.pool.waiting)}
}

// run starts the next function even if f ends its goroutine.
func (p *pool) run(f func()) {
	defer p.next()
	f()
}

func (p *pool) next() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) == 0 {
		p.running--
		p.waiting = nil
		return
	}
	f := p.waiting[0]
	p.waiting[0] = nil
	p.waiting = p.waiting[1:]
	go p.run(f)
}

// tasks counts goroutines that somebody waits for.
type tasks struct {
	mu   sync.Mutex // Protects following.
	n    int
	idle chan struct{} // closed when n becomes 0; nil: nobody waits
}

func (t *tasks) add() {
	t.mu.Lock()
	t.n++
	t.mu.Unlock()
}

func (t *tasks) done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n--
	if t.n == 0 && t.idle != nil {
		close(t.idle)
		t.idle = nil
	}
}

// wait returns how many were left when ctx ended.
func (t *tasks) wait(ctx context.Context) int {
	t.mu.Lock()
	if t.n == 0 {
		t.mu.Unlock()
		return 0
	}
	if t.idle == nil {
		t.idle = make(chan struct{})
	}
	idle := t.idle
	t.mu.Unlock()
	select {
	case <-idle:
		return 0
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n
}
