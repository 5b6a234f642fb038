package cluster

import (
	"encoding/json"
	"fmt"
	"time"
)

// The bounds of heartbeats.
const (
	maxNodeName  = 256
	maxVersion   = 255
	maxHeartbeat = 4096
)

// heartbeat is what a node says to all others twice a second.
type heartbeat struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Protocol int    `json:"protocol"`
	Version  string `json:"version"`
	Sessions uint64 `json:"sessions,omitempty"` // the last that the node has begun
	Bye      bool   `json:"bye,omitempty"`      // the node leaves
	Heir     bool   `json:"heir,omitempty"`     // and another process takes its place
	// Singletons are those that the node has or would run.
	Singletons map[string]Stance `json:"singletons,omitempty"`
}

// member is another node.
type member struct {
	links    *Links
	id       nodeID
	subject  string
	name     string
	version  string
	protocol int
	leads    bool   // this node leads, not the other one
	refused  string // why the node is refused; empty: it is not

	known time.Time // when it was first heard
	heard time.Time // its last heartbeat
	twin  nodeID    // the last node that was logged for having the same name

	singles map[string]Stance // how it stands to singletons

	session *session // nil between two sessions
	number  uint64   // of the session, or of the last one
	begun   time.Time
	joined  bool // there has been a session

	out   queue
	inbox *inbox
	stats stats
	told  map[string]*told // by the text of the line
}

// told is when the log had a line of a kind about a node, and how many lines were left out since.
type told struct {
	at      time.Time
	omitted int
}

// toldEvery is how often the log has such a line.
const toldEvery = 10 * time.Second

// stats are counters of one node.
type stats struct {
	parcelsSent, parcelsReceived, bytesSent, bytesReceived, dropped, gaps, resets, malformed uint64
}

// who returns the attributes with which the log names the node.
func (m *member) who(more ...any) []any {
	return append([]any{"node", m.name, "id", m.id.String()}, more...)
}

// hear takes a heartbeat of any node.
func (l *Links) hear(data []byte) {
	id, beat, err := parseHeartbeat(data)
	l.mu.Lock()
	defer l.unlock()
	switch {
	case l.stage != running && l.stage != closing || id == l.id && err == nil:
	case err != nil:
		l.counts.Malformed++
	case beat.Bye:
		l.counts.Heartbeats++
		if m := l.members[id]; m != nil {
			l.bequeath(m, "it has left", beat.Heir)
			l.leave(m, "it has said that it leaves", true)
		}
	default:
		l.counts.Heartbeats++
		l.alive(id, beat)
	}
}

func parseHeartbeat(data []byte) (nodeID, heartbeat, error) {
	var id nodeID
	var beat heartbeat
	if len(data) > maxHeartbeat {
		return id, beat, fmt.Errorf("%w: a heartbeat is too long", errItem)
	}
	if err := json.Unmarshal(data, &beat); err != nil {
		return id, beat, fmt.Errorf("%w: %w", errItem, err)
	}
	if err := id.parse(beat.ID); err != nil {
		return id, beat, err
	}
	if !beat.Bye && (beat.Name == "" || len(beat.Name) > maxNodeName || len(beat.Version) > maxVersion) {
		return id, beat, fmt.Errorf("%w: a heartbeat has no name or a long one", errItem)
	}
	return id, beat, nil
}

// alive takes a heartbeat of a node that stays.
func (l *Links) alive(id nodeID, beat heartbeat) {
	now := l.o.Clock.Now()
	m := l.members[id]
	if m == nil && l.stage == running {
		m = l.meet(id, beat, now)
	}
	if m == nil {
		return
	}
	m.heard = now
	l.twins(m)
	l.stood(m, beat.Singletons)
	l.plausible(m, beat.Sessions)
	if m.refused == "" && m.leads && m.session == nil && now.Sub(m.begun) >= beginPace {
		l.begin(m, now)
	}
}

// meet makes a node a member. It returns nil if there are too many.
func (l *Links) meet(id nodeID, beat heartbeat, now time.Time) *member {
	if len(l.members) >= maxNodes {
		l.counts.TooMany++
		if l.counts.TooMany == 1 {
			l.warn("nodes are refused because there are too many", "node", beat.Name, "id", id.String(), "limit", maxNodes)
		}
		return nil
	}
	m := &member{
		links: l, id: id, subject: l.subjectOf(id), name: beat.Name, version: beat.Version, protocol: beat.Protocol,
		leads: string(l.id[:]) < string(id[:]), known: now,
	}
	l.members[id] = m
	l.counts.Met++
	// The other node must have heard of this one before the first message to it comes.
	l.beat = true
	signal(l.wake)
	l.touch()
	if m.refused = l.refusal(beat.Protocol); m.refused != "" {
		l.counts.Refused++
		l.warn("a node is refused", m.who("version", m.version, "cause", m.refused)...)
		return m
	}
	m.inbox = newInbox()
	before := l.ending[id]
	done := make(chan struct{})
	l.ending[id] = done
	l.workers.Go(func() { l.work(m, before, done) })
	return m
}

