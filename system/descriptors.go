package system

import (
	"fmt"

	"strowger/system/internal/introspect"
	"strowger/transport"
)

// checkDescriptors warns if there are too few for limits.connections.
func (s *System) checkDescriptors() {
	l := s.limits.Load()
	if capacity, short := transport.Capacity(l, s.descriptors); short {
		s.log.Warn("too few file descriptors for limits.connections: fewer connections are taken",
			"descriptors", s.descriptors, "limit", l.Connections, "connections", capacity,
			"setting", "LimitNOFILE (ulimit -n), limits.connections")
	}
}

// room returns what is wrong if no further connection can be taken. Before Start nothing is.
func (s *System) room() []introspect.Problem {
	if s.Connections() == 0 {
		return nil
	}
	l := s.limits.Load()
	capacity, short := transport.Capacity(l, s.descriptors)
	if s.Connections() < capacity {
		return clientRoom(s.egress.Clients(), l.Clients(capacity))
	}
	reason := fmt.Sprintf("limits.connections is reached: %d", capacity)
	if short {
		reason = fmt.Sprintf("all %d connections that %d file descriptors allow are open, see LimitNOFILE", capacity, s.descriptors)
	}
	return []introspect.Problem{{Part: "connections", Reason: reason}}
}

// clientRoom returns what is wrong if so many clients have all places that they may have.
func clientRoom(clients, places int) []introspect.Problem {
	if clients < places {
		return nil
	}
	reason := fmt.Sprintf("clients have all %d places that limits.service_reserve leaves them", places)
	return []introspect.Problem{{Part: "connections", Reason: reason}}
}
