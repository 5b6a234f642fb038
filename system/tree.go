package system

import (
	"fmt"
	"net"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors"
	"strowger/actors/runtime"
	"strowger/clients/js"
	"strowger/system/internal/admin"
	"strowger/system/internal/supervisor"
)

// tree is everything that is supervised, in the order in which it starts; it stops in the reverse.
//
// What comes and goes while the system runs hangs on two strategies instead, because it is many and
// its crashes come from single messages of peers, whom a pause or giving up would let stop the
// others: connections and subscribers are temporary (actors.Deps.Temporary), topics, services'
// names and egress shards restart in place with their state (actors.Deps.Permanent).
func (s *System) tree() (*actor.Props, error) {
	services, err := supervisor.New(s.services.supervision(s.serviceObserver(place(servicesPlace)), s.deps.Slept))
	if err != nil {
		return nil, err
	}
	services = s.insight.branch.Watch(services.Configure(s.deps.Mailbox()...))
	janitors, err := s.janitors()
	if err != nil {
		return nil, err
	}
	children := []supervisor.Spec{
		// Every connection knows the way to the router. Keeps: all names, members and offers, its queue.
		{Name: routerPlace, Props: s.insight.router.Watch(actors.NewRouter(s.deps)), InPlace: true, Drain: true},
		// Only has something to do when the system stops. Keeps: all connections.
		{Name: connectionsPlace, Props: s.deps.Props(connectionsPlace, s.newConnections), Nested: true},
		// Each with its own pauses and breaker. Keeps: the services' names, members and queues.
		{Name: servicesPlace, Props: services, Nested: true},
		// Keep: nothing, there is nothing to keep.
		{Name: janitorsPlace, Props: janitors, Nested: true},
		// Keeps: the open socket; connections that wait to be accepted.
		// The pauses are short, and the period is longer than all of them, so that one that can never accept again is
		// given up soon on any machine, and the process can be started anew with another socket.
		{Name: listenerPlace, Produce: s.produceListener, Pace: supervisor.Pace{Intensity: 5, Period: time.Minute, BackoffCap: 5 * time.Second}},
	}
	if s.admin != "" {
		// The router has to go on without it. Keeps: nothing.
		children = append(children, supervisor.Spec{Name: adminPlace, Props: s.deps.QuietProps(adminPlace, s.newAdmin()),
			// One more attempt at once, then every half minute.
			Breaker: &supervisor.Breaker{}, Pace: supervisor.Pace{Intensity: 1}})
	}
	root, err := supervisor.New(supervisor.Options{
		Strategy:  supervisor.OneForOne,
		Intensity: 10,
		Period:    10 * time.Second,
		Failed:    s.failed,
		Observe:   s.observer(rootPlace),
		Children:  children,
	})
	if err != nil {
		return nil, err
	}
	return s.insight.root.Watch(root.Configure(s.deps.Mailbox()...)), nil
}

func (s *System) newAdmin() actor.Producer {
	a := &s.cfg.Admin
	return admin.New(admin.Options{Address: s.admin, Source: s.source(), Log: s.log, Profiling: a.Pprof,
		Payloads: a.Payloads, Connections: a.Connections, Questions: a.Questions, ReadTimeout: a.ReadTimeout,
		WriteTimeout: a.WriteTimeout, IdleTimeout: a.IdleTimeout, HeaderBytes: int(a.HeaderBytes), Actors: a.Actors,
		Listen: s.adminPort.listen, Explain: s.explainHandler(), Subscribers: s.subscribersHandler(), Reload: s.reloadHandler(), Console: s.consoleHandler(), Script: js.Handler(),
		Upgrade: s.upgradeHandler(), TLS: s.adminTLS.config(),
		Listening: func(addr net.Addr) { s.insight.admin.Store(&addr) }})
}

// produceListener fails as long as there is no router for the connections.
func (s *System) produceListener(uint64) *actor.Props {
	if s.router.Zero() {
		return nil
	}
	return s.server.Props(s.router)
}

// observer returns who notes what the supervisor at a path did.
func (s *System) observer(path string) func(supervisor.Event) {
	return func(e supervisor.Event) {
		s.insight.tree.Observe(path, e)
		s.observe(e)
	}
}

// serviceObserver is observer for the supervisor of services. The runner logs how a service fails and comes back.
func (s *System) serviceObserver(path string) func(supervisor.Event) {
	return func(e supervisor.Event) {
		s.insight.tree.Observe(path, e)
		switch e.(type) {
		case *supervisor.ChildFailed, *supervisor.ChildRestarting, *supervisor.ChildUp, *supervisor.ChildAbandoned:
			return
		}
		s.observe(e)
	}
}

// observe logs what a supervisor did. A panic is logged where it happens, so it has no second line here.
func (s *System) observe(e supervisor.Event) {
	switch e := e.(type) {
	case *supervisor.ChildStarted:
		s.started(e.Child, e.PID)
	case *supervisor.ChildFailed:
		if _, panicked := e.Reason.(*runtime.Crash); !panicked {
			s.log.Error("failed", "actor", e.Child, "err", fmt.Sprint(e.Reason))
		}
	case *supervisor.ChildRestarting:
		s.log.Warn("restarting", "actor", e.Child, "in", e.In.String(), "in_place", e.InPlace)
	case *supervisor.ChildUp:
		s.started(e.Child, e.PID)
		s.log.Info("up again", "actor", e.Child)
	case *supervisor.ChildAbandoned:
		s.log.Error("abandoned", "actor", e.Child, "err", e.Reason)
	case *supervisor.ChildGaveUp:
		s.log.Error("gave up", "actor", e.Child, "failures", e.Failures, "err", e.Reason)
	case *supervisor.BreakerOpened:
		if e.Obstacle != nil {
			s.log.Error("breaker opened", "actor", e.Child, "for", e.For.String(), "err", e.Obstacle)
			break
		}
		s.log.Error("breaker opened", "actor", e.Child, "for", e.For.String())
	case *supervisor.BreakerHalfOpened:
		s.log.Info("breaker half open", "actor", e.Child)
	case *supervisor.BreakerClosed:
		s.log.Info("breaker closed", "actor", e.Child)
	case *supervisor.MessageIgnored:
		s.deps.Counters.Dead(actors.UnknownMessage)
		s.log.Error("unknown message", "actor", rootPlace, "message", e.Type)
	}
}

// started notes who the router is before the listener, which starts after it, needs it.
func (s *System) started(child string, pid *actor.PID) {
	if child == servicesPlace {
		if s.insight.services.Swap(pid) == nil {
			close(s.services.rooted)
		}
	}
	if child == routerPlace {
		first := s.router.Zero()
		s.router = actors.WatchedRouter(pid, &s.insight.router)
		core := s.router
		s.core.Store(&core)
		if first {
			s.way = s.router
			close(s.rooted)
			s.offer()
		}
	}
}
