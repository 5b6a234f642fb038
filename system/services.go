package system

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"strowger/actors"
	"strowger/system/internal/supervisor"
	"strowger/system/service"
)

// services are those that live in this process.
type services struct {
	now      atomic.Pointer[roster]
	changes  gate
	changing sync.Mutex    // held for a change of now
	rooted   chan struct{} // closed when their supervisor runs
	over     chan struct{} // closed when the system stops
	patience time.Duration // how long one that is removed may answer what it has
	refused  atomic.Int64  // services that were not added because there were too many
	// pastPanics and pastErrors are of services that were removed.
	pastPanics, pastErrors atomic.Int64
	// groups are the strategies of the groups, and inGroup the groups of their services.
	groups  map[string]supervisor.Strategy
	inGroup map[string]string
}

// settle gives every service a home. The error names everything that is wrong.
func (s *System) settle(list []*service.Service, groups []service.Group) error {
	r := &roster{named: make(map[string]*home, len(list))}
	s.services.rooted, s.services.over, s.services.patience = make(chan struct{}), make(chan struct{}), yieldIdle
	s.services.now.Store(r) // nobody else looks at it before it is complete
	var problems []error
	for i, svc := range list {
		if svc == nil {
			problems = append(problems, fmt.Errorf("service %d of %d is nil", i+1, len(list)))
			continue
		}
		h, err := s.newHome(svc)
		switch {
		case err != nil:
			problems = append(problems, err)
		case r.named[svc.Name] != nil:
			problems = append(problems, fmt.Errorf("service %q: the name is given twice", svc.Name))
		default:
			h.muted = s.heir != nil
			r.named[svc.Name] = h
			r.homes = append(r.homes, h)
		}
	}
	inherited, err := s.inheritServices(r)
	if err != nil {
		problems = append(problems, err)
	}
	for _, h := range inherited {
		h.muted = true
		r.named[h.instance.Name()] = h
		r.homes = append(r.homes, h)
	}
	problems = append(problems, s.services.group(r, groups)...)
	problems = append(problems, r.sort(groups)...)
	problems = append(problems, s.keepSingletons()...)
	return errors.Join(problems...)
}

// supervision is the branch of the tree that holds the services. Each has a breaker of its own, so
// none can take another down. Slept is how long the process did not run.
func (s *services) supervision(observe func(supervisor.Event), slept func() time.Duration) supervisor.Options {
	o := supervisor.Options{Strategy: supervisor.OneForOne, Together: true, Groups: s.groups, Slept: slept, Observe: func(e supervisor.Event) {
		observe(e)
		for _, h := range s.all() {
			h.instance.Observe(e)
			h.single.observe(e)
		}
	}}
	for _, h := range s.all() {
		o.Children = append(o.Children, s.child(h))
	}
	return o
}

// child returns a service as the supervisor sees it.
func (s *services) child(h *home) supervisor.Spec {
	child := h.instance.Spec()
	child.Group, child.After = s.inGroup[child.Name], h.instance.Service().After
	child.Down = h.single.waits()
	return child
}

// offer makes the router know the services; they keep their place in it through every restart.
func (s *System) offer() {
	for _, h := range s.services.all() {
		if h.single.waits() {
			continue // it is offered when this node has it
		}
		s.router.Send(&actors.Offer{Peer: h.peer.Load(), Done: func() { close(h.offered) }})
	}
}

func (s *services) reload() {
	for _, h := range s.all() {
		h.instance.Reload()
	}
}

// hush waits a little for requests to services, and then keeps what services say.
func (s *services) hush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, insideWait)
	defer cancel()
	for _, h := range s.all() {
		_ = h.instance.Idle(ctx) // what is open after that is answered by the other process
	}
	for _, h := range s.all() {
		h.mute()
	}
}

// speak passes on what services have said meanwhile.
func (s *services) speak() {
	for _, h := range s.all() {
		h.unmute()
	}
}

// insideWait is how long requests to services in this process have to end when another process takes over.
const insideWait = 100 * time.Millisecond

// wait returns when what the services started outside their actors has ended, or with ctx's error.
func (s *services) wait(ctx context.Context) error {
	for _, h := range s.all() {
		if err := h.instance.Wait(ctx); err != nil {
			return fmt.Errorf("service %q: %w", h.instance.Name(), err)
		}
	}
	return nil
}

// begin returns when every service has been started once, well or not, and requests find it, or after
// a while: a Setup that hangs does not keep the others' clients waiting.
func (s *services) begin() {
	late := time.NewTimer(startPatience)
	defer late.Stop()
	for _, h := range s.all() {
		if h.single.waits() {
			continue
		}
		select {
		case <-h.instance.Began():
		case <-late.C:
			return
		}
		// The router came before the service, so the offer has been made.
		select {
		case <-h.offered:
		case <-late.C:
			return
		}
	}
}

// startPatience is how long connections wait for services to start.
const startPatience = 5 * time.Second
