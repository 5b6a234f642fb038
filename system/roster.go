package system

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
)

// roster is the services that there are, by name and in the order in which they start. It is not changed; another one
// takes its place.
type roster struct {
	homes []*home
	named map[string]*home
}

// all returns the services in the order in which they start.
func (s *services) all() []*home {
	if r := s.now.Load(); r != nil {
		return r.homes
	}
	return nil
}

// get returns a service, nil if there is none of this name.
func (s *services) get(name string) *home {
	if r := s.now.Load(); r != nil {
		return r.named[name]
	}
	return nil
}

// with returns the roster with one more service, which comes last.
func (r *roster) with(h *home) *roster {
	more := &roster{append(slices.Clone(r.homes), h), maps.Clone(r.named)}
	more.named[h.instance.Name()] = h
	return more
}

func (r *roster) without(h *home) *roster {
	fewer := &roster{slices.DeleteFunc(slices.Clone(r.homes), func(other *home) bool { return other == h }), maps.Clone(r.named)}
	delete(fewer.named, h.instance.Name())
	return fewer
}

// dynamic returns how many services were added.
func (r *roster) dynamic() int {
	n := 0
	for _, h := range r.homes {
		if h.added {
			n++
		}
	}
	return n
}

// dynamic returns how many services were added and are there.
func (s *services) dynamic() int {
	if r := s.now.Load(); r != nil {
		return r.dynamic()
	}
	return 0
}

// gate says whether services may be added and removed now. The zero value is shut.
type gate struct {
	mu   sync.Mutex // Protects following.
	open bool
	why  error // it is shut; nil: the system has not started
	busy int   // changes under way
	idle chan struct{}
}

var errNotRunning = errors.New("the system does not run")

// enter begins a change, or returns why there must be none. Leave ends it.
func (g *gate) enter() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.open:
		g.busy++
		return nil
	case g.why != nil:
		return g.why
	}
	return errNotRunning
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.busy--; g.busy == 0 && g.idle != nil {
		close(g.idle)
		g.idle = nil
	}
}

// reopen lets changes begin if the gate is shut for this reason.
func (g *gate) reopen(why error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.open && g.why == why { //nolint:errorlint // it is the very one
		g.open, g.why = true, nil
	}
}

// shut lets no more changes begin, for a reason. One that has stopped stays so, whatever comes later.
func (g *gate) shut(why error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.why != errStops { //nolint:errorlint // it is the very one
		g.open, g.why = false, why
	}
}

// settled returns when no change is under way, or with ctx's cause.
func (g *gate) settled(ctx context.Context) error {
	g.mu.Lock()
	if g.busy == 0 {
		g.mu.Unlock()
		return nil
	}
	if g.idle == nil {
		g.idle = make(chan struct{})
	}
	idle := g.idle
	g.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