// refusal says why a node of a version cannot be linked.
func (l *Links) refusal(version int) string {
	if version >= l.protocol-1 && version <= l.protocol+1 {
		return ""
	}
	return fmt.Sprintf("it speaks version %d of the protocol between nodes, and this node speaks %d: the versions may differ by one", version, l.protocol)
}

// twins looks for nodes of one name. A node that has restarted does not count, because its old self is silent, nor does
// one that hands over to its successor in an upgrade.
func (l *Links) twins(m *member) {
	if m.name == l.o.Name && l.twinOf != m.id && m.heard.Sub(m.known) > twinAfter {
		l.twinOf = m.id
		l.warnTwin(m)
	}
	for _, other := range l.members {
		if other != m && other.name == m.name && m.twin != other.id && other.heard.Sub(m.known) > twinAfter && m.heard.Sub(other.known) > twinAfter {
			m.twin, other.twin = other.id, m.id
			l.warnTwin(m)
		}
	}
}

func (l *Links) warnTwin(m *member) {
	l.counts.Twins++
	l.warn("two nodes have the same name", m.who("setting", "cluster.node")...)
}

// leave removes a node that is gone.
func (l *Links) leave(m *member, cause string, said bool) {
	l.counts.Gone++
	attributes := m.who("cause", cause)
	if said {
		l.later(func() { l.o.Log.Info("a node is gone", attributes...) })
	} else {
		l.warn("a node is gone", attributes...)
	}
	l.remove(m)
	l.elect()
}

// remove ends the link to a node.
func (l *Links) remove(m *member) {
	l.end(m)
	l.discard(m)
	delete(l.members, m.id)
	if m.inbox != nil {
		m.inbox.end()
	}
	l.touch()
}

func (l *Links) warn(text string, attributes ...any) {
	l.later(func() { l.o.Log.Warn(text, attributes...) })
}

// warnOf logs a line about a node that may come often. It leaves out those that follow each other closely.
func (l *Links) warnOf(m *member, text string, attributes ...any) {
	now := l.o.Clock.Now()
	last := m.told[text]
	switch {
	case last == nil:
		if m.told == nil {
			m.told = map[string]*told{}
		}
		m.told[text] = &told{at: now}
	case now.Sub(last.at) < toldEvery:
		last.omitted++
		return
	default:
		if last.omitted > 0 {
			attributes = append(attributes, "suppressed", last.omitted)
		}
		*last = told{at: now}
	}
	l.warn(text, m.who(attributes...)...)
}

// tick does what is due, and sets the timer for the next time.
func (l *Links) tick() {
	l.mu.Lock()
	defer l.unlock()
	if l.stage != running && l.stage != closing {
		return
	}
	now := l.o.Clock.Now()
	if now.Sub(l.ticked) > lateTick {
		l.aware = now
	}
	l.ticked = now
	l.ticks++
	beat := l.ticks%int(beatEvery/tickEvery) == 0
	for _, m := range l.members {
		if now.Sub(m.heard) >= goneAfter {
			l.bequeath(m, "it has been silent for "+goneAfter.String(), false)
			l.leave(m, "it has been silent for "+goneAfter.String(), false)
			continue
		}
		if m.refused == "" {
			l.attend(m, now, beat)
		}
	}
	l.acks.expire(l, now)
	l.elect()
	if beat {
		l.heartbeat()
	}
	l.stopTick = l.o.Clock.AfterFunc(tickEvery, l.tick)
}

// attend does what is due for one node.
func (l *Links) attend(m *member, now time.Time, beat bool) {
	s := m.session
	switch {
	case m.leads && s == nil && now.Sub(m.begun) >= beginPace:
		l.begin(m, now)
	case !m.leads && s == nil && beat:
		l.ask(m)
	case s != nil && beat && (s.acked < s.sent || s.owes):
		l.mark(s)
	}
}

// say returns a heartbeat of this node. l.mu is held.
func (l *Links) say(bye bool) []byte {
	// A heartbeat has nothing that JSON cannot express.
	beat := heartbeat{ID: l.id.String(), Name: l.o.Name, Protocol: l.protocol, Version: l.o.Version, Sessions: l.sessions, Bye: bye, Heir: bye && l.handsDown}
	if !bye {
		beat.Singletons = l.stances()
	}
	data, _ := json.Marshal(beat)
	return data
}
