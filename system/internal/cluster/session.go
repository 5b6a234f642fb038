package cluster

import (
	"time"

	"strowger/actors"
)

// session is what two nodes say to each other between two resets. It is the node as actors know it, so that what is
// sent to a node after a reset is for what it was before.
type session struct {
	member *member
	number uint64
	open   bool // both nodes have begun
	known  bool // the actors know what the other node offers and watches
	doomed bool // the other node will miss something
	marked bool // a mark waits to be published

	sent     uint64 // the last sequence number of this node
	acked    uint64 // up to which number the other node has received all
	received uint64 // the last sequence number of the other node
	owes     bool   // the other node wants to know received

	partial  []byte // the fragments of an item that are there
	fragment uint64 // how many

	offers table // what the other node offers and watches, as the actors know it
}

var _ actors.Node = (*session)(nil)

// Name implements actors.Node.
func (s *session) Name() string { return s.member.name }

// Send implements actors.Node.
func (s *session) Send(p *actors.Parcel) bool {
	size := parcelSize(p)
	l := s.member.links
	l.mu.Lock()
	defer l.unlock()
	ok := l.send(s, p, size)
	if !ok {
		l.counts.ParcelsDropped++
		s.member.stats.dropped++
	}
	return ok
}

func (l *Links) send(s *session, p *actors.Parcel, size int) bool {
	if l.stage != running || s.member.session != s || !s.open {
		return false
	}
	if most := l.maxItem(); int64(size) > most {
		if !s.doomed {
			l.warnOf(s.member, "a message is too long for another node", "service", p.Service, "bytes", size, "limit", most, "setting", messageSetting)
		}
		l.doom(s)
		return false
	}
	if !l.post(s, entry{parcel: p, cost: size + entryCost}) {
		return false
	}
	p.Lease.Retain()
	return true
}

// maxItem is how long an item may be. Besides the envelope it has ids, and the permissions that were stamped.
func (l *Links) maxItem() int64 { return max(l.o.MaxMessage(), 0) + maxBeside }

// maxBeside is how much longer than the longest envelope an item may be.
const maxBeside = 2 << 20

// post gives e the next number and queues it. It returns false if the other node will miss it.
func (l *Links) post(s *session, e entry) bool {
	if s.doomed {
		return false
	}
	m := s.member
	if s.open && m.out.bytes > 0 && m.out.bytes+int64(e.cost) > l.o.QueueBytes() {
		l.counts.QueueFull++
		l.warnOf(m, "too much waits to be sent to a node", "bytes", m.out.bytes, "limit", l.o.QueueBytes(), "setting", queueSetting)
		l.doom(s)
		return false
	}
	s.sent++
	e.session, e.number = s.number, s.sent
	l.push(m, e)
	return true
}

// The settings that bound the queue and the length of messages, as the log names them.
const (
	queueSetting   = "cluster.queue_bytes"
	messageSetting = "limits.service_bytes"
)

// doom skips a number, so that the other node notices that it misses something.
func (l *Links) doom(s *session) {
	if s.doomed {
		return
	}
	s.doomed = true
	s.sent++
	l.mark(s)
}

// mark tells the other node how much was sent and received.
func (l *Links) mark(s *session) {
	if s.marked {
		return
	}
	s.marked = true
	l.push(s.member, entry{session: s.number, number: s.sent, control: kindMark, of: s})
}

// begin begins a session with a node that this node leads.
func (l *Links) begin(m *member, now time.Time) {
	l.end(m)
	l.sessions++
	m.number = l.sessions
	m.begun = now
	l.open(m)
}

// open sends begin and all that this node offers and watches.
func (l *Links) open(m *member) *session {
	s := &session{member: m, number: m.number}
	m.session = s
	l.push(m, entry{session: s.number, control: kindBegin})
	for _, o := range l.table.instances() {
		l.postItem(s, appendOffered(nil, 0, &o))
	}
	for _, name := range l.table.names() {
		l.postItem(s, appendNamed(nil, itemWatched, 0, name))
	}
	if l.o.Redemptions != nil {
		for _, u := range l.o.Redemptions() {
			l.postItem(s, appendRedeemed(nil, u))
		}
	}
	l.postItem(s, appendNumber(nil, itemKnown, 0))
	return s
}

func (l *Links) postItem(s *session, news []byte) {
	l.post(s, entry{news: news, cost: len(news) + entryCost})
}

// opened is called when both nodes have begun.
func (l *Links) opened(s *session) {
	m := s.member
	s.open = true
	m.inbox.open(s)
	if !m.joined {
		m.joined = true
		attributes := m.who("version", m.version)
		l.later(func() { l.o.Log.Info("a node has joined", attributes...) })
	}
	l.touch()
}

// end ends the session with a node, if there is one. What is queued is dropped.
func (l *Links) end(m *member) {
	s := m.session
	if s == nil {
		return
	}
	m.session = nil
	l.discard(m)
	l.acks.ended(l, s)
	if s.open {
		m.inbox.close(s)
	}
	l.touch()
}

// anew is how the log tells of a reset.
const anew = "the link to a node begins anew"

// fail ends a session in which something was missed, and has another one begun.
func (l *Links) fail(m *member, cause string, more ...any) {
	if m.session != nil && m.session.open {
		l.counts.Resets++
		m.stats.resets++
	}
	l.warnOf(m, anew, append([]any{"cause", cause}, more...)...)
	l.end(m)
	now := l.o.Clock.Now()
	switch {
	case !m.leads:
		l.ask(m)
	case now.Sub(m.begun) >= beginPace:
		l.begin(m, now)
	}
	// Otherwise the next tick begins it, so that two nodes never keep each other busy with sessions.
}

// ask asks the leader for another session.
func (l *Links) ask(m *member) {
	if m.out.len() == 0 {
		l.push(m, entry{session: m.number, control: kindReset})
	}
}
