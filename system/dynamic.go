package system

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"strowger/actors"
	"strowger/system/internal/supervisor"
	"strowger/system/service"
)

// Errors of Add and Remove. They are wrapped.
var (
	// ErrTaken is of a service whose name another one in the router has.
	ErrTaken = errors.New("the name is taken")
	// ErrNoService is of a service that is not in the router.
	ErrNoService = errors.New("there is no such service in the router")
	// ErrNeeded is of a service that cannot be removed because of others.
	ErrNeeded = errors.New("it is needed")
	// ErrTooMany is of a service beyond the setting services.dynamic.
	ErrTooMany = errors.New("too many services were added (services.dynamic)")
)

var (
	errStops    = errors.New("the system stops")
	errUpgrades = errors.New("the connections are being handed over to another process")
	errRemoved  = errors.New("it is being removed")
)

// Add starts a service beside those that were given to New, and returns when its first Setup is over and requests find
// it. From then on it is a service as any other: if Setup fails it is restarted, and its State says why. It comes after
// all others and belongs to no group. Those that its After names must be in the router, up or not.
//
// An error means that the service is not added. It is one if the name is taken, if there are as many services as
// services.dynamic says, and before Start, during an upgrade and after Stop. If ctx ends before Setup does, the service
// is taken away again. During an upgrade that is not possible, so then the service stays, and the log says so. A nil ctx
// never ends.
//
// Add may be called from any goroutine. A handler should call it within Go, because Setup of the new service may take
// long. The service ends with the process: a new process, also one that takes over in an upgrade, has to add it again.
func (s *System) Add(ctx context.Context, svc *service.Service) error {
	switch {
	case !s.made():
		return fmt.Errorf("add a service: %w", errUnmade)
	case svc == nil:
		return errors.New("add a service: it is nil")
	}
	if err := s.add(ctx, svc, nil); err != nil {
		return fmt.Errorf("add service %q: %w", svc.Name, err)
	}
	return nil
}

