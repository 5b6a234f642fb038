package panel

import (
	"encoding/json"
	"slices"
	"strconv"
	"sync"
	"time"

	"strowger/system/fusionpbx/conference"
	"strowger/system/fusionpbx/event"
	"strowger/system/service"
)

// rooms are the conferences that pages were told of.
type rooms struct {
	mu       sync.Mutex // Protects following: a life that hangs may still use them.
	compared bool       // they have been compared with the switch
	known    map[string]*room
	events   uint64 // number of the last event
}

// room is a conference as pages know it.
type room struct {
	locked  bool
	members map[string]member
	event   uint64 // number of the last event
}

// member is a member as pages know it.
type member struct {
	uuid          string
	speaks, hears bool
}

// note notes what an event has told pages.
func (s *rooms) note(e *memberEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events++
	name := e.name.String()
	if e.topic == topicEnd {
		delete(s.known, name)
		return
	}
	if s.known == nil {
		s.known = map[string]*room{}
	}
	r := s.known[name]
	if r == nil {
		r = &room{members: map[string]member{}}
		s.known[name] = r
	}
	r.event = s.events
	id := e.p.Get(keyMember)
	m, ok := r.members[id]
	switch e.topic {
	case topicLock, topicUnlock:
		r.locked = e.topic == topicLock
	case topicAdd:
		m = member{uuid: e.p.Get("unique_id"), speaks: e.p.Get("speak") != "false", hears: e.p.Get("hear") != "false"}
		ok = id != ""
	case topicMute, topicUnmute:
		m.speaks = e.topic == topicUnmute
	case topicDeaf, topicUndeaf:
		m.hears = e.topic == topicUndeaf
	case topicDelete:
		delete(r.members, id)
		return
	}
	if ok {
		r.members[id] = m
	}
}

// state is a conference in the switch's list.
type state struct {
	name    conference.Name
	room    room
	members []conference.Member
	list    []conference.Conference
}

func newState(c conference.Conference) state {
	s := state{name: parseName(c.Name), room: room{members: map[string]member{}}, members: c.Members, list: []conference.Conference{c}}
	var flags struct {
		Locked bool `json:"locked"`
	}
	_ = json.Unmarshal(c.JSON(""), &flags) // the list was JSON
	s.room.locked = flags.Locked
	for _, m := range c.Members {
		var about struct {
			Flags struct {
				Hears  bool `json:"can_hear"`
				Speaks bool `json:"can_speak"`
			} `json:"flags"`
		}
		_ = json.Unmarshal(m.JSON, &about)
		s.room.members[m.ID] = member{uuid: m.UUID, speaks: about.Flags.Speaks, hears: about.Flags.Hears}
	}
	return s
}

// roomWatch compares what pages know of conferences with the switch.
type roomWatch struct {
	*rooms
	l       *life
	running bool
	due     bool
}

// again is how long after a failure, or after an event that came during a comparison, the switch is asked again.
const again = 500 * time.Millisecond

// compare pushes what pages have missed.
func (w *roomWatch) compare() {
	if w.running {
		w.due = true
		return
	}
	w.running, w.due = true, false
	since := w.begin()
	w.l.conferences.get("", func(list []conference.Conference, err error) {
		w.running = false
		done := err == nil
		if err == nil {
			done = w.settle(list, since)
		}
		if w.due {
			w.compare()
			return
		}
		if !done {
			w.l.ctx.After(again, func(service.Context) { w.compare() })
		}
	})
}

func (w *roomWatch) begin() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.events
}

// settle pushes the differences. It returns false if events that came during the comparison leave some uncertain.
func (w *roomWatch) settle(list []conference.Conference, since uint64) bool {
	events, certain := w.differences(list, since)
	for _, e := range events {
		w.l.pushMember(e)
	}
	return certain
}

func (w *roomWatch) differences(list []conference.Conference, since uint64) (events []*memberEvent, certain bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	certain = true
	listed := map[string]state{}
	var names []string
	for _, c := range list {
		listed[c.Name] = newState(c)
		names = append(names, c.Name)
	}
	for name := range w.known {
		if _, ok := listed[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if !w.compared {
		w.learn(listed)
		return nil, true
	}
	for _, name := range names {
		known, now := w.known[name], listed[name]
		if known != nil && known.event > since || known == nil && w.events > since {
			certain = false
			continue
		}
		events = append(events, changes(name, known, now)...)
	}
	return events, certain
}

// learn takes the switch's list for what pages know: they have asked for it, or will.
func (w *roomWatch) learn(listed map[string]state) {
	w.compared = true
	if w.known == nil {
		w.known = map[string]*room{}
	}
	for name, now := range listed {
		if w.known[name] == nil {
			w.known[name] = &now.room
		}
	}
}

// changes returns the events that make of what pages know what the switch says. known may be nil, and now empty.
func changes(name string, known *room, now state) []*memberEvent {
	if now.list == nil {
		return []*memberEvent{made(parseName(name), topicEnd, "conference-destroy", 0, "", member{})}
	}
	var events []*memberEvent
	size := now.list[0].MemberCount
	add := func(topic, action, id string, m member) {
		events = append(events, made(now.name, topic, action, size, id, m))
	}
	if known == nil {
		known = &room{}
		add(topicCreate, "conference-create", "", member{})
	}
	for _, id := range slices.Sorted(keys(known.members)) {
		if m, ok := now.room.members[id]; !ok || m.uuid != known.members[id].uuid {
			add(topicDelete, "del-member", id, known.members[id])
		}
	}
	for _, listed := range now.members {
		m := now.room.members[listed.ID]
		old, ok := known.members[listed.ID]
		if !ok || old.uuid != m.uuid {
			add(topicAdd, "add-member", listed.ID, m)
			events[len(events)-1].list = now.list
			continue
		}
		if old.speaks != m.speaks {
			topic, action := either(m.speaks, topicUnmute, topicMute), either(m.speaks, "unmute-member", "mute-member")
			add(topic, action, listed.ID, m)
		}
		if old.hears != m.hears {
			topic, action := either(m.hears, topicUndeaf, topicDeaf), either(m.hears, "undeaf-member", "deaf-member")
			add(topic, action, listed.ID, m)
		}
	}
	if known.locked != now.room.locked {
		action := either(now.room.locked, topicLock, topicUnlock)
		add(action, action, "", member{})
	}
	return events
}

func either(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

func keys(members map[string]member) func(func(string) bool) {
	return func(yield func(string) bool) {
		for id := range members {
			if !yield(id) {
				return
			}
		}
	}
}

// made returns an event as the switch would have sent it.
func made(name conference.Name, topic, action string, size int, id string, m member) *memberEvent {
	var p event.Payload
	p.Set("event_name", maintenance)
	p.Set(keyName, name.String())
	p.Set("conference_size", strconv.Itoa(size))
	p.Set("action", action)
	if id != "" {
		p.Set("unique_id", m.uuid)
		p.Set("hear", strconv.FormatBool(m.hears))
		p.Set("speak", strconv.FormatBool(m.speaks))
		p.Set(keyMember, id)
	}
	return &memberEvent{p: p, topic: topic, name: name}
}
