package transport

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"strowger/actors"
	"strowger/actors/clock"
)

// This file has how a server gives its connections to another process, and how that one takes them. The order is
// Hold, Describe until nothing is busy, Collect, and last Thaw, whatever became of it.

// Held is a server that reads nothing.
type Held struct {
	server *Server
	// Since is when it read last, by the clock of Monotonic.
	Since     time.Duration
	newcomers []*reader
	crossing  []*Crossing
}

// Crossing is a connection that another process can go on with.
type Crossing struct {
	State
	socket *socket
}

// FD returns the descriptor, which is open until Thaw.
func (c *Crossing) FD() int { return c.socket.fd }

// Monotonic returns the time on a clock that all processes of the machine share.
func Monotonic() time.Duration {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	return time.Duration(now.Nano())
}

// slowHandshake is how long Hold waits for handshakes under way. One that takes longer does not cross.
const slowHandshake = time.Second

// Hold accepts no more, waits for handshakes under way, and then reads nothing more. The error is ctx's.
func (s *Server) Hold(ctx context.Context) (*Held, error) {
	s.holdAccepts(true)
	// Those who shake hands may still go on, and so may everybody else.
	slow, cancel := context.WithTimeout(ctx, slowHandshake)
	defer cancel()
	for {
		s.awaitHandshakes(slow)
		since := Monotonic()
		s.egress.gate.Lock()
		if s.atHands() == 0 || slow.Err() != nil {
			s.holdExpiry(true)
			h := &Held{server: s, Since: since, newcomers: s.waitingForRequests()}
			if ctx.Err() != nil {
				h.Thaw(false)
				return nil, context.Cause(ctx)
			}
			return h, nil
		}
		s.egress.gate.Unlock()
	}
}

// holdAccepts ends the accept loop's work for as long as it is held. What is not accepted waits in the kernel.
func (s *Server) holdAccepts(hold bool) {
	l, ok := s.listener.(interface{ SetDeadline(t time.Time) error })
	if !ok {
		return
	}
	s.holding.Store(hold)
	if !hold {
		_ = l.SetDeadline(time.Time{})
		s.accepting.Unlock()
		return
	}
	_ = l.SetDeadline(time.Unix(1, 0))
	s.accepting.Lock()
}

// atHands returns how many handshakes goroutines work on.
func (s *Server) atHands() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for o := s.openings.first; o != nil; o = o.next {
		if !o.polled {
			n++
		}
	}
	return n
}

// awaitHandshakes returns when goroutines work on no handshake, or ctx ends.
func (s *Server) awaitHandshakes(ctx context.Context) {
	for {
		s.mu.Lock()
		s.forgotten = make(chan struct{})
		forgotten := s.forgotten
		s.mu.Unlock()
		if s.atHands() == 0 {
			return
		}
		select {
		case <-forgotten:
		case <-ctx.Done():
			return
		}
	}
}

// holdExpiry keeps handshakes from running out of time.
func (s *Server) holdExpiry(hold bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = hold
	if s.expiry != nil {
		s.expiry()
		s.expiry = nil
	}
	if !hold && s.openings.first != nil && !s.stopped {
		s.expiry = clock.Wall{}.AfterFunc(0, s.expire)
	}
}

// waitingForRequests returns the readers that have not shaken hands. The caller holds the gate alone.
func (s *Server) waitingForRequests() []*reader {
	var all []*reader
	for _, p := range s.lobby {
		for _, r := range p.slots.all() {
			if o := r.opening; o != nil && !o.late {
				all = append(all, r)
			}
		}
	}
	return all
}

// Describe returns the state of each connection by its outlet, after all that came for it before. Busy says that one of
// them is authenticating.
func (h *Held) Describe(ctx context.Context) (states map[actors.Outlet]*actors.ConnectionState, busy bool, err error) {
	sockets, err := h.sockets(ctx)
	if err != nil {
		return nil, false, err
	}
	var mu sync.Mutex
	states = make(map[actors.Outlet]*actors.ConnectionState, len(sockets))
	done := make(chan struct{})
	one := actors.Countdown(len(sockets), func() { close(done) })
	for _, s := range sockets {
		actors.Describe(s.reader.inbox, func(state *actors.ConnectionState) {
			mu.Lock()
			states[s] = state
			busy = busy || state != nil && state.Busy
			mu.Unlock()
			one()
		})
	}
	select {
	case <-done:
		return states, busy, nil
	case <-ctx.Done():
		return nil, false, fmt.Errorf("connections do not answer: %w", context.Cause(ctx))
	}
}

// sockets returns all connections that have an actor.
func (h *Held) sockets(ctx context.Context) ([]*socket, error) {
	e := h.server.egress
	var mu sync.Mutex
	var all []*socket
	done := make(chan struct{})
	one := actors.Countdown(len(e.shards), func() { close(done) })
	for _, sh := range e.shards {
		sh.post(&fence{func(sh *shard) {
			mu.Lock()
			for s := range sh.sockets {
				if !s.reader.inbox.Zero() {
					all = append(all, s)
				}
			}
			mu.Unlock()
			one()
		}})
	}
	select {
	case <-done:
		return all, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("the write side does not answer: %w", context.Cause(ctx))
	}
}

