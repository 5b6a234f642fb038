package conference

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"strowger/system/fusionpbx/event"
)

// Change is something that pages have missed.
type Change struct {
	Topic string
	Name  string // of the conference

	of    *Conference // in the switch's list; nil: it has ended
	id    string      // of the member
	uuid  string
	floor string // id of the member who has it now
}

// Arrivals returns a change for each member of a conference in the switch's list, for pages that know neither it nor
// them.
func (c *Conference) Arrivals() []Change {
	var found []Change
	for _, m := range slices.Backward(c.Members) { // the switch has the latest first
		found = append(found, Change{Topic: Add, Name: c.Name, of: c, id: m.ID, uuid: m.UUID})
	}
	return found
}

// End returns the payload of the event that a conference has ended.
func End(name string) event.Payload {
	c := Change{Topic: Destroy, Name: name}
	return c.Payload()
}

// Payload returns what pages are told of the change, like an event. Add lacks what the switch's list has; see Member.
func (c *Change) Payload() event.Payload {
	size := 0
	if c.of != nil {
		size = c.of.MemberCount
	}
	var p event.Payload
	p.Set("event_name", Maintenance)
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

// Member returns the member that the change is about, as the switch's list has it. It is false for one who is not in the
// list.
func (c *Change) Member() (Member, bool) {
	if c.of == nil {
		return Member{}, false
	}
	return c.of.Member(c.id)
}

// Same reports whether the other is about the same.
func (c *Change) Same(other Change) bool {
	return c.Topic == other.Topic && c.Name == other.Name && c.id == other.id
}

// Begin begins a comparison. It returns the number of the last event, and is called before the switch is asked. What ends
// from now on is noted until Differences is called.
func (k *Known) Begin() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.gone = map[member]bool{}
	return k.events
}

// Differences compares what pages know with the switch's list of all conferences, which was asked for after Begin
// returned since. What events have said meanwhile of a conference or a member is newer than what the list has of it:
// where the two differ, certain is false, and a later list will tell. With all, pages may know anything, so that they are
// told of each conference and member in the list, and then of what events have said meanwhile. What Known has stays as it
// is until Settle. It is called once after each Begin whose list has come.
func (k *Known) Differences(list []Conference, since uint64, all bool) (found []Change, certain bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	defer func() { k.gone = nil }() // there is no list under way any more, so nothing needs to be noted
	d := differences{known: k, since: since, all: all, certain: true}
	listed := map[string]bool{}
	for i := range list {
		listed[list[i].Name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(k.rooms)) {
		if !listed[name] {
			d.add(k.rooms[name].last(), Change{Topic: Destroy, Name: name})
		}
	}
	for i := range list {
		if !k.gone[member{conference: list[i].Name}] {
			d.compare(&list[i])
		}
	}
	return d.found, d.certain
}

// differences are what a comparison has found until now.
type differences struct {
	known   *Known
	since   uint64
	all     bool
	found   []Change
	certain bool
}

// add notes a difference, unless the event with the number, the last one about it, is newer than the list.
func (d *differences) add(event uint64, c Change) {
	if event > d.since {
		d.certain = false
		return
	}
	d.found = append(d.found, c)
}

// last returns the number of the last event about the conference or a member.
func (r *room) last() uint64 {
	last := r.event
	for _, m := range r.members {
		last = max(last, m.event)
	}
	return last
}

// compare compares one conference.
func (d *differences) compare(c *Conference) {
	r := d.known.rooms[c.Name]
	if r == nil {
		r = &room{}
	}
	all := d.all || !r.created
	if all {
		d.add(0, Change{Topic: Create, Name: c.Name, of: c}) // pages show no members of a new conference, so they are told of all
	}
	if locked := newest(d, r.event, r.locked, c.Locked); locked != r.locked || all && locked {
		d.found = append(d.found, Change{Topic: topicOf(locked, Lock, Unlock), Name: c.Name, of: c})
	}
	for _, id := range slices.Sorted(maps.Keys(r.members)) {
		if _, ok := c.Member(id); !ok {
			d.add(r.members[id].event, Change{Topic: Delete, Name: c.Name, of: c, id: id, uuid: r.members[id].uuid})
		}
	}
	floor := ""
	for _, m := range slices.Backward(c.Members) { // the switch has the latest first
		told := r.members[m.ID]
		switch {
		case d.known.gone[member{c.Name, m.ID}]:
			continue
		case told == nil || all:
			d.add(0, Change{Topic: Add, Name: c.Name, of: c, id: m.ID, uuid: m.UUID})
			d.catchUp(c, told, &m)
		default:
			d.compareMember(c, told, &m)
		}
		if m.Flags.Floor {
			floor = m.ID
		}
	}
	if d.known.rooms[c.Name] == nil {
		return // who has the floor is in the members
	}
	if has := newest(d, r.event, floorOf(r.floor), floor); has != floorOf(r.floor) || all && has != floor {
		d.found = append(d.found, Change{Topic: FloorChange, Name: c.Name, of: c, floor: has})
	}
}

// newest returns what the list has, unless the event with the number is newer: then it returns what was told. If the two
// differ, the event may be older than the list all the same, so a later list will tell.
func newest[T comparable](d *differences, event uint64, told, listed T) T {
	if told == listed || event <= d.since {
		return listed
	}
	d.certain = false
	return told
}

// catchUp adds what events have said of a member whom pages are told of anew, if they have said it since the list was asked
// for. told is nil if pages do not know the member.
func (d *differences) catchUp(c *Conference, told *known, now *Member) {
	if told == nil || told.event <= d.since {
		return
	}
	d.certain = false
	if told.uuid != now.UUID {
		return // the list has another member under this id
	}
	for _, flag := range flagsOf(told, now) {
		if flag.told != flag.now {
			d.found = append(d.found, Change{Topic: topicOf(flag.told, flag.yes, flag.no), Name: c.Name, of: c, id: now.ID, uuid: now.UUID})
		}
	}
}

// flag is one of a member's flags, as pages were told and as the list has it. The list does not say each flag.
type flag struct {
	said, told, now bool
	yes, no         string // the topics that set and clear it
}

func flagsOf(told *known, now *Member) [3]flag {
	return [...]flag{
		{now.says.hear, told.flags.Hear, now.Flags.Hear, Undeaf, Deaf},
		{now.says.speak, told.flags.Speak, now.Flags.Speak, Unmute, Mute},
		{now.says.talking, told.flags.Talking, now.Flags.Talking, StartTalking, StopTalking},
	}
}

// compareMember compares one member whom pages know. What the list does not say is no difference.
func (d *differences) compareMember(c *Conference, told *known, now *Member) {
	if told.uuid != now.UUID { // the id is that of somebody else now
		d.add(told.event, Change{Topic: Delete, Name: c.Name, of: c, id: now.ID, uuid: told.uuid})
		d.add(told.event, Change{Topic: Add, Name: c.Name, of: c, id: now.ID, uuid: now.UUID})
		return
	}
	for _, flag := range flagsOf(told, now) {
		if flag.said && flag.told != flag.now {
			d.add(told.event, Change{Topic: topicOf(flag.now, flag.yes, flag.no), Name: c.Name, of: c, id: now.ID, uuid: now.UUID})
		}
	}
}

// floorOf returns the id of who has the floor; the switch writes "none" for nobody.
func floorOf(id string) string {
	if id == "none" {
		return ""
	}
	return id
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
