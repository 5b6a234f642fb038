package conference

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"strowger/system/fusionpbx/event"
)

// maintenance is the name of the events about conferences.
const maintenance = "conference::maintenance"

// Change is something that pages have missed.
type Change struct {
	Topic string
	Name  string // of the conference

	of    *Conference // in the switch's list; nil: it has ended
	id    string      // of the member
	uuid  string
	floor string // id of the member who has it now
}

// Payload returns what pages are told of the change, like an event. Add lacks what the switch's list has; see Member.
func (c *Change) Payload() event.Payload {
	size := 0
	if c.of != nil {
		size = c.of.MemberCount
	}
	var p event.Payload
	p.Set("event_name", maintenance)
	p.Set("conference_name", c.Name)
	p.Set("conference_size", strconv.Itoa(size))
	if c.uuid != "" {
		p.Set("unique_id", c.uuid)
	}
	if c.id != "" {
		p.Set("member_id", c.id)
	}
	p.Set("action", actionOf(c.Topic))
	if c.Topic == FloorChange {
		p.Set("new_id", cmp.Or(c.floor, "none"))
	}
	return p
}

// Conference returns the conference in the switch's list; nil if it has ended.
func (c *Change) Conference() *Conference { return c.of }

// Same reports whether the other is about the same.
func (c *Change) Same(other Change) bool {
	return c.Topic == other.Topic && c.Name == other.Name && c.id == other.id
}

// Begin begins a comparison. It returns the number of the last event, and is called before the switch is asked.
func (k *Known) Begin() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.gone = map[member]bool{}
	return k.events
}

// Differences compares what pages know with the switch's list of all conferences, which was asked for after Begin
// returned since. What events have said meanwhile is newer than the list. With all, pages may know nothing
// of what is in the list. It changes nothing.
func (k *Known) Differences(list []Conference, since uint64, all bool) []Change {
	k.mu.Lock()
	defer k.mu.Unlock()
	var found []Change
	listed := map[string]bool{}
	for i := range list {
		listed[list[i].Name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(k.rooms)) {
		if !listed[name] && k.rooms[name].last() <= since {
			found = append(found, Change{Topic: Destroy, Name: name})
		}
	}
	for i := range list {
		if !k.gone[member{conference: list[i].Name}] {
			found = append(found, k.compare(&list[i], since, all)...)
		}
	}
	return found
}

// last returns the number of the last event about the conference or a member.
func (r *room) last() uint64 {
	last := r.event
	for _, m := range r.members {
		last = max(last, m.event)
	}
	return last
}

func (k *Known) compare(c *Conference, since uint64, all bool) []Change {
	var found []Change
	change := func(topic, id, uuid string) {
		found = append(found, Change{Topic: topic, Name: c.Name, of: c, id: id, uuid: uuid})
	}
	r := k.rooms[c.Name]
	if r == nil {
		r = &room{}
	}
	if all = all || !r.created; all {
		change(Create, "", "") // pages show no members of a new conference, so they are told of all
	}
	if c.Locked != r.locked && r.event <= since {
		change(topicOf(c.Locked, Lock, Unlock), "", "")
	}
	for _, id := range slices.Sorted(maps.Keys(r.members)) {
		if _, ok := c.Member(id); !ok && r.members[id].event <= since {
			change(Delete, id, r.members[id].uuid)
		}
	}
	floor := ""
	for _, m := range slices.Backward(c.Members) { // the switch has the latest first
		told := r.members[m.ID]
		switch {
		case k.gone[member{c.Name, m.ID}]:
			continue
		case told == nil || all:
			change(Add, m.ID, m.UUID)
		case told.event <= since:
			found = append(found, told.differences(c, &m)...)
		}
		if m.Flags.Floor {
			floor = m.ID
		}
	}
	if told := floorOf(r.floor); floor != told && r.event <= since && k.rooms[c.Name] != nil {
		found = append(found, Change{Topic: FloorChange, Name: c.Name, of: c, floor: floor})
	}
	return found
}

// floorOf returns the id of who has the floor; the switch writes "none" for nobody.
func floorOf(id string) string {
	if id == "none" {
		return ""
	}
	return id
}

func (m *known) differences(c *Conference, now *Member) []Change {
	var found []Change
	change := func(topic string) {
		found = append(found, Change{Topic: topic, Name: c.Name, of: c, id: now.ID, uuid: now.UUID})
	}
	if m.flags.Speak != now.Flags.Speak {
		change(topicOf(now.Flags.Speak, Unmute, Mute))
	}
	if m.flags.Hear != now.Flags.Hear {
		change(topicOf(now.Flags.Hear, Undeaf, Deaf))
	}
	if m.flags.Talking != now.Flags.Talking {
		change(topicOf(now.Flags.Talking, StartTalking, StopTalking))
	}
	return found
}

func topicOf(value bool, yes, no string) string {
	if value {
		return yes
	}
	return no
}

// Settle notes that pages were told of a change, or need not be told. p is the payload of the change, for Add
// with the member.
func (k *Known) Settle(c *Change, p *event.Payload, told bool) { k.remember(c.Topic, p, told) }
