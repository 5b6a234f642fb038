package actors

import (
	"errors"
	"fmt"
	"math"
	"time"

	"strowger/actors/envelope"
	"strowger/actors/runtime"
)

// ConnectionState is what another process needs to know to go on with a connection.
type ConnectionState struct {
	// Of one that is admitted.
	ID          string
	Recorded    bool      // it gets the positions of broadcasts
	Gaps        bool      // it is told where broadcasts were dropped
	Filters     []byte    // what it asked to get of its services; nil: all
	Presence    []string  // services of which it is told who watches them
	Session     *Session  // nil: it gets no tickets
	Keeps       bool      // its requests are kept when its connection is lost
	TicketUntil time.Time // when its last ticket ends
	Credentials *Credentials
	Asked       []string // services that know it as an asker
	Token       TokenKey // that is kept for who comes back; zero: none

	// Of one that is not.
	Attempts int
	Left     time.Duration // of its time for authentication
	Reclaim  *ReclaimState // what it waits for; nil: nothing
	Stash    [][]byte      // what came meanwhile

	// Busy says that the connection is authenticating or renewing its token. It cannot go to another process before that is over.
	Busy bool
}

// ReclaimState is a token that its holder wants to come back with.
type ReclaimState struct {
	Key      TokenKey
	Address  string
	Envelope envelope.Envelope
	Err      string
}

// describe asks a connection for its state, which is nil if it is closing or has ended.
type describe struct{ to func(*ConnectionState) }

func (*describe) toConnection() {}

func (m *describe) lost(*Deps, runtime.Loss) { m.to(nil) }

// Describe has to called, by any goroutine, with the state of a connection after all that came for it before. The
// state is nil if the connection is closing or has ended.
func Describe(c Connection, to func(*ConnectionState)) { c.Send(&describe{to}) }

func (c *connection) describe() *ConnectionState {
	switch {
	case c.state == closing:
		return nil
	case c.renewing:
		return &ConnectionState{Busy: true}
	case c.entry == nil:
		s := &ConnectionState{ID: c.peer.ID, Recorded: c.peer.recorded(), Gaps: c.peer.HearsGaps(), Credentials: c.peer.credentials(), Token: c.token}
		if c.peer.wishes != nil {
			s.Filters, s.Presence, s.Keeps = c.peer.wishes.asked, c.peer.wishes.presence, c.peer.wishes.keeps
		}
		if r := c.resumption; r != nil {
			session := r.session
			s.Session, s.TicketUntil = &session, r.until
		}
		if c.asked != nil {
			s.Asked = c.asked.names.All()
		}
		return s
	case c.state == authenticated, c.state == authenticating && c.entry.asking == nil:
		return &ConnectionState{Busy: true}
	}
	e := c.entry
	s := &ConnectionState{Attempts: e.attempts, Left: e.due.Sub(c.deps.Awake())}
	if asking := e.asking; asking != nil {
		s.Reclaim = &ReclaimState{asking.key, asking.address, asking.envelope, asking.err.Error()}
	}
	e.stash.Each(func(m *Received) { s.Stash = append(s.Stash, m.Data) })
	return s
}

// adoption is a connection that another process has had.
type adoption struct {
	state *ConnectionState
	ready func(*Peer) // called once all actors know the connection, or it has ended
}

// AdoptConnection starts the actor of a connection that another process has had. It calls ready once, by any goroutine,
// when all actors know the connection or it has ended, with its peer if it is admitted.
func AdoptConnection(d *Deps, router RouterRef, socket Outlet, remote fmt.Stringer, s *ConnectionState, ready func(*Peer)) Connection {
	return d.connections.Spawn(&connection{deps: d, socket: socket, remote: remote,
		entry: &entry{router: router, adoption: &adoption{s, ready}}})
}

// adopt takes the place of the greeting.
func (c *connection) adopt() {
	s := c.entry.adoption.state
	if s.Credentials != nil {
		c.adoptPeer(s)
		return
	}
	c.entry.attempts = s.Attempts
	c.closeAt(c.deps.Awake().Add(s.Left))
	for _, data := range s.Stash {
		c.entry.stash.Keep(&Received{Data: data})
	}
	if r := s.Reclaim; r != nil {
		c.state = authenticating
		c.entry.shown = c.deps.Awake()
		c.spare(true)
		c.askHolders(&reclaim{key: r.Key, address: r.Address, connection: c.self, envelope: r.Envelope, err: &usedError{errors.New(r.Err)}})
	}
	c.adopted()
}

