package cluster

import (
	"maps"
	"slices"
	"strings"
	"time"

	"strowger/actors"
)

// State is how this node stands to another one.
type State string

// The states.
const (
	Self    State = "self"    // this node
	Joining State = "joining" // the nodes have not yet said what they offer and watch, or do so anew
	Linked  State = "linked"
	Refused State = "refused" // see NodeInfo.Reason
)

// NodeInfo is a node as this one sees it.
type NodeInfo struct {
	Name     string
	ID       string
	Version  string // of the program
	Protocol int    // version of the protocol between nodes
	State    State
	Reason   string // why it is refused
	Offered  []actors.Offered
	Watched  []string
	// Singletons are those that the node has or would run.
	Singletons map[string]Stance
	// QueueBytes is what waits to be sent to the node, and Unread what it has sent that waits to be handled.
	QueueBytes, Unread int64
	// Unacknowledged is how many messages the node has not yet said to have received. It says so twice a second.
	Unacknowledged  uint64
	ParcelsSent     uint64
	ParcelsReceived uint64
	ParcelsDropped  uint64 // not sent, because too much waited or the link ended
	BytesSent       uint64
	BytesReceived   uint64
	Gaps            uint64        // noticed by this node
	Resets          uint64        // of an open link, whoever noticed
	Malformed       uint64        // messages that were dropped
	Heartbeat       time.Duration // since the last one
}

// Counts are the totals since New.
type Counts struct {
	Nodes, Linked    int // other nodes that are there, and those of them that are linked
	QueueBytes       int64
	Met, Gone        uint64 // nodes that came and went
	Refused          uint64 // nodes whose protocol is too old or too new
	TooMany          uint64 // heartbeats of nodes beyond the limit
	Twins            uint64 // two nodes had the same name
	Heartbeats       uint64 // received
	MessagesSent     uint64 // to nodes, without heartbeats
	MessagesReceived uint64
	ParcelsSent      uint64
	ParcelsReceived  uint64
	ParcelsDropped   uint64
	BytesSent        uint64
	BytesReceived    uint64
	Gaps             uint64
	Resets           uint64
	QueueFull        uint64 // times that a queue to a node was full
	InboxFull        uint64 // times that what a node had sent was too much
	Malformed        uint64 // messages and items that were dropped
	Strays           uint64 // messages of nodes that are not known or refused
	Late             uint64 // messages of sessions that have ended
	AcksLate         uint64 // times that a node did not say in time that it has heard news
	PublishErrors    uint64
	Taken, Yielded   uint64 // singletons that this node has taken, and given up because another one has them
	Panics           uint64 // of this router, at messages of other nodes
}

// Nodes returns this node and then the others, by name.
func (l *Links) Nodes() []NodeInfo {
	l.mu.Lock()
	defer l.unlock()
	now := l.o.Clock.Now()
	var others []NodeInfo
	for _, m := range l.members {
		others = append(others, m.info(now))
	}
	slices.SortFunc(others, func(a, b NodeInfo) int {
		return strings.Compare(a.Name+"\x00"+a.ID, b.Name+"\x00"+b.ID)
	})
	self := NodeInfo{
		Name: l.o.Name, ID: l.id.String(), Version: l.o.Version, Protocol: l.protocol, State: Self,
		Offered: l.table.instances(), Watched: l.table.names(),
		Singletons: l.stances(),
	}
	return append([]NodeInfo{self}, others...)
}

func (m *member) info(now time.Time) NodeInfo {
	i := NodeInfo{
		Name: m.name, ID: m.id.String(), Version: m.version, Protocol: m.protocol, State: m.state(), Reason: m.refused,
		QueueBytes: m.out.bytes, Heartbeat: now.Sub(m.heard),
		ParcelsSent: m.stats.parcelsSent, ParcelsReceived: m.stats.parcelsReceived, ParcelsDropped: m.stats.dropped,
		BytesSent: m.stats.bytesSent, BytesReceived: m.stats.bytesReceived,
		Gaps: m.stats.gaps, Resets: m.stats.resets, Malformed: m.stats.malformed, Singletons: maps.Clone(m.singles),
	}
	if m.inbox != nil {
		i.Unread = m.inbox.unread()
	}
	if s := m.session; s != nil {
		i.Offered, i.Watched, i.Unacknowledged = s.offers.instances(), s.offers.names(), s.sent-s.acked
	}
	return i
}

func (m *member) state() State {
	switch {
	case m.refused != "":
		return Refused
	case m.session != nil && m.session.known:
		return Linked
	}
	return Joining
}

// Counts returns the totals.
func (l *Links) Counts() Counts {
	l.mu.Lock()
	defer l.unlock()
	c := l.counts
	c.Nodes = len(l.members)
	for _, m := range l.members {
		c.QueueBytes += m.out.bytes
		if m.state() == Linked {
			c.Linked++
		}
	}
	return c
}