// Collect ends all writes, and returns the connections that another process can go on with. States is what Describe
// returned last. TLS connections, and those that are being closed, are not among them.
func (h *Held) Collect(ctx context.Context, states map[actors.Outlet]*actors.ConnectionState) ([]*Crossing, error) {
	e := h.server.egress
	var mu sync.Mutex
	done := make(chan struct{})
	var all []*Crossing
	var changed error
	one := actors.Countdown(len(e.shards), func() { close(done) })
	e.freeze(func(sh *shard) {
		mu.Lock()
		for s := range sh.sockets {
			state := states[s]
			switch {
			case state == nil || !s.crosses():
			case state.Busy || s.admitted != (state.Credentials != nil):
				changed = errors.New("a connection has authenticated meanwhile")
			default:
				all = append(all, sh.capture(s, state))
			}
		}
		mu.Unlock()
		one()
	})
	select {
	case <-done:
		if changed != nil {
			return nil, changed
		}
		h.crossing = all
		return all, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("writes do not end: %w", context.Cause(ctx))
	}
}

// crosses reports whether another process can go on with the connection.
func (s *socket) crosses() bool {
	r := s.reader
	return s.fd >= 0 && !s.closing && !s.finished && s.replaced.Load() == nil && !r.over && !r.isCut.Load() && !r.crowd &&
		(r.stall != nil || !r.alone)
}

// Newcomers returns the connections whose request has not been read, and their descriptors.
func (h *Held) Newcomers() (states []NewcomerState, fds []int) {
	now := time.Now()
	for _, r := range h.newcomers {
		states = append(states, NewcomerState{From: r.socket.conn.(*bare).from, Left: r.opening.due.Sub(now)})
		fds = append(fds, r.socket.fd)
	}
	return states, fds
}

// capture returns the state of a socket, for its shard.
func (sh *shard) capture(s *socket, connection *actors.ConnectionState) *Crossing {
	now := sh.now.Load()
	b := s.conn.(*bare)
	c := &Crossing{socket: s, State: State{From: b.from, Connection: connection, Role: s.mayDoNow(), Read: s.reader.capture(now)}}
	if remote := s.remote.String(); remote != b.String() {
		c.Remote = remote
	}
	c.Write = WriteState{Answer: s.answer, Held: s.held, Queue: sh.allOf(s), Client: s.client || s.place != nil && s.place.client,
		Heard: now - min(s.lastHeard.Load(), now), NextPing: s.nextPing - now, PingGap: s.pingGap.Load(), Probed: s.probed.Load(), Packs: s.packs}
	return c
}

func (r *reader) capture(now int64) ReadState {
	d := &r.decoder
	state := ReadState{Header: d.header[:d.headerLen], Op: byte(d.op), Final: d.final, Masked: d.masked, Inside: d.inside, Phase: d.phase,
		Key: d.key, Left: d.left, Partial: d.partial, Fragments: d.fragments, Text: d.text, Packed: d.packed, Buffer: d.buffer, Control: d.control, Pings: r.pings, Pinged: now - r.pinged}
	if w := r.stall; w != nil {
		state.Stalled, state.Message, state.Ping, state.Rest = true, w.data, w.ping, w.rest
	}
	return state
}

// Thaw reads, writes and accepts again. If another process has the connections that Collect and Newcomers returned,
// they are no more this one's, and it closes its descriptors of them without a word to their peers.
func (h *Held) Thaw(handed bool) {
	s := h.server
	if !handed {
		h.crossing, h.newcomers = nil, nil
	}
	mine := make(map[*shard][]*socket)
	for _, c := range h.crossing {
		mine[c.socket.shard] = append(mine[c.socket.shard], c.socket)
		c.socket.reader.handOver()
	}
	for _, r := range h.newcomers {
		s.disown(r)
	}
	for _, p := range slices.Concat(s.pollers, s.lobby) {
		p.ready, p.at = p.ready[:0], 0
	}
	thawed := make(chan struct{})
	one := actors.Countdown(len(s.egress.shards), func() { close(thawed) })
	for _, sh := range s.egress.shards {
		sh.post(&thaw{mine[sh], one})
	}
	<-thawed // a shard that does not come to this has hung before, and so have its sockets
	s.holdExpiry(false)
	s.egress.handed.Store(handed)
	s.egress.gate.Unlock()
	if handed {
		_ = s.listener.Close()
		s.egress.exchanges.each((*exchange).handOver)
	}
	s.holdAccepts(false)
}

// handOver ends the reading of a connection that another process has. The caller holds the gate alone.
func (r *reader) handOver() {
	r.handed = true
	if r.alone {
		r.window.Close() // its goroutine waits for room, and leaves
		return
	}
	r.poller.remove(r)
	r.done()
}

// disown lets go of a connection that another process shakes hands with.
func (s *Server) disown(r *reader) {
	o := r.opening
	r.poller.remove(r)
	s.unwatch(o)
	s.abandon(o)
}

// Listening calls f with the descriptor of the listening socket.
func (s *Server) Listening(f func(fd int)) error {
	l, ok := s.listener.(syscall.Conn)
	if !ok {
		return errors.New("the listener has no descriptor")
	}
	raw, err := l.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(func(fd uintptr) { f(int(fd)) })
}
