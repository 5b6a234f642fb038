package system

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"strowger/actors"
	"strowger/system/internal/cluster"
	"strowger/system/internal/supervisor"
	"strowger/system/service"
)

// singleton is what a home has besides if one node of the cluster runs its service at a time. Links decide which one
// does. The singleton's goroutine starts and stops the service, and offers it while it runs. Its methods may be called on
// nil, which is the singleton of a service that always runs.
type singleton struct {
	system    *System
	home      *home
	links     *cluster.Links
	inherited bool // the process had it from which this one takes over

	standby atomic.Bool // the service is down, or is to be, because this node does not have it
	retired atomic.Bool // an operator has stopped it on this node
	wake    chan struct{}
	quit    chan struct{} // closed when the system stops
	done    chan struct{} // closed when the goroutine has ended
	end     sync.Once

	// The goroutine's, and that of move after it.
	runs    bool // the supervisor has been told to start the service
	offered bool

	mu      sync.Mutex // Protects following.
	holding bool       // requests wait for another node to take the service
	held    []*actors.Request
}

// isSingleton makes a service a singleton if it is one, or returns why it cannot be.
func (s *System) isSingleton(svc *service.Service, h *home) error {
	if svc == nil || !svc.Singleton && !slices.Contains(s.cfg.Cluster.Singletons, svc.Name) {
		return nil
	}
	if svc.Everywhere {
		return fmt.Errorf("service %q: it runs everywhere, so it cannot be a singleton", svc.Name)
	}
	if s.cluster == nil {
		return nil // the only node has it
	}
	h.single = &singleton{system: s, home: h, links: s.cluster.links, inherited: s.stage.Load() < started && s.heir.had(svc.Name),
		wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
	h.single.standby.Store(!h.single.inherited)
	return nil
}

// keepSingletons tells the links which singletons there are, and returns what is wrong with them.
func (s *System) keepSingletons() (problems []error) {
	for _, name := range s.cfg.Cluster.Singletons {
		if s.services.get(name) == nil {
			problems = append(problems, fmt.Errorf("cluster.singletons: there is no service %q in this process", name))
		}
	}
	var names, has []string
	for _, h := range s.services.all() {
		if h.single == nil {
			continue
		}
		name := h.instance.Name()
		if group := s.services.inGroup[name]; group != "" {
			problems = append(problems, fmt.Errorf("service %q: it is in the group %q, so it cannot be a singleton", name, group))
		}
		names = append(names, name)
		if h.single.inherited {
			has = append(has, name)
		}
	}
	if len(names) > 0 {
		if err := s.cluster.links.Keep(names, has); err != nil {
			problems = append(problems, err)
		}
	}
	return problems
}

// singletons returns those of the homes that are there.
func (s *services) singletons() []*singleton {
	var all []*singleton
	for _, h := range s.all() {
		if h.single != nil {
			all = append(all, h.single)
		}
	}
	return all
}

// own returns the singletons that this node has.
func (s *services) own() []string {
	var names []string
	for _, o := range s.singletons() {
		if name := o.home.instance.Name(); o.links.Has(name) {
			names = append(names, name)
		}
	}
	return names
}

// standing returns what the runner asks whether the service is on standby.
func (o *singleton) standing() func() bool {
	if o == nil {
		return nil
	}
	return o.standby.Load
}

// look returns what has the goroutine look again.
func (o *singleton) look() func() {
	if o == nil {
		return nil
	}
	return func() {
		select {
		case o.wake <- struct{}{}:
		default:
		}
	}
}

// waits reports whether the service is not to start with the others.
func (o *singleton) waits() bool { return o != nil && !o.inherited }

// observe looks again after a child has stopped: it may be started again.
func (o *singleton) observe(e supervisor.Event) {
	if o == nil {
		return
	}
	switch e.(type) {
	case *supervisor.ChildStopped, *supervisor.ChildAbandoned:
		o.look()()
	}
}

// keeps keeps a request that comes while the service moves to another node. Those beyond the service's limit get 503.
func (o *singleton) keeps(r *actors.Request) bool {
	if o == nil {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.holding || len(o.held) >= o.home.instance.Service().Limits.Mailbox {
		return false
	}
	o.held = append(o.held, r)
	return true
}

// hold has requests wait, or gives those that wait up, because others have them now.
func (o *singleton) hold(holding bool) {
	o.mu.Lock()
	held := o.held
	o.holding, o.held = holding, nil
	o.mu.Unlock()
	for _, r := range held {
		r.Release()
	}
}

// run starts and stops the service until the system stops.
func (o *singleton) run() {
	defer close(o.done)
	select {
	case <-o.system.rooted:
	case <-o.quit:
		return
	}
	if o.inherited {
		o.runs, o.offered = true, true
		o.links.Serving(o.home.instance.Name())
	}
	for {
		o.settle()
		select {
		case <-o.wake:
		case <-o.quit:
			return
		}
	}
}

// settle does what is due.
func (o *singleton) settle() {
	name := o.home.instance.Name()
	if o.retired.Load() && o.links.Willing(name) {
		ctx, cancel := context.WithTimeout(context.Background(), o.system.cfg.Cluster.SingletonWait)
		o.move(ctx)
		cancel()
	}
	switch has := o.links.Has(name); {
	case has && !o.runs:
		o.start()
	case !has && o.runs:
		o.yield()
	}
	condition := o.home.instance.State().Condition
	if o.runs && !o.offered && condition != service.Starting && condition != service.Standby {
		o.offer()
	}
	if o.runs {
		o.links.Ailing(name, condition == service.Down, o.home.instance.Service().Supervision.CoolDown)
	}
}

// start has the service started. If it still stops, its end has it started.
func (o *singleton) start() {
	o.standby.Store(false)
	if err := o.order(supervisor.DoStart); err != nil {
		o.standby.Store(true)
		return
	}
	o.runs = true
}

// offer makes the service one that requests find. It says so when all nodes know it.
func (o *singleton) offer() {
	o.offered = true
	o.system.way.Send(&actors.Offer{Peer: o.home.newPeer(), Done: func() { o.links.Serving(o.home.instance.Name()) }})
}

// yieldIdle is how long a service may work on what it has, while another node has it already.
const yieldIdle = time.Second

// yield stops the service because another node has it.
func (o *singleton) yield() {
	if o.offered { // or it has nothing to finish, and other nodes would hear for good that it leaves
		o.system.deps.Retire(o.system.way, o.home.peer.Load())
		ctx, cancel := context.WithTimeout(context.Background(), yieldIdle)
		defer cancel()
		_ = o.home.instance.Idle(ctx) // what is open after that gets 503
	}
	o.stop(context.Background())
	o.withdraw()
}

// stop stops the service and waits for its end until ctx ends. The supervisor waits for it no longer than StopTimeout.
func (o *singleton) stop(ctx context.Context) {
	o.standby.Store(true)
	patience := o.home.instance.Service().Supervision.StopTimeout + hurry
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := o.order(supervisor.DoStop); err != nil {
		o.system.log.Error("a singleton cannot be stopped", "service", o.home.instance.Name(), "err", err)
	}
	for o.home.instance.State().Condition != service.Standby && ctx.Err() == nil {
		select {
		case <-o.wake:
		case <-ctx.Done():
			o.system.log.Error("a singleton does not stop", "service", o.home.instance.Name(), "timeout", patience.String())
		}
	}
	o.look()() // for what was not looked at meanwhile
}

// withdraw has requests find the service elsewhere. Those that are held go there.
func (o *singleton) withdraw() {
	if o.offered {
		o.system.deps.Withdraw(o.system.way, o.home.peer.Load())
	}
	o.runs, o.offered = false, false
}

// order has the supervisor of the services do something with the service.
func (o *singleton) order(do supervisor.Deed) error {
	return o.system.orderServices(&supervisor.Order{Child: o.home.instance.Name(), Do: do}, orderPatience)
}

// orderPatience is how long the supervisor of the services may take to answer.
const orderPatience = 5 * time.Second

// rise begins to go by what the links decide.
func (s *services) rise() {
	for _, o := range s.singletons() {
		go o.run()
	}
}

// changed has all singletons look again.
func (s *services) changed() {
	for _, o := range s.singletons() {
		o.look()()
	}
}

// settleDown ends what rise has begun. A service that runs goes on.
func (s *services) settleDown(ctx context.Context) {
	all := s.singletons()
	for _, o := range all {
		o.end.Do(func() { close(o.quit) })
	}
	for _, o := range all {
		select {
		case <-o.done:
		case <-ctx.Done():
		}
	}
}
