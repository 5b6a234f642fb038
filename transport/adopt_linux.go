package transport

import (
	"math"
	"time"

	"strowger/actors"
	"strowger/transport/frame"
)

// Adopt takes over a connection that another process has had. Nothing is read from it and written to it before Release.
// It calls ready once, by any goroutine, when all actors know the connection or it has ended, with its peer if it is
// admitted. Adopt owns the descriptor.
func (s *Server) Adopt(fd int, state *State, router actors.RouterRef, ready func(*actors.Peer)) {
	l := s.opts.Limits.Load()
	conn := &bare{fd: fd, from: state.From}
	socket := s.egress.newSocket(conn, l)
	if state.Remote != "" {
		socket.remote = address(state.Remote)
	}
	s.egress.live.Add(1)
	if a, ok := s.sharedAddress(socket.remote); ok && l.PerAddress > 0 {
		socket.sharers = s.egress.crowds.enter(a, math.MaxInt) // it was let in
	}
	s.restoreWrites(socket, state, l)
	socket.reader.restore(&state.Read, socket.shard.now.Load())
	s.running.Add(1)
	socket.reader.done = s.running.Done
	s.egress.attach(socket)
	socket.reader.inbox = actors.AdoptConnection(s.opts.Deps, router, socket, socket.remote, state.Connection, ready)
	s.adopted = append(s.adopted, adoptedReader{socket.reader, state.Read})
}

// handover is what a server has taken over from another process and does not serve yet.
type handover struct {
	adopted   []adoptedReader
	newcomers []newcomer
}

// adoptedReader is a reader that does not read yet.
type adoptedReader struct {
	reader *reader
	state  ReadState
}

// restoreWrites sets the write side of a socket that no shard knows yet.
func (s *Server) restoreWrites(socket *socket, state *State, l *Limits) {
	w, now := &state.Write, socket.shard.now.Load()
	socket.withheld = true
	socket.packs, socket.reader.decoder.unpacks = w.Packs, w.Packs
	socket.answer, socket.held, socket.queue = w.Answer, w.Held, w.Queue
	for _, frame := range w.Held {
		socket.heldBytes += int64(len(frame))
	}
	socket.lastHeard.Store(now - w.Heard)
	socket.nextPing = max(now+w.NextPing, 1)
	socket.pingGap.Store(w.PingGap)
	socket.probed.Store(w.Probed)
	door := &s.egress.door
	if state.Role == actors.Unauthenticated {
		door.open(door.enter(socket.conn), socket)
		if w.Client {
			_ = door.seat(socket.place, math.MaxInt) // it had its place
		}
		return
	}
	socket.admitted = true
	socket.allow(state.Role, l)
	if w.Client {
		socket.client = true
		door.take()
	}
}

// restore sets the read side of a connection that is not read from yet.
func (r *reader) restore(state *ReadState, now int64) {
	d := &r.decoder
	d.headerLen = uint8(copy(d.header[:], state.Header))
	d.op, d.final, d.masked, d.inside, d.phase = frame.Opcode(state.Op), state.Final, state.Masked, state.Inside, state.Phase
	d.key, d.left, d.partial, d.fragments, d.text, d.buffer, d.control = state.Key, state.Left, state.Partial, state.Fragments, state.Text, state.Buffer, state.Control
	d.packed = state.Packed
	r.pings, r.pinged = state.Pings, now-state.Pinged
	if state.Stalled {
		r.stall = &stall{data: state.Message, ping: state.Ping, rest: state.Rest}
	}
	r.count(cap(d.buffer))
}

// AdoptNewcomer takes over a connection whose request has not been read. Nothing is read before Release. It owns the
// descriptor.
func (s *Server) AdoptNewcomer(fd int, state NewcomerState) {
	s.newcomers = append(s.newcomers, newcomer{&bare{fd: fd, from: state.From}, state.Left})
}

// newcomer is a connection that another process has accepted.
type newcomer struct {
	conn *bare
	left time.Duration
}

// Release begins to read from and to write to the connections that were adopted. It returns the time since another
// process read from each last, given when that was by the clock of Monotonic.
func (s *Server) Release(router actors.RouterRef, since time.Duration) (pauses []time.Duration) {
	for _, sh := range s.egress.shards {
		sh.post(&release{})
	}
	for i := range s.adopted {
		s.resume(&s.adopted[i])
		pauses = append(pauses, Monotonic()-since)
	}
	s.adopted = nil
	for _, n := range s.newcomers {
		l := s.opts.Limits.Load()
		s.running.Add(1)
		s.take(&opening{server: s, router: router, conn: n.conn, limits: l, place: s.admit(n.conn, l), due: time.Now().Add(n.left)}, s.turns.take())
	}
	s.newcomers = nil
	return pauses
}

// resume has a poller read, after what the other process has read already.
func (s *Server) resume(a *adoptedReader) {
	r := a.reader
	r.home = s.pollerOf(r.socket)
	r.poller = r.home
	if r.socket.mayDoNow() == actors.Unauthenticated {
		r.poller = s.lobby[0]
	}
	if !a.state.Stalled {
		r.poller.add(r)
		return
	}
	s.opts.Deps.Go(func() {
		if r.again(&a.state) {
			r.poller.add(r)
		} else {
			r.leave()
		}
	})
}

// again handles what waited for room in the window of another process.
func (r *reader) again(state *ReadState) (more bool) {
	gate := &r.socket.shard.egress.gate
	gate.RLock()
	defer gate.RUnlock()
	r.stall = nil
	r.inline = maxInline
	r.decoder.rest = state.Rest
	switch {
	case state.Ping:
		r.ping(state.Message)
	case len(state.Message) > 0:
		r.message(state.Message)
	}
	r.decoder.rest = nil
	return r.feed(state.Rest, nil)
}
