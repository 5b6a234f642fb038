package system

import (
	"context"
	"fmt"
	"sync"
	"time"

	"strowger/actors"
	"strowger/transport"
)

// gathered is all that goes to the new process.
type gathered struct {
	cargo    cargo
	crossing []*transport.Crossing
	fds      []int
	grants   map[*string]int // by the first of the permissions
}

// gather returns what there is to hand over, once all that was read has gone on to the sockets.
func (s *System) gather(ctx context.Context, held *transport.Held) (*gathered, error) {
	states, err := s.settled(ctx, held)
	if err != nil {
		return nil, err
	}
	s.services.hush(ctx)
	// A request that a slow service has no room for comes back once, and is answered.
	for range 2 {
		if err := s.drained(ctx); err != nil {
			return nil, err
		}
	}
	g := &gathered{grants: make(map[*string]int)}
	g.cargo.Since = held.Since
	if g.crossing, err = held.Collect(ctx, states); err != nil {
		return nil, err
	}
	for _, c := range g.crossing {
		g.fds = append(g.fds, c.FD())
	}
	newcomers, fds := held.Newcomers()
	g.cargo.Newcomers, g.fds = newcomers, append(g.fds, fds...)
	g.cargo.Connections = len(g.crossing)
	if err := wait(ctx, "services", func(done func()) {
		s.deps.CaptureServices(func(all []*actors.ServiceTable) { g.cargo.Services = all; done() })
	}); err != nil {
		return nil, err
	}
	var holders []actors.HolderState
	if err := wait(ctx, "tokens", func(done func()) {
		s.deps.DescribeHolders(func(all []actors.HolderState) { holders = all; done() })
	}); err != nil {
		return nil, err
	}
	g.hold(holders, time.Now().Add(s.running.Load().Tokens.Reclaim))
	return g, nil
}

// settled returns the states of the connections once none is authenticating.
func (s *System) settled(ctx context.Context, held *transport.Held) (map[actors.Outlet]*actors.ConnectionState, error) {
	for {
		states, busy, err := held.Describe(ctx)
		if err != nil || !busy {
			return states, err
		}
		if err := s.drained(ctx); err != nil {
			return nil, err
		}
	}
}

// drained returns when all that was on its way has gone on to the sockets.
func (s *System) drained(ctx context.Context) error {
	return wait(ctx, "actors", func(done func()) {
		s.way.Send(&actors.Fence{Done: func() { s.egress.Probe(done) }})
	})
}

// wait returns when ask has called done, or with ctx's cause.
func wait(ctx context.Context, who string, ask func(done func())) error {
	answered := make(chan struct{})
	ask(sync.OnceFunc(func() { close(answered) }))
	select {
	case <-answered:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s do not answer: %w", who, context.Cause(ctx))
	}
}

// hold adds the tokens that holders may come back with. Those whose connections do not cross may be claimed until a
// time.
func (g *gathered) hold(holders []actors.HolderState, until time.Time) {
	crossing := make(map[actors.TokenKey]*actors.Credentials, len(g.crossing))
	for _, c := range g.crossing {
		crossing[c.Connection.Token] = c.Connection.Credentials
	}
	for _, held := range holders {
		c := held.Credentials
		if c == nil {
			continue
		}
		if with := crossing[held.Key]; held.Connected && with != nil {
			with.ClaimBy = c.ClaimBy
			continue
		}
		if held.Connected {
			held.Until = until
		}
		mine := *c
		mine.Permissions = nil
		g.cargo.Holders = append(g.cargo.Holders, holderState{actors.Holding{Key: held.Key, Address: held.Address, Until: held.Until, Credentials: &mine},
			g.grant(c.Permissions)})
	}
}

// grant returns the place of permissions that many share.
func (g *gathered) grant(names []string) int {
	var first *string
	if len(names) > 0 {
		first = &names[0]
	}
	at, known := g.grants[first]
	if !known {
		at = len(g.cargo.Grants)
		g.grants[first] = at
		g.cargo.Grants = append(g.cargo.Grants, names)
	}
	return at
}

// lotSize is how many connections go in one message.
const lotSize = 256

// send sends everything.
func (g *gathered) send(w *wire) error {
	lots := make([]lot, 0, len(g.crossing)/lotSize+1)
	for i, c := range g.crossing {
		if i%lotSize == 0 {
			lots = append(lots, lot{})
		}
		l := &lots[len(lots)-1]
		grant := -1
		if credentials := c.Connection.Credentials; credentials != nil {
			grant = g.grant(credentials.Permissions)
			credentials.Permissions = nil
		}
		l.States, l.Grants = append(l.States, c.State), append(l.Grants, grant)
	}
	if err := w.out.Encode(&g.cargo); err != nil {
		return fmt.Errorf("hand over: %w", err)
	}
	sent := make(chan error, 1)
	go func() { sent <- w.send(g.fds) }() // ends with the wire at the latest
	for i := range lots {
		if err := w.out.Encode(&lots[i]); err != nil {
			return fmt.Errorf("hand over: %w", err)
		}
	}
	return <-sent
}
