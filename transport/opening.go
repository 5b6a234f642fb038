package transport

import (
	"net"
	"net/netip"
	"time"

	"strowger/actors"
	"strowger/actors/clock"
)

// opening is a connection that has not shaken hands yet.
type opening struct {
	server *Server
	router actors.RouterRef
	conn   net.Conn
	place  *place
	limits *Limits
	due    time.Time      // the request must be there by then
	polled bool           // a poller waits for the request
	from   netip.AddrPort // whom a proxy's header names; zero: nobody

	sharers *sharers // where it counts; nil: nowhere

	// The server's mu protects the rest. late does not change any more after forget or unwatch.
	next, prev *opening // in the list of all
	late       bool     // expire has ended the reading
}

// openings is a list of those that shake hands, the oldest first.
type openings struct{ first, last *opening }

func (l *openings) push(o *opening) {
	o.prev = l.last
	if l.last == nil {
		l.first = o
	} else {
		l.last.next = o
	}
	l.last = o
}

// remove takes o out, which may be out already.
func (l *openings) remove(o *opening) {
	switch {
	case o.prev != nil:
		o.prev.next = o.next
	case l.first == o:
		l.first = o.next
	default:
		return
	}
	if o.next != nil {
		o.next.prev = o.prev
	} else {
		l.last = o.prev
	}
	o.next, o.prev = nil, nil
}

// remember returns false after StopListening.
func (s *Server) remember(o *opening) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false
	}
	s.openings.push(o)
	return true
}

// forget returns false if StopListening has ended the handshake.
func (s *Server) forget(o *opening) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.openings.remove(o)
	if s.forgotten != nil {
		close(s.forgotten)
		s.forgotten = nil
	}
	return !s.stopped
}

// ended reports whether the router itself has ended the handshake, to make room or because it stops.
func (s *Server) ended(o *opening) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped || s.egress.door.stays(o.place) != nil
}

// watch has expire called when the time for o's request is over.
func (s *Server) watch(o *opening) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.polled = true
	if s.expiry == nil && !s.stopped {
		s.expiry = clock.Wall{}.AfterFunc(time.Until(o.due), s.expire)
	}
}

// expire has the pollers see to those whose request has not been read in time. One timer serves all: a connection that
// was opened after a reload with less time may get as long as those before it.
func (s *Server) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expiry = nil
	if s.stopped || s.held {
		return
	}
	now := time.Now()
	for o := s.openings.first; o != nil; o = o.next {
		if !o.polled || o.late {
			continue
		}
		if now.Before(o.due) {
			s.expiry = clock.Wall{}.AfterFunc(o.due.Sub(now), s.expire)
			return
		}
		o.late = true
		// The poller finds the end of the stream, maybe after a request that waits in the kernel. Nothing that the peer
		// sends from now on would be read, so it is refused, and it can still be told why.
		if c, ok := o.conn.(interface{ CloseRead() error }); ok {
			_ = c.CloseRead()
		}
	}
}

// unwatch undoes watch.
func (s *Server) unwatch(o *opening) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.polled = false
}

// dismiss has whoever reads from conn find its end. A connection that a poller knows stays open until that has
// let it go.
func dismiss(conn net.Conn) {
	if c, ok := conn.(interface{ dismiss() }); ok {
		c.dismiss()
		return
	}
	_ = conn.Close()
}
