package system

import (
	"context"
	"errors"
	"fmt"
	"time"

	"strowger/actors"
	"strowger/system/internal/supervisor"
	"strowger/system/service"
)

// services are those that live in this process, by name and in the order in which they start.
type services struct {
	homes []*home
	named map[string]*home
	// groups are the strategies of the groups, and inGroup the groups of their services.
	groups  map[string]supervisor.Strategy
	inGroup map[string]string
}

// settle gives every service a home. The error names everything that is wrong.
func (s *System) settle(list []*service.Service, groups []service.Group) error {
	s.services.named = make(map[string]*home, len(list))
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
		case s.services.named[svc.Name] != nil:
			problems = append(problems, fmt.Errorf("service %q: the name is given twice", svc.Name))
		default:
			h.muted = s.heir != nil
			s.services.named[svc.Name] = h
			s.services.homes = append(s.services.homes, h)
		}
	}
	problems = append(problems, s.services.group(groups)...)
	problems = append(problems, s.services.sort(groups)...)
	problems = append(problems, s.keepSingletons()...)
	return errors.Join(problems...)
}

// supervision is the branch of the tree that holds the services. Each has a breaker of its own, so
// none can take another down. Slept is how long the process did not run.
func (s *services) supervision(observe func(supervisor.Event), slept func() time.Duration) supervisor.Options {
	o := supervisor.Options{Strategy: supervisor.OneForOne, Together: true, Groups: s.groups, Slept: slept, Observe: func(e supervisor.Event) {
		observe(e)
		for _, h := range s.homes {
			h.instance.Observe(e)
			h.single.observe(e)
		}
	}}
	for _, h := range s.homes {
		child := h.instance.Spec()
		child.Group, child.After = s.inGroup[child.Name], h.instance.Service().After
		child.Down = h.single.waits()
		o.Children = append(o.Children, child)
	}
	return o
}

// offer makes the router know the services; they keep their place in it through every restart.
func (s *System) offer() {
	for _, h := range s.services.homes {
		if h.single.waits() {
			continue // it is offered when this node has it
		}
		s.router.Send(&actors.Offer{Peer: h.peer.Load(), Done: func() { close(h.offered) }})
	}
}

func (s *services) reload() {
	for _, h := range s.homes {
		h.instance.Reload()
	}
}

// hush waits a little for requests to services, and then keeps what services say.
func (s *services) hush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, insideWait)
	defer cancel()
	for _, h := range s.homes {
		_ = h.instance.Idle(ctx) // what is open after that is answered by the other process
	}
	for _, h := range s.homes {
		h.mute()
	}
}

// speak passes on what services have said meanwhile.
func (s *services) speak() {
	for _, h := range s.homes {
		h.unmute()
	}
}

// insideWait is how long requests to services in this process have to end when another process takes over.
const insideWait = 100 * time.Millisecond

// wait returns when what the services started outside their actors has ended, or with ctx's error.
func (s *services) wait(ctx context.Context) error {
	for _, h := range s.homes {
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
	for _, h := range s.homes {
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
