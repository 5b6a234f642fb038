package system

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/transport"
)

// Start returns once connections are accepted. A system starts once: a second call is an error, also
// after one that failed.
func (s *System) Start() error {
	if !s.made() {
		return errors.New("start: " + errUnmade.Error())
	}
	if !s.stage.CompareAndSwap(fresh, begun) {
		return errors.New("start: the system was started or stopped before")
	}
	s.deps.System.EventStream.Subscribe(func(event any) {
		if dead, ok := event.(*actor.DeadLetterEvent); ok {
			s.deps.Bury(dead.Message)
		}
	})
	var err error
	if s.egress, err = transport.NewEgress(s.deps, &s.limits); err != nil {
		s.endTraces(context.Background())
		return err
	}
	s.deps.Egress = s.egress
	o := transport.Options{Limits: &s.limits, Log: s.log, Deps: s.deps, TrustedProxies: s.cfg.Listen.TrustedProxies, Descriptors: s.descriptors,
		ProxyProtocol: proxyProtocol(s.cfg.Listen.ProxyProtocol), Listener: s.listener}
	if s.certificate != nil {
		o.TLS = s.certificate.Config()
	}
	if s.server, err = transport.Listen(s.cfg.Listen.Address, s.egress, o); err != nil {
		s.egress.Stop()
		s.deps.Stop()
		s.endTraces(context.Background())
		return err
	}
	s.hold()
	s.deps.Continue()
	s.shareTickets()
	s.admin = s.adminAddress()
	s.connect()
	if err = s.cluster.open(s.heir != nil); err == nil {
		err = s.plant()
	}
	if err != nil {
		s.disconnect()
		s.cluster.leave(context.Background())
		s.server.StopListening()
		s.server.Wait()
		s.adminPort.close()
		s.leave()
		s.egress.Stop()
		s.deps.Stop()
		s.endTraces(context.Background())
		return fmt.Errorf("start: %w", err)
	}
	s.checkDescriptors()
	s.services.rise()
	s.services.begin()
	s.heapFloor = startHeapFloor(uint64(s.cfg.Memory.HeapFloor))
	if s.heir != nil {
		if err := s.heir.take(s); err != nil {
			return fmt.Errorf("start: take over: %w", err)
		}
		s.cluster.succeed(s)
		s.adminPort.open()
	} else {
		s.enter()
	}
	s.tokens.bearers.refresh()
	s.server.Open()
	s.heart.Store(s.newHeart())
	s.stage.Store(started)
	s.heart.Load().begin()
	s.services.changes.reopen(nil)
	close(s.open)
	return nil
}

// inherit takes the listening sockets of the process that this one takes over from. Its admin pages answer nobody
// before it has taken over.
func (s *System) inherit() error {
	if s.heir == nil {
		s.adminPort.open()
		return nil
	}
	router, admin, err := s.heir.sockets(s.cfg.Listen.Address, s.cfg.Admin.Address)
	if err != nil {
		return err
	}
	if router != nil {
		s.listener = router
	}
	if admin != nil {
		s.adminPort.inherited = admin
	}
	return nil
}

// adminAddress returns where the admin pages are to listen. The default address, which nobody chose,
// must not be in the way of the router itself or of another process, so it is given up if it is taken.
func (s *System) adminAddress() string {
	address := s.cfg.Admin.Address
	if s.adminPort.inherited != nil {
		return s.adminPort.inherited.Addr().String()
	}
	if address == "" || !s.cfg.AdminGivesWay() {
		return address
	}
	probe, err := net.Listen("tcp", address)
	if err != nil {
		s.log.Warn("admin pages are off: their default address cannot be used, set admin.address to another or to \"\"",
			"addr", address, "err", err)
		return ""
	}
	_ = probe.Close() // nothing was accepted
	return address
}

// plant starts the tree.
func (s *System) plant() error {
	s.name()
	root, err := s.tree()
	if err != nil {
		return err
	}
	s.root, err = s.deps.System.Root.SpawnNamed(root, rootPlace)
	return err
}

// enter joins the cluster once the router is there and the services inside are, so that other nodes get to know them
// at once.
func (s *System) enter() {
	if s.cluster == nil {
		return
	}
	<-s.rooted
	if err := s.cluster.join(s.way); err != nil {
		s.log.Error("this node cannot join the cluster; it goes on alone until it is restarted", "err", err)
		s.cluster.links.Alone()
	}
}
