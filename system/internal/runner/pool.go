package runner

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// pool runs what one life has given to Go: a bounded number of functions at once, each in a goroutine of its own, while a
// bounded number waits. A function that takes no notice that its life has ended holds a place of that life alone.
type pool struct {
	life        *life
	size, limit int
	unread      atomic.Int64 // results that the service has not looked at

	mu      sync.Mutex // Protects following.
	running map[*work]struct{}
	waiting line[func()]
	closed  bool
	alarm   alarm // when the oldest of running will have run for too long
}

// work is a function that runs.
type work struct{ began time.Time } // by Instance.awake

func newPool(l *life) *pool {
	limits := &l.instance.service.Limits
	return &pool{life: l, size: limits.Pool, limit: limits.Work, running: make(map[*work]struct{})}
}

// submit has f run. What waits of several askers takes turns. It is false if there is no room.
func (p *pool) submit(asker string, f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed, p.unread.Load() >= int64(p.limit):
		return false
	case len(p.running) < p.size:
		p.life.instance.tasks.add()
		p.start(f)
		return true
	case p.waiting.length >= p.limit:
		return false
	}
	p.life.instance.tasks.add()
	p.waiting.push(asker, f)
	return true
}

// start runs f in a goroutine. p.mu is held.
func (p *pool) start(f func()) {
	w := &work{began: p.life.instance.awake()}
	p.running[w] = struct{}{}
	p.watch()
	go func() {
		defer p.ended(w) // also if f ends the goroutine
		f()
	}()
}

func (p *pool) ended(w *work) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.running, w)
	p.life.instance.tasks.done()
	if f, ok := p.waiting.pop(); ok {
		p.start(f)
	}
}

// close drops what waits.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.alarm.cancel()
	i := p.life.instance
	for range p.waiting.length {
		i.counters.Dropped.Add(1)
		i.tasks.done()
	}
	p.waiting.clear()
}

// oldest returns when the function began that has run for longest. p.mu is held.
func (p *pool) oldest() (began time.Time, running bool) {
	for w := range p.running {
		if began.IsZero() || w.began.Before(began) {
			began = w.began
		}
	}
	return began, len(p.running) > 0
}

// watch has look called when the function that has run for longest will have run for too long. p.mu is held.
func (p *pool) watch() {
	i := p.life.instance
	began, running := p.oldest()
	due := began.Add(i.service.Supervision.WorkTimeout)
	if i.service.Supervision.WorkTimeout > 0 && running && !p.closed && p.alarm.needed(due) {
		p.alarm.set(due, due.Sub(i.awake()), i.o.Clock, p.look)
	}
}

// look ends the life if a function has run for too long: most likely it never returns, and its place is lost.
func (p *pool) look() {
	i, most := p.life.instance, p.life.instance.service.Supervision.WorkTimeout
	p.mu.Lock()
	p.alarm.over()
	began, running := p.oldest()
	late := running && i.awake().Sub(began) >= most && !p.closed
	if !late {
		p.watch()
	}
	p.mu.Unlock()
	if late {
		p.life.overdue.Store(true)
		p.life.post(&failed{life: p.life, crash: &Crash{Service: i.service.Name, Task: "work",
			Reason: fmt.Errorf("a function given to Go has run for %s (Supervision.WorkTimeout)", most)}})
	}
}

// busy returns how many functions run.
func (p *pool) busy() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.running)
}

// Load is how busy the pool of a service is.
type Load struct {
	Size    int // how many functions may run at once
	Running int
	Waiting int
	Oldest  time.Duration // for how long the one has run that has run for longest
}

// Load returns how busy the pool of the present life is.
func (i *Instance) Load() Load {
	i.mu.Lock()
	l := i.life
	i.mu.Unlock()
	load := Load{Size: i.service.Limits.Pool}
	if l == nil {
		return load
	}
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	load.Running, load.Waiting = len(l.pool.running), l.pool.waiting.length
	if began, running := l.pool.oldest(); running {
		load.Oldest = i.awake().Sub(began)
	}
	return load
}
