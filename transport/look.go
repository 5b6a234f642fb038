package transport

import (
	"context"
	"fmt"
	"time"

	"strowger/actors"
)

// Connection is what an operator sees of one connection at one moment.
type Connection struct {
	Number      uint64       // counts connections since the start
	Peer        *actors.Peer // nil before authentication
	Remote      fmt.Stringer
	Since       time.Time
	Idle        time.Duration // since the peer's last sign of life, in whole seconds
	In, Out     int64         // bytes since Since, frames with their headers
	Queued      int           // frames, or messages by HTTP, that wait because the peer reads slowly
	QueuedBytes int64
	HTTP        bool // it has asked for no socket
}

// look has f called with each socket of a shard, and done after the last one.
type look struct {
	f    func(sh *shard, s *socket)
	done func()
}

func (*look) toShard() {}

func (sh *shard) look(m *look) {
	defer m.done()
	for s := range sh.sockets {
		m.f(sh, s)
	}
}

// each has f called with each socket, by the goroutine of its shard, and returns when all shards are done. Shards run
// beside each other. The error is ctx's.
func (e *Egress) each(ctx context.Context, f func(sh *shard, s *socket)) error {
	done := make(chan struct{}, len(e.shards))
	for _, sh := range e.shards {
		sh.post(&look{f: f, done: func() { done <- struct{}{} }})
	}
	for range e.shards {
		select {
		case <-done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// Connections returns all open connections, in no order. The error is ctx's.
func (e *Egress) Connections(ctx context.Context) ([]Connection, error) {
	found := make([][]Connection, len(e.shards))
	err := e.each(ctx, func(sh *shard, s *socket) {
		if s.finished {
			return
		}
		if found[sh.index] == nil {
			found[sh.index] = make([]Connection, 0, len(sh.sockets))
		}
		found[sh.index] = append(found[sh.index], sh.seen(s))
	})
	if err != nil {
		return nil, err // a shard may still be at it
	}
	var all []Connection
	for _, some := range found {
		all = append(all, some...)
	}
	e.exchanges.each(func(x *exchange) { all = append(all, x.seen()) })
	return all, nil
}

// seen returns what an operator sees of a connection by HTTP.
func (x *exchange) seen() Connection {
	peer, remote, messages, bytes := x.session.Look()
	if remote == nil {
		remote = x.remote
	}
	now := x.opening.server.egress.shards[0].now.Load()
	return Connection{Number: x.number, Peer: peer, Remote: remote, Since: x.opened, Idle: time.Duration(max(0, now-x.heard.Load())) * time.Second,
		In: x.in.Load(), Out: x.out.Load(), Queued: messages, QueuedBytes: bytes, HTTP: true}
}

func (sh *shard) seen(s *socket) Connection {
	c := Connection{Number: s.number, Peer: s.peer.Load(), Remote: s.remote, Since: time.Unix(0, s.opened),
		In: s.in.Load(), Out: s.out, Queued: s.waiting, QueuedBytes: s.bytes}
	if heard := s.lastHeard.Load(); heard < waits {
		c.Idle = time.Duration(max(0, sh.now.Load()-heard)) * time.Second
	}
	return c
}

// Disconnect closes the connection of that number as if the daemon stopped, so that its peer may come back soon. Its
// tickets end. It
// reports whether there was one. The error is ctx's; the connection may be closed nevertheless.
func (e *Egress) Disconnect(ctx context.Context, number uint64) (bool, error) {
	found := make(chan struct{}, 1)
	err := e.each(ctx, func(sh *shard, s *socket) {
		if s.number == number && !s.closing {
			if p := s.peer.Load(); p != nil {
				p.Dismiss()
			}
			sh.close(s, s.codeOf(actors.GoingAway))
			found <- struct{}{}
		}
	})
	e.exchanges.each(func(x *exchange) {
		if x.number == number {
			x.finish()
			x.session.Close(actors.GoingAway)
			found <- struct{}{}
		}
	})
	return len(found) > 0, err
}

// Know implements actors.Knower.
func (s *socket) Know(p *actors.Peer) { s.peer.Store(p) }