// add adds a service, which was made from a template unless from is nil.
func (s *System) add(ctx context.Context, svc *service.Service, from *recipe) error {
	if ctx == nil {
		ctx = context.Background()
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	h, err := s.launch(svc, from)
	if err != nil {
		return err
	}
	s.log.Info("service added", "service", svc.Name)
	if h.single.waits() {
		return nil // the cluster decides when it starts
	}
	for _, done := range []<-chan struct{}{h.instance.Began(), h.offered} {
		select {
		case <-done:
		case <-s.services.over:
			return errStops
		case <-ctx.Done():
			go func() {
				if err := s.remove(context.Background(), svc.Name); err != nil {
					s.log.Error("a service that was not set up in time stays", "service", svc.Name, "err", err)
				}
			}()
			return fmt.Errorf("not set up in time, so it is removed: %w", context.Cause(ctx))
		}
	}
	return nil
}

// launch has the supervisor start a service and the router know it.
func (s *System) launch(svc *service.Service, from *recipe) (*home, error) {
	if err := s.services.changes.enter(); err != nil {
		return nil, err
	}
	defer s.services.changes.leave()
	h, err := s.newHome(svc)
	if err != nil {
		return nil, err
	}
	h.added, h.recipe = true, from
	if err := s.services.admit(h, s.running.Load().Services.Dynamic); err != nil {
		if errors.Is(err, ErrTooMany) {
			s.services.refused.Add(1)
			s.log.Warn("service not added", "service", svc.Name, "limit", s.running.Load().Services.Dynamic, "setting", "services.dynamic")
		}
		return nil, err
	}
	if err := s.plantService(h); err != nil {
		s.services.drop(h)
		return nil, err
	}
	return h, nil
}

// admit adds a home to the roster.
func (s *services) admit(h *home, most int) error {
	svc := h.instance.Service()
	s.changing.Lock()
	defer s.changing.Unlock()
	r := s.now.Load()
	switch other := r.named[svc.Name]; {
	case other != nil && other.leaving.Load():
		return fmt.Errorf("%w: %w", ErrTaken, errRemoved)
	case other != nil:
		return ErrTaken
	case r.dynamic() >= most:
		return fmt.Errorf("%w: %d", ErrTooMany, most)
	}
	for _, name := range svc.After {
		other := r.named[name]
		switch {
		case other == nil:
			return fmt.Errorf("it comes after %q: %w", name, ErrNoService)
		case other.leaving.Load():
			return fmt.Errorf("it comes after %q: %w", name, errRemoved)
		}
		h.after = append(h.after, other)
	}
	s.now.Store(r.with(h))
	return nil
}

// drop takes a home out of the roster.
func (s *services) drop(h *home) {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.pastPanics.Add(int64(h.instance.Counters().Panics.Load()))
	s.pastErrors.Add(int64(h.instance.Counters().Errors.Load()))
	s.now.Store(s.now.Load().without(h))
}

// plantService puts a service into the tree, and offers it. On an error it is not there.
func (s *System) plantService(h *home) error {
	name := h.instance.Name()
	if h.single != nil {
		if err := s.cluster.links.KeepToo(name); err != nil {
			return err
		}
	}
	s.nameService(h)
	if err := s.orderServices(&supervisor.Add{Child: s.services.child(h)}, orderPatience); err != nil {
		if pid := s.insight.services.Load(); pid != nil {
			// The supervisor may come to it late.
			s.deps.System.Root.Send(pid, &supervisor.Remove{Child: name})
		}
		s.insight.tree.Remove(place(servicesPlace, name))
		if h.single != nil {
			s.cluster.links.Drop(name)
		}
		return err
	}
	if h.single != nil {
		go h.single.run()
		return nil
	}
	s.way.Send(&actors.Offer{Peer: h.peer.Load(), Done: func() { close(h.offered) }})
	return nil
}

// Remove stops a service in the router and forgets it. It returns when nothing of the service is left. Requests that come
// meanwhile get 503. The service has a second to answer what it has, and then stops as it does with the router: what waits
// in its mailbox is handled, and what is not answered after that gets 503. Its subscribers stay subscribed to its name. In a
// cluster, a singleton moves to another node that would run it.
//
// An error means that nothing is removed. It is one if there is no such service, if it is in a group or another one comes
// after it (ErrNeeded), and before Start, during an upgrade and after Stop. But if ctx ends first, the error is ctx's
// cause, and the removal goes on. A nil ctx never ends.
//
// Remove may be called from any goroutine. Within a handler of the service itself it would wait for that handler. There it
// is called within Go, with the context that Go gives.
func (s *System) Remove(ctx context.Context, name string) error {
	if !s.made() {
		return fmt.Errorf("remove service %q: %w", name, errUnmade)
	}
	if err := s.remove(ctx, name); err != nil {
		return fmt.Errorf("remove service %q: %w", name, err)
	}
	return nil
}

func (s *System) remove(ctx context.Context, name string) error {
	if ctx == nil {
		ctx = context.Background()
	}
	if err := s.services.changes.enter(); err != nil {
		return err
	}
	h, err := s.services.dismiss(name)
	if err != nil {
		s.services.changes.leave()
		return err
	}
	done := make(chan error, 1)
	go func() {
		defer s.services.changes.leave()
		done <- s.takeAway(h)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("the removal goes on: %w", context.Cause(ctx))
	}
}

// dismiss marks a service as one that is being removed.
func (s *services) dismiss(name string) (*home, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	h := s.get(name)
	switch {
	case h == nil:
		return nil, ErrNoService
	case h.leaving.Load():
		return nil, errRemoved
	case s.inGroup[name] != "":
		return nil, fmt.Errorf("%w: it is in the group %q", ErrNeeded, s.inGroup[name])
	}
	for _, other := range s.all() {
		if slices.Contains(other.after, h) {
			return nil, fmt.Errorf("%w: %q comes after it", ErrNeeded, other.instance.Name())
		}
	}
	h.leaving.Store(true)
	return h, nil
}

// takeAway ends a service and all that is known of it.
func (s *System) takeAway(h *home) error {
	name, v := h.instance.Name(), &h.instance.Service().Supervision
	if h.single != nil {
		h.single.resign()
	} else {
		s.deps.Retire(s.way, h.peer.Load())
		ctx, cancel := context.WithTimeout(context.Background(), s.services.patience)
		_ = h.instance.Idle(ctx) // what is open after that gets 503
		cancel()
	}
	if err := s.orderServices(&supervisor.Remove{Child: name}, v.StopTimeout+orderPatience); err != nil {
		select {
		case <-s.services.over:
			return err // all of them stop, and it with them
		default: // their supervisor is late, and does so when it comes to it
			s.log.Error("nobody knows when a service that is removed has stopped", "service", name, "err", err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), v.StopTimeout)
	defer cancel()
	if err := h.instance.Wait(ctx); err != nil {
		s.log.Error("work of a service that was removed still runs", "service", name, "err", err)
	}
	if h.single != nil {
		s.cluster.links.Drop(name)
	} else {
		s.deps.Withdraw(s.way, h.peer.Load())
	}
	s.deps.Forget(s.way, name)
	s.services.drop(h)
	s.log.Info("service removed", "service", name)
	return nil
}

// resign gives the service to another node that would run it, and stops it.
func (o *singleton) resign() {
	o.end.Do(func() { close(o.quit) })
	<-o.done
	o.retired.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), o.system.cfg.Cluster.SingletonWait)
	defer cancel()
	o.move(ctx)
}

// orderServices has the supervisor of the services do something.
func (s *System) orderServices(order any, patience time.Duration) error {
	select {
	case <-s.services.rooted:
	case <-time.After(patience):
		return errors.New("the services do not run")
	}
	pid := s.insight.services.Load()
	answer, err := s.deps.System.Root.RequestFuture(pid, order, patience).Result()
	if err != nil {
		return fmt.Errorf("ask the supervisor of the services: %w", err)
	}
	if obeyed, ok := answer.(*supervisor.Obeyed); ok {
		return obeyed.Err
	}
	return fmt.Errorf("the supervisor of the services answers with a %T", answer)
}
