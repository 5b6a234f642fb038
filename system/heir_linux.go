package system

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"strowger/actors"
	"strowger/transport"
)

// Heir is what a process takes over from the one that has started it.
type Heir struct {
	// Version is that of this process, for the other one's log.
	Version string

	wire     *wire
	greeting greeting
	router   net.Listener
	admin    net.Listener
	since    time.Duration
}

// OpenHeir returns what there is to take over from the process that has started this one with System.Upgrade. Value is
// that of the variable UpgradeVariable. Empty means that there is nothing, and then OpenHeir returns nil.
func OpenHeir(value string) (*Heir, error) {
	if value == "" {
		return nil, nil
	}
	fd, err := strconv.Atoi(value)
	if err != nil || fd < 3 {
		return nil, fmt.Errorf("%s=%q is no descriptor: a running daemon sets it when it is upgraded, and nobody else", UpgradeVariable, value)
	}
	h := new(Heir)
	if h.wire, err = newWire(fd, fd+1); err != nil {
		return nil, fmt.Errorf("%s=%q: %w", UpgradeVariable, value, err)
	}
	if err := h.greet(); err != nil {
		h.Fail(err)
		return nil, err
	}
	return h, nil
}

// greet takes the listening sockets.
func (h *Heir) greet() error {
	if err := h.wire.in.Decode(&h.greeting); err != nil {
		return fmt.Errorf("the old process says nothing: %w", err)
	}
	if h.greeting.Format != wireFormat {
		return fmt.Errorf("it cannot take over from this version, whose format is %d, want %d: a restart is needed", h.greeting.Format, wireFormat)
	}
	places := []*net.Listener{&h.router}
	if h.greeting.Admin != "" {
		places = append(places, &h.admin)
	}
	fds, err := h.wire.receive(len(places))
	if err != nil {
		return err
	}
	for i, fd := range fds {
		if *places[i], err = fileListener(fd); err != nil {
			return err
		}
	}
	return nil
}

// had reports whether the other process has a singleton. A nil Heir had none.
func (h *Heir) had(name string) bool { return h != nil && slices.Contains(h.greeting.Singletons, name) }

// added returns the services of the other process that were made from templates. A nil Heir had none.
func (h *Heir) added() []recipe {
	if h == nil {
		return nil
	}
	return h.greeting.Added
}

func fileListener(fd int) (net.Listener, error) {
	file := os.NewFile(uintptr(fd), "listener")
	defer file.Close()
	return net.FileListener(file)
}

// Fail tells the old process why this one cannot take over. A nil Heir tells nobody.
func (h *Heir) Fail(err error) {
	if h == nil {
		return
	}
	// The old process may be gone, and then nobody needs to know.
	_ = h.wire.out.Encode(&note{Failed: err.Error()})
}

// sockets returns the listening sockets for these addresses of the settings. Each is nil if the other process listens
// elsewhere.
func (h *Heir) sockets(listen, admin string) (router, adminPages net.Listener, err error) {
	router, adminPages = h.router, h.admin
	if listen != h.greeting.Listen {
		_ = router.Close()
		router = nil
	}
	if adminPages != nil && admin != h.greeting.AdminSetting {
		_ = adminPages.Close()
		adminPages = nil
	}
	return router, adminPages, nil
}

// take takes over all connections. It returns once they are this process's.
func (h *Heir) take(s *System) error {
	<-s.rooted
	if err := h.wire.out.Encode(&note{Version: h.Version}); err != nil {
		return err
	}
	if err := h.load(s); err != nil {
		h.Fail(err)
		return err
	}
	if err := h.wire.out.Encode(&note{Version: h.Version}); err != nil {
		return err
	}
	var last farewell
	if err := h.wire.in.Decode(&last); err != nil || !last.Go {
		return fmt.Errorf("the old process keeps its connections: %w", err)
	}
	// As long as this is not said the old process can go on, because nothing has been touched.
	if err := h.wire.out.Encode(&note{Version: h.Version}); err != nil {
		return err
	}
	s.tokens.tickets.ReadUsed() // of those that came to the other process last
	pauses := s.server.Release(s.way, h.since)
	s.services.speak()
	s.server.Open()
	// The other process may have ended without waiting for this.
	_ = h.wire.out.Encode(&arrival{pauses})
	u := &Upgraded{Version: h.Version, Connections: len(pauses)}
	u.pauses(pauses)
	s.upgrades.done.Store(h.greeting.Done + 1)
	s.upgrades.failed.Store(h.greeting.Failed)
	s.log.Info("taken over from another process", "connections", len(pauses), "p50", u.P50.String(), "p99", u.P99.String(), "max", u.Max.String())
	return h.wire.close()
}

