package transport

import (
	"fmt"
	"net/http"
	"net/netip"
	"sync"

	"strowger/actors/refusals"
)

// sharers are the connections of one address. They are counted only while limits.connections_per_address is set.
type sharers struct {
	address netip.Addr
	open    int // of crowds' mu
}

// crowds knows the sharers of all addresses. Its methods may be called from any goroutine.
type crowds struct {
	mu  sync.Mutex // Protects following.
	all map[netip.Addr]*sharers
}

// enter counts a connection of an address that may have limit of them. It returns nil if it has as many already.
func (c *crowds) enter(a netip.Addr, limit int) *sharers {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.all[a]
	switch {
	case s == nil && c.all == nil:
		c.all = make(map[netip.Addr]*sharers)
		fallthrough
	case s == nil:
		s = &sharers{address: a}
		c.all[a] = s
	case s.open >= limit:
		return nil
	}
	s.open++
	return s
}

// leave takes back an enter. s may be nil.
func (c *crowds) leave(s *sharers) {
	if s == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.open--; s.open == 0 {
		delete(c.all, s.address)
	}
}

// share counts a connection of a client. It returns false if its address has too many.
func (s *Server) share(o *opening, remote fmt.Stringer) bool {
	limit := o.limits.PerAddress
	if limit == 0 || o.sharers != nil {
		return true
	}
	a, counts := s.sharedAddress(remote)
	if !counts {
		return true
	}
	o.sharers = s.egress.crowds.enter(a, limit)
	return o.sharers != nil
}

// sharedAddress returns the address, or the network, for which a connection counts. It is not ok for trusted proxies,
// which stand for others.
func (s *Server) sharedAddress(remote fmt.Stringer) (a netip.Addr, ok bool) {
	a, ok = parseHop(remote.String())
	if !ok || isTrusted(a, s.proxies) {
		return a, false
	}
	if a = a.WithZone(""); a.Is6() {
		a = netip.PrefixFrom(a, sharedBits).Masked().Addr()
	}
	return a, true
}

// sharedBits is the length of the network that a host of IPv6 has for itself.
const sharedBits = 64

// crowdedAddress refuses a connection of an address that has too many.
func crowdedAddress(limit int) error {
	return &refusal{status: http.StatusServiceUnavailable, cause: refusals.PerAddress, reason: "too many connections of one address",
		err: fmt.Errorf("%d are open, as many as limits.connections_per_address allows", limit)}
}
