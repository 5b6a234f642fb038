package actors

import (
	"strings"
	"sync/atomic"
	"time"

	"strowger/actors/envelope"
	"strowger/actors/filter"
	"strowger/actors/refusals"
)

// presence is who watches a service: the clients that are members of its topic here and on other nodes. It belongs to the
// topic, which tells of changes once in an interval, so that who comes and goes within one is told of to nobody.
type presence struct {
	topic  *topic
	filter *filter.Filter
	people map[person]*record

	changed []*record          // whose connections are others than was told
	places  int                // records of people who are, or were told to be, on this node
	without map[*Peer]struct{} // members that found no place
	away    map[Node]int       // how many records name each other node

	onlookers map[filter.Class]*onlookers
	told      map[*Peer]bool // clients that asked to be told, and whether they have been

	sorted []*record                     // those who are there as far as it was told; nil: not known since then
	lists  map[filter.Class]envelope.Raw // what classes are told of them, while nothing else was told

	newcomers map[Node]struct{} // nodes that get everything at the next time
	asking    bool              // the nodes are asked for everything then

	due     func() bool // stops the timer for the next time; nil: nothing is to be told
	counted [2]int      // people and places not found, as they are in the counters
}

// PresenceCounters count who watches services whose policies tell. They do not count since the start.
type PresenceCounters struct {
	PresencePeople atomic.Int64 // people who are known to watch a service, here or elsewhere
	PresenceUntold atomic.Int64 // connections that are not told of because there are too many
}

// person is who watches, over how many connections it may be. Connections that differ in any of it are of two people.
type person struct {
	domain, domainUUID string
	user, userUUID     string
	extensions         string // joined by separators
	other              string // what tells apart those that have no user
}

// record is what is known of a person.
type record struct {
	person
	id      string // what clients of this node know it by
	subject filter.Subject
	here    int          // connections on this node
	there   map[Node]int // on others; nil: none
	placed  bool         // it counts in presence.places
	at      int          // its place in presence.changed, from 1 on; 0: it is not there
	told    int          // connections that clients were told of; 0: they do not know it
	sent    int          // connections here that other nodes were told of
}

// Bounds of what is known of people.
const (
	// longestPerson is how many bytes the texts of a person may have.
	longestPerson = 1 << 10
	// defaultPresencePeople is how many people of one node are told of for each service.
	defaultPresencePeople = 1000
	// defaultPresenceInterval is the time between two messages of who has come and gone.
	defaultPresenceInterval = time.Second
	// extensionSeparator comes between extensions of a person. No extension has it.
	extensionSeparator = "\n"
)

// personOf returns who a client is.
func personOf(p *Peer) person {
	who := person{user: p.UserName, userUUID: p.UserUUID, domain: p.Domain(), extensions: strings.Join(p.Extensions, extensionSeparator)}
	if p.tenant != nil {
		who.domainUUID, _ = envelope.Text(p.tenant.uuid)
	}
	if who.user == "" && who.userUUID == "" {
		who.other = p.Bearer
		if who.other == "" {
			who.other = p.ID
		}
	}
	return who
}

func (w *person) size() int {
	return len(w.domain) + len(w.domainUUID) + len(w.user) + len(w.userUUID) + len(w.extensions) + len(w.other)
}

// extensionList returns the extensions one by one.
func (w *person) extensionList() []string {
	if w.extensions == "" {
		return nil
	}
	return strings.Split(w.extensions, extensionSeparator)
}

// connections returns how many connections the person has on all nodes.
func (r *record) connections() int {
	n := r.here
	for _, there := range r.there {
		n += there
	}
	return n
}

// newPresence returns what is known when a policy begins to ask for it.
func (t *topic) newPresence(f *filter.Filter) *presence {
	p := &presence{topic: t, filter: f, people: make(map[person]*record), without: make(map[*Peer]struct{}), away: make(map[Node]int),
		onlookers: make(map[filter.Class]*onlookers), told: make(map[*Peer]bool), lists: make(map[filter.Class]envelope.Raw), newcomers: make(map[Node]struct{})}
	for _, n := range t.nodes {
		p.newcomers[n] = struct{}{}
	}
	p.asking = len(t.nodes) > 0
	for member := range t.members {
		p.join(member)
	}
	p.change(nil)
	return p
}

