package transport

import (
	"net"
	"time"

	"strowger/actors"
	"strowger/actors/refusals"
	"strowger/transport/frame"
)

// spareDescriptors is how many descriptors connections leave for token files, admin pages and the like.
const spareDescriptors = 96

// unauthenticated returns how many connections may wait to authenticate: never more than half of all, so
// that the rest is for those that have. 0 means that there is no bound.
func (l *Limits) unauthenticated() int {
	if l.Unauthenticated == 0 {
		return 0
	}
	return max(min(l.Unauthenticated, l.Connections/2), 1)
}

// Clients returns how many of so many connections may be clients. At most a quarter is kept for services.
func (l *Limits) Clients(connections int) int {
	return connections - min(l.ServiceReserve, connections/4)
}

// Descriptors returns how many file descriptors the process needs for so many connections.
func Descriptors(connections int) int { return connections + spareDescriptors }

// Capacity returns how many connections there may be under l if the process may have so many file
// descriptors, and whether it is these that decide. 0 descriptors mean any number.
func Capacity(l *Limits, descriptors int) (connections int, short bool) {
	if descriptors <= 0 {
		return l.Connections, false
	}
	room := max(descriptors-spareDescriptors, descriptors/2)
	return min(l.Connections, room), room < l.Connections
}

// leavers returns how many connections may still have their descriptors after they were told to give way. They have
// them beside those of as many connections as there may be, so it is a part of the spare ones.
func (s *Server) leavers() int {
	capacity, _ := Capacity(s.opts.Limits.Load(), s.opts.Descriptors)
	return max(min(spareDescriptors, capacity)/4, 1)
}

// admit counts a connection and finds it a place. Beyond the limits it ends an older one that has not
// authenticated. It returns nil if there is none, and then the connection does not count.
func (s *Server) admit(conn net.Conn, l *Limits) *place {
	capacity, short := Capacity(l, s.opts.Descriptors)
	bound := l.unauthenticated()
	if s.egress.live.Add(1) > int64(capacity) {
		if bound == 0 || !s.egress.door.makeRoom() {
			s.egress.live.Add(-1)
			s.full(conn, capacity, short)
			return nil
		}
		s.crowded(conn, bound)
	}
	p := s.egress.door.enter(conn)
	if bound > 0 && s.egress.door.shrink(bound) > 0 {
		s.crowded(conn, bound)
	}
	return p
}

// early returns how long the next connection should wait so that the one that may have to give way to it has
// had its time.
func (s *Server) early(now time.Time) time.Duration {
	l := s.opts.Limits.Load()
	bound := l.unauthenticated()
	if capacity, _ := Capacity(l, s.opts.Descriptors); bound > 0 && s.egress.live.Load() >= int64(capacity) {
		bound = 1 // the next one takes a place of those that wait, however few they are
	}
	return s.egress.door.early(bound, now)
}

// full counts and logs that there are too many connections for another one.
func (s *Server) full(conn net.Conn, capacity int, short bool) {
	e := refusals.Event{Cause: refusals.Connections, Remote: conn.RemoteAddr().String(),
		More: []any{"connections", s.egress.Live(), "limit", capacity}}
	if short {
		e.Cause = refusals.Descriptors
		e.More = append(e.More, "descriptors", s.opts.Descriptors)
	}
	s.opts.Deps.Refusals().Add(e)
}

// crowded counts and logs that an unauthenticated connection gave way to conn.
func (s *Server) crowded(conn net.Conn, bound int) {
	s.opts.Deps.Refusals().Add(refusals.Event{Cause: refusals.Unauthenticated, Remote: conn.RemoteAddr().String(),
		More: []any{"limit", bound, "connections", s.egress.Live()}})
}

// giveWay ends a connection that has not authenticated, unless it has meanwhile. It does not wait for the
// peer, whose place is needed.
func (sh *shard) giveWay(s *socket) {
	if s.admitted || s.finished {
		if s.finished {
			s.cut()
		}
		return
	}
	if s.closing || s.writing {
		sh.abort(s)
		return
	}
	s.hasty = true
	sh.close(s, frame.CloseAuthTimeout)
}

// Seat implements actors.Seater.
func (s *socket) Seat(role actors.Role) error {
	return s.shard.egress.seat(s.place, role, s.shard.limits.Load())
}

// seat takes a place for a peer of that role.
func (e *Egress) seat(p *place, role actors.Role, l *Limits) error {
	if role != actors.Client {
		return e.door.stays(p)
	}
	capacity, _ := Capacity(l, int(e.descriptors.Load()))
	return e.door.seat(p, l.Clients(capacity))
}

// Spare implements actors.Sparer.
func (s *socket) Spare(busy bool) { s.shard.egress.door.spare(s.place, busy) }