// adoptPeer makes the connection what it was. It is ready when its subscriber has joined all topics.
func (c *connection) adoptPeer(s *ConnectionState) {
	c.state = authenticated
	c.peer = c.deps.peerOf(s.ID, s.Credentials, c.socket)
	c.peer.Remote = c.remote
	if s.Recorded || s.Gaps || s.Session != nil || s.Filters != nil || s.Presence != nil {
		c.peer.wishes = &wishes{recorded: s.Recorded, gaps: s.Gaps, resumes: s.Session != nil, keeps: s.Keeps, presence: s.Presence, filtered: filtered{asked: s.Filters}}
	}
	if s.Filters != nil {
		c.peer.wishes.narrow(c.peer.Subscriptions, math.MaxInt) // they were good
	}
	if k, ok := c.socket.(Knower); ok {
		k.Know(c.peer)
	}
	if s.Token != (TokenKey{}) {
		c.hold(&tokenClaimed{key: s.Token, address: address(c.remote), connection: c.self, credentials: s.Credentials})
	}
	c.adoptSession(s)
	if len(s.Asked) > 0 {
		c.asked = c.deps.askers.add(c.peer)
	}
	for _, name := range s.Asked {
		// Whoever offers the name may not be there yet.
		c.asked.names.Add(name, func(string) bool { return true })
	}
	c.subscriber = spawnSubscriber(c.deps, c.entry.router, c.self, c.peer, nil)
}

// adopted says that all actors know the connection, or that it has ended.
func (c *connection) adopted() {
	if c.entry != nil && c.entry.adoption != nil {
		ready := c.entry.adoption.ready
		c.entry.adoption = nil
		ready(c.peer)
	}
}

// usedError is why a token was refused in another process.
type usedError struct{ err error }

func (e *usedError) Error() string { return e.err.Error() }

func (e *usedError) Unwrap() error { return e.err }

// Used says that the token may be one that its holder comes back with.
func (e *usedError) Used() bool { return true }

// HolderState is a token that was accepted, as the holders' actor knows it.
type HolderState struct {
	Holding
	// Connected says that a connection has it. Until is not set then.
	Connected bool
}

// describeHolders asks the holders' actor for all tokens.
type describeHolders struct {
	unmissed
	to func([]HolderState)
}

// restoreHolders gives the holders' actor tokens whose connections are gone.
type restoreHolders struct {
	unmissed
	gone []*Holding
}

func (*describeHolders) toHolders() {}
func (*restoreHolders) toHolders()  {}

// DescribeHolders has to called, by any goroutine, with all tokens that are kept for who comes back, those without a
// connection in the order in which they are forgotten.
func (d *Deps) DescribeHolders(to func([]HolderState)) {
	if d.holders.Zero() {
		to(nil)
		return
	}
	d.holders.Send(&describeHolders{to: to})
}

// RestoreHolders adds tokens whose connections are gone. The caller sends it after the connections that have tokens are
// there.
func (d *Deps) RestoreHolders(gone []*Holding) {
	if !d.holders.Zero() {
		d.holders.Send(&restoreHolders{gone: gone})
	}
}

func (h *holders) describe() []HolderState {
	var all []HolderState
	for e := h.gone.Front(); e != nil; e = e.Next() {
		gone := e.Value.(*holding)
		all = append(all, HolderState{Holding: Holding{gone.key, gone.address, gone.until, gone.credentials()}})
	}
	for _, e := range h.all {
		if e.place == nil {
			all = append(all, HolderState{Holding: Holding{Key: e.key, Address: e.address, Credentials: e.credentials()}, Connected: true})
		}
	}
	return all
}

func (h *holders) restore(gone []*Holding) {
	for _, b := range gone {
		if h.all[b.Key] != nil {
			continue
		}
		known := &holding{key: b.Key, address: b.Address, claimBy: b.Credentials.ClaimBy, known: b.Credentials, until: b.Until}
		known.place = h.gone.PushBack(known)
		h.all[b.Key] = known
	}
}
