package conference

import (
	"maps"
	"strings"
	"sync"

	"strowger/system/fusionpbx/event"
)

// Maintenance is the name of the events about conferences.
const Maintenance = "conference::maintenance"

// The topics of what pages are told of conferences, as far as Known reads and makes them.
const (
	Create       = "conference_create"
	Destroy      = "conference_destroy"
	Add          = "add_member"
	Delete       = "del_member"
	Lock         = "lock"
	Unlock       = "unlock"
	Mute         = "mute_member"
	Unmute       = "unmute_member"
	Deaf         = "deaf_member"
	Undeaf       = "undeaf_member"
	StartTalking = "start_talking"
	StopTalking  = "stop_talking"
	FloorChange  = "floor_change"
)

// Known is what pages were told of conferences. Events keep it, and Differences finds what pages have missed.
//
// A life of a service that hangs may still use it when the next one copies it, so it has a lock.
type Known struct {
	mu     sync.Mutex // Protects following.
	rooms  map[string]*room
	gone   map[member]bool // what has ended since Begin; nil before Begin and after Differences
	events uint64          // number of the last event
}

// room is a conference as pages know it.
type room struct {
	created bool // pages were told of it, not only of its members
	locked  bool
	floor   string // id of the member who has it
	members map[string]*known
	event   uint64 // number of the last event about the conference itself
	made    bool   // pages know it from a comparison; the event may come yet
}

// known is a member as pages know it.
type known struct {
	uuid  string
	flags Flags // without the floor
	event uint64
	made  bool
}

// member names a member of a conference, or a conference if there is no id.
type member struct{ conference, id string }

// NewKnown returns a Known for pages that were told nothing.
func NewKnown() *Known { return &Known{rooms: map[string]*room{}} }

// Clone returns a copy for the next life of a service.
func (k *Known) Clone() *Known {
	k.mu.Lock()
	defer k.mu.Unlock()
	twin := NewKnown()
	twin.events = k.events
	for name, r := range k.rooms {
		copied := *r
		copied.members = maps.Clone(r.members)
		for id, m := range r.members {
			member := *m
			copied.members[id] = &member
		}
		twin.rooms[name] = &copied
	}
	return twin
}

// Has reports whether the conference has a member whose channel has the UUID.
func (k *Known) Has(name Name, uuid string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	r := k.rooms[name.String()]
	if r == nil {
		return false
	}
	for _, m := range r.members {
		if strings.EqualFold(m.uuid, uuid) {
			return true
		}
	}
	return false
}

// HasRoom reports whether pages were told of the conference.
func (k *Known) HasRoom(name Name) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.rooms[name.String()] != nil
}

// Doubts reports whether an event says something of a conference or a member that pages do not know, or does not say of which. It
// is called before Remember. The switch's list then tells what is right: events may have been lost, or come in another order.
func (k *Known) Doubts(topic string, p *event.Payload) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	name, id := p.Get("conference_name"), p.Get("member_id")
	r := k.rooms[name]
	switch topic {
	case Create, Destroy:
		return name == ""
	case Lock, Unlock, FloorChange:
		return r == nil
	case Add, Delete:
		return r == nil || id == ""
	case Mute, Unmute, Deaf, Undeaf, StartTalking, StopTalking:
		return r == nil || r.members[id] == nil
	}
	return false
}

// Repeats reports whether pages know already, from a comparison, what an event says. It is true once for each such
// event: the switch's list may be ahead of its events.
func (k *Known) Repeats(topic string, p *event.Payload) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	r := k.rooms[p.Get("conference_name")]
	if r == nil {
		return false
	}
	made := &r.made
	switch topic {
	case Create:
	case Add:
		m := r.members[p.Get("member_id")]
		if m == nil {
			return false
		}
		made = &m.made
	default:
		return false
	}
	was := *made
	*made = false
	return was
}

// Remember notes what pages were told. The payload of Add has the member.
func (k *Known) Remember(topic string, p *event.Payload) { k.remember(topic, p, false) }

func (k *Known) remember(topic string, p *event.Payload, made bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	name, id := strings.Clone(p.Get("conference_name")), strings.Clone(p.Get("member_id"))
	if name == "" {
		return
	}
	k.events++
	r := k.rooms[name]
	switch topic {
	case Destroy:
		k.end(member{conference: name})
		delete(k.rooms, name)
		return
	case Create, Add:
		if r == nil {
			r = &room{members: map[string]*known{}, made: made}
			k.rooms[name] = r
		}
	}
	if r == nil {
		return
	}
	switch topic {
	case Create:
		r.created, r.event = true, k.events
	case Add:
		k.add(r, id, p, made)
	case Delete:
		k.end(member{name, id})
		delete(r.members, id)
	case Lock, Unlock:
		r.locked, r.event = topic == Lock, k.events
	case FloorChange:
		r.floor, r.event = strings.Clone(p.Get("new_id")), k.events
	default:
		r.members[id].change(topic, k.events)
	}
}

func (k *Known) add(r *room, id string, p *event.Payload, made bool) {
	told, _ := ReadMember([]byte(p.Get("member")))
	r.members[id] = &known{strings.Clone(told.UUID), told.Flags, k.events, made}
	if told.Flags.Floor {
		r.floor, r.event = id, k.events
	}
}

func (m *known) change(topic string, event uint64) {
	if m == nil {
		return
	}
	switch topic {
	case Mute, Unmute:
		m.flags.Speak = topic == Unmute
	case Deaf, Undeaf:
		m.flags.Hear = topic == Undeaf
	case StartTalking, StopTalking:
		m.flags.Talking = topic == StartTalking
	default:
		return
	}
	m.event = event
}

func (k *Known) end(m member) {
	if k.gone != nil {
		k.gone[m] = true
	}
}