// join takes a new member of the topic. Services are not told of.
func (p *presence) join(m *Peer) {
	if m.Role != Client {
		return
	}
	p.enter(m)
	if m.asksPresence(p.topic.name) {
		p.look(m)
	}
}

// enter adds a connection to those of its person.
func (p *presence) enter(m *Peer) {
	who := personOf(m)
	r := p.people[who]
	if r == nil || !r.placed {
		if most := p.topic.deps.presencePeople(); p.places >= most || who.size() > longestPerson {
			p.without[m] = struct{}{}
			p.count()
			p.topic.deps.refusals.Add(refusals.Event{Cause: refusals.PresencePeople, Role: m.Role.String(), Kind: p.topic.name, Remote: m.Remote.String(),
				More: append(m.Who(), "service", refusals.Clip(p.topic.name), "limit", most)})
			return
		}
	}
	r = p.record(who)
	if !r.placed {
		r.placed = true
		p.places++
	}
	r.here++
	p.change(r)
}

// record returns what is known of a person, from now on if nothing is.
func (p *presence) record(who person) *record {
	r := p.people[who]
	if r == nil {
		r = &record{person: who, id: envelope.NewID()[:presenceIDLength], subject: filter.Subject{Domain: who.domain, Extensions: who.extensionList()}}
		p.people[who] = r
	}
	return r
}

// leave undoes join. A person who was told of keeps its record until it is told that it has gone.
func (p *presence) leave(m *Peer) {
	if m.Role != Client {
		return
	}
	p.lookAway(m)
	if _, out := p.without[m]; out {
		delete(p.without, m)
		p.count()
		return
	}
	r := p.people[personOf(m)]
	if r == nil || r.here == 0 {
		return // it came in while the topic crashed
	}
	r.here--
	p.change(r)
}

// change notes that more or less is to be told; r may be nil.
func (p *presence) change(r *record) {
	switch {
	case r == nil:
	case r.here == 0 && r.sent == 0 && r.told == 0 && len(r.there) == 0:
		p.drop(r)
	case r.at == 0:
		p.changed = append(p.changed, r)
		r.at = len(p.changed)
	}
	p.count()
	if p.due == nil {
		p.due = p.topic.self.After(p.topic.deps.Clock, p.topic.deps.presenceInterval(), &presenceDue{})
	}
}

// drop forgets a person that is nowhere and that nobody was told of.
func (p *presence) drop(r *record) {
	delete(p.people, r.person)
	p.vacate(r)
	if r.at > 0 {
		last := p.changed[len(p.changed)-1]
		p.changed[r.at-1], last.at = last, r.at
		p.changed = p.changed[:len(p.changed)-1]
		r.at = 0
	}
}

// vacate gives the place of a person back that is not on this node any more.
func (p *presence) vacate(r *record) {
	if r.placed {
		r.placed = false
		p.places--
	}
}

// seat gives places that are free to those who found none.
func (p *presence) seat() {
	if len(p.without) == 0 {
		return
	}
	most := p.topic.deps.presencePeople()
	for m := range p.without {
		who := personOf(m)
		if r := p.people[who]; r != nil && r.placed || p.places < most && who.size() <= longestPerson {
			delete(p.without, m)
			p.enter(m)
		}
	}
}

// end forgets everything. Those who were told anything hear that nothing is told any more, unless next tells them.
func (p *presence) end(next *presence) {
	if p.due != nil {
		p.due()
	}
	p.people, p.without = nil, nil
	p.count()
	for m, told := range p.told {
		p.lookAway(m)
		if told && (next == nil || !next.tells(m)) {
			m.Outlet.Send(p.message(presenceOver))
		}
	}
	if next == nil {
		p.tellNodesNothing()
	}
}

// count brings the counters up to date.
func (p *presence) count() {
	now := [2]int{len(p.people), len(p.without)}
	c := p.topic.deps.Counters
	c.PresencePeople.Add(int64(now[0] - p.counted[0]))
	c.PresenceUntold.Add(int64(now[1] - p.counted[1]))
	p.counted = now
}

// presencePeople returns how many people on this node are told of for each service.
func (d *Deps) presencePeople() int {
	if n := d.settings().PresencePeople; n > 0 {
		return n
	}
	return defaultPresencePeople
}

// presenceInterval returns the time between two messages of who has come and gone.
func (d *Deps) presenceInterval() time.Duration {
	if every := d.settings().PresenceInterval; every > 0 {
		return every
	}
	return defaultPresenceInterval
}