// load adopts all that the old process has.
func (h *Heir) load(s *System) error {
	var c cargo
	if err := h.wire.in.Decode(&c); err != nil {
		return fmt.Errorf("the old process says nothing: %w", err)
	}
	h.since = c.Since
	fds := make(chan []int, 1)
	failed := make(chan error, 1)
	go func() {
		all, err := h.wire.receive(c.Connections + len(c.Newcomers))
		failed <- err
		fds <- all
	}()
	states, err := h.states(&c)
	if err != nil {
		return err
	}
	if err := <-failed; err != nil {
		return err
	}
	all := <-fds
	peers, err := h.adopt(s, states, all[:len(states)])
	if err != nil {
		return err
	}
	for i, n := range c.Newcomers {
		s.server.AdoptNewcomer(all[len(states)+i], n)
	}
	return h.restore(s, &c, peers)
}

// states returns the states of all connections, with their permissions.
func (h *Heir) states(c *cargo) ([]transport.State, error) {
	states := make([]transport.State, 0, c.Connections)
	for len(states) < c.Connections {
		var l lot
		if err := h.wire.in.Decode(&l); err != nil {
			return nil, fmt.Errorf("connections do not arrive: %w", err)
		}
		if len(l.States) == 0 || len(l.Grants) != len(l.States) {
			return nil, errors.New("connections arrive damaged")
		}
		for i := range l.States {
			state := &l.States[i]
			if state.Connection == nil {
				return nil, errors.New("a connection arrives without its state")
			}
			if at := l.Grants[i]; at >= len(c.Grants) {
				return nil, errors.New("a connection arrives without its permissions")
			} else if at >= 0 && state.Connection.Credentials != nil {
				state.Connection.Credentials.Permissions = c.Grants[at]
			}
		}
		states = append(states, l.States...)
	}
	return states, nil
}

// adopt returns when all actors know the connections.
func (h *Heir) adopt(s *System, states []transport.State, fds []int) (map[string]*actors.Peer, error) {
	var mu sync.Mutex
	peers := make(map[string]*actors.Peer, len(states))
	done := make(chan struct{})
	one := actors.Countdown(len(states), func() { close(done) })
	for i := range states {
		if unix.SetNonblock(fds[i], true) != nil {
			return nil, errors.New("a connection arrives without its descriptor")
		}
		s.server.Adopt(fds[i], &states[i], s.way, func(p *actors.Peer) {
			if p != nil {
				mu.Lock()
				peers[p.ID] = p
				mu.Unlock()
			}
			one()
		})
	}
	<-done // the old process ends this one if that takes too long
	return peers, nil
}

// restore gives the services their requests, and holders their tokens.
func (h *Heir) restore(s *System, c *cargo, peers map[string]*actors.Peer) error {
	done := make(chan struct{})
	one := actors.Countdown(len(c.Services), func() { close(done) })
	for _, state := range c.Services {
		s.deps.AdoptService(state, peers, one)
	}
	<-done
	gone := make([]*actors.Holding, 0, len(c.Holders))
	for i := range c.Holders {
		held := &c.Holders[i]
		if held.Holding.Credentials == nil || held.Grant < 0 || held.Grant >= len(c.Grants) {
			return errors.New("a token arrives damaged")
		}
		held.Holding.Credentials.Permissions = c.Grants[held.Grant]
		gone = append(gone, &held.Holding)
	}
	s.deps.RestoreHolders(young(gone, time.Now(), s.running.Load().Tokens.Reclaim))
	fenced := make(chan struct{})
	s.way.Send(&actors.Fence{Done: func() { s.egress.Probe(func() { close(fenced) }) }})
	<-fenced
	return nil
}
