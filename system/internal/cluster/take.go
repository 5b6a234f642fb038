package cluster

import "fmt"

// take takes a message to this node. One goroutine calls it.
func (l *Links) take(data []byte) {
	h, body, err := parseHeader(data)
	l.mu.Lock()
	defer l.unlock()
	if err != nil {
		l.counts.Malformed++
		return
	}
	m := l.members[h.sender]
	if m == nil || m.refused != "" || l.stage != running && l.stage != closing || l.refusal(int(h.version)) != "" {
		l.counts.Strays++
		return
	}
	m.stats.bytesReceived += uint64(len(data))
	l.counts.MessagesReceived++
	l.counts.BytesReceived += uint64(len(data))
	switch {
	case h.kind == kindReset:
		l.asked(m, h.session)
	case h.kind == kindBegin:
		l.answered(m, h.session)
	default:
		l.said(m, &h, body)
	}
}

// otherMissed is the cause of a reset that the other node has asked for.
const otherMissed = "the other node has missed something, or took this one for gone"

// asked is called when the other node asks for a session after number.
func (l *Links) asked(m *member, number uint64) {
	s := m.session
	switch {
	case !m.leads || s == nil:
	case s.open && number <= s.number:
		// What the other node sent before it had begun came before that. So it has lost this session.
		l.fail(m, otherMissed)
	case number == s.number || l.o.Clock.Now().Sub(m.begun) >= ackTimeout:
		l.fail(m, "the other node has missed the beginning")
	}
}

// sessionSlack is how many sessions a node may begin between a heartbeat and the message that comes next.
const sessionSlack = 1 << 16

// plausible compares the session with a leader with what its heartbeats say. Somebody else on the bus may have said that
// there is a much later one, and then those of the leader would be taken for old ones for ever.
func (l *Links) plausible(m *member, begun uint64) {
	if m.leads || m.number <= begun || m.number-begun <= sessionSlack {
		return
	}
	l.counts.Malformed++
	m.stats.malformed++
	l.missed(m, "somebody has spoken of a session that the other node has not begun")
	m.number = 0
	l.discard(m)
	l.ask(m)
}

// answered is called when the other node has begun a session.
func (l *Links) answered(m *member, number uint64) {
	if m.leads {
		if s := m.session; s != nil && s.number == number && !s.open {
			l.opened(s)
		}
		return
	}
	if number <= m.number {
		return
	}
	if s := m.session; s != nil {
		l.counts.Resets++
		m.stats.resets++
		l.warnOf(m, anew, "cause", otherMissed)
	}
	l.end(m)
	l.discard(m)
	m.number = number
	l.opened(l.open(m))
}

// said is called with what has a place in a session.
func (l *Links) said(m *member, h *header, body []byte) {
	s := m.session
	if !m.leads && h.session > m.number {
		l.missed(m, "the beginning of a session was lost")
		m.number = h.session
		l.discard(m)
		l.ask(m)
		return
	}
	if s == nil || s.number != h.session {
		l.counts.Late++
		return
	}
	if !s.open {
		l.missed(m, "the answer to the beginning was lost")
		return
	}
	switch h.kind {
	case kindMark:
		l.marked(s, h)
	case kindItems:
		if l.next(s, h.first, true) {
			s.received += h.count
			l.deliver(s, body, int(h.count))
		}
	case kindFragment:
		if l.next(s, h.first, h.count == s.fragment) {
			l.assemble(s, h, body)
		}
	}
}

// missed is called when something of the other node was lost.
func (l *Links) missed(m *member, cause string, more ...any) {
	l.counts.Gaps++
	m.stats.gaps++
	l.fail(m, cause, more...)
}

// next reports whether number follows what was received. Whole is false if a fragment is missing.
func (l *Links) next(s *session, number uint64, whole bool) bool {
	switch {
	case number == s.received+1 && whole:
		return true
	case number <= s.received:
		l.counts.Late++
		return false
	}
	l.missed(s.member, lost(s.received+1, number-1))
	return false
}

func lost(first, last uint64) string {
	if last <= first {
		return fmt.Sprintf("message %d was lost", first)
	}
	return fmt.Sprintf("messages %d to %d were lost", first, last)
}

// marked compares what the other node has sent with what has come.
func (l *Links) marked(s *session, h *header) {
	if h.first > s.received {
		l.missed(s.member, lost(s.received+1, h.first))
		return
	}
	if h.count > s.acked && h.count <= s.sent {
		s.acked = h.count
	}
	s.owes = s.owes || h.more
}

// assemble adds a fragment to those that are there.
func (l *Links) assemble(s *session, h *header, body []byte) {
	if most := l.maxItem(); int64(len(s.partial)+len(body)) > most {
		l.missed(s.member, "a message is too long", "limit", most, "setting", messageSetting)
		return
	}
	s.partial = append(s.partial, body...)
	s.fragment++
	if h.more {
		return
	}
	s.received++
	whole := s.partial
	s.partial, s.fragment = nil, 0
	l.deliverOne(s, whole)
}

// deliver queues items for the node's goroutine.
func (l *Links) deliver(s *session, body []byte, count int) {
	if !s.member.inbox.add(s, body, count, l.o.QueueBytes()) {
		l.inboxFull(s)
	}
}

// deliverOne queues an item that came in fragments.
func (l *Links) deliverOne(s *session, data []byte) {
	if !s.member.inbox.addOne(s, data, l.o.QueueBytes()) {
		l.inboxFull(s)
	}
}

func (l *Links) inboxFull(s *session) {
	l.counts.InboxFull++
	s.member.inbox.drop()
	l.missed(s.member, "too much that a node has sent waits to be handled", "limit", l.o.QueueBytes(), "setting", queueSetting)
}
