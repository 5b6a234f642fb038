package conferences

import (
	"strconv"

	"strowger/system/fusionpbx/conference"
	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// topics are those of the events that pages are told of.
func topics() map[string]bool {
	return map[string]bool{
		conference.Create: true, conference.Destroy: true, conference.Add: true, conference.Delete: true,
		conference.Lock: true, conference.Unlock: true, conference.Mute: true, conference.Unmute: true,
		conference.Deaf: true, conference.Undeaf: true, conference.StartTalking: true, conference.StopTalking: true,
		conference.FloorChange: true, "kick_member": true, "play_file": true, "play_file_done": true,
		"play_file_member_done": true, "gain_level": true, "volume_level": true, "energy_level": true, "execute_app": true,
	}
}

// deliver handles what comes of the switch.
func (l *life) deliver(c service.Context, d eventsocket.Delivery) {
	switch d.Kind {
	case eventsocket.KindDown:
		l.watch.down, l.watch.current = true, false
		l.lost()
		return
	case eventsocket.KindGap:
		if d.Lost > 0 {
			c.Log().Warn("events of the switch were lost", "events", d.Lost)
		}
		l.lost()
		l.gap()
		return
	}
	p := l.keys.Payload(d.Event)
	topic := conference.Topic(&p)
	if p.Name() != conference.Maintenance || !l.topics[topic] {
		return
	}
	l.before(topic)
	l.forward(topic, p)
	l.after(topic)
}

// forward tells pages of an event, in its turn.
func (l *life) forward(topic string, p event.Payload) {
	at := &push{topic: topic, payload: p}
	full := conference.Of(&p)
	at.name, _ = conference.Parse(full)
	switch topic {
	case conference.Create:
		l.wantName(at)
	case conference.Add:
		l.came(full, p.Get("unique_id"))
		l.wantList(at)
		l.wantName(at)
	case conference.Delete:
		l.left(full, p.Get("unique_id"))
		if size, ok := sizeOf(&p); ok {
			at.count = size
		} else {
			l.wantList(at)
		}
		l.wantName(at)
	case conference.Destroy:
		l.left(full, "")
	}
	if full != "" && topicHasName(topic) {
		at.payload.Set("conference_name", full)
	}
	l.enqueue(at)
}

// topicHasName reports whether the original adds the name of the conference to events that lack it.
func topicHasName(topic string) bool {
	return topic == conference.Create || topic == conference.Add || topic == conference.Delete
}

// sizeOf returns the number of members that the event tells.
func sizeOf(p *event.Payload) (int, bool) {
	size, err := strconv.Atoi(p.Get("conference_size"))
	return size, err == nil
}

// complete adds to a push what pages need besides the event.
func (at *push) complete() {
	p := &at.payload
	switch at.topic {
	case conference.Create:
		p.Set("conference_display_name", at.display)
		p.SetJSON("member_count", []byte("0"))
		p.Set("domain_name", at.name.Domain)
	case conference.Add:
		at.addMember()
		p.Set("conference_display_name", at.display)
	case conference.Delete:
		count := at.count
		if at.list != nil {
			count = at.list.MemberCount
		}
		p.SetJSON("member_count", strconv.AppendInt(nil, int64(count), 10))
		p.Set("conference_display_name", at.display)
	}
}

// addMember adds the member as the switch's list has it, or else as the event has it.
func (at *push) addMember() {
	p := &at.payload
	if at.list != nil {
		p.SetJSON("member_count", strconv.AppendInt(nil, int64(at.list.MemberCount), 10))
		if m, ok := at.list.Member(p.Get("member_id")); ok {
			p.SetJSON("member", m.JSON)
			return
		}
	} else if size, ok := sizeOf(p); ok && !at.missing {
		p.SetJSON("member_count", strconv.AppendInt(nil, int64(size), 10))
	}
	p.SetJSON("member", conference.MemberOf(p))
}

// say tells pages of a push whose turn it is. It is remembered last: if the service fails before, the comparison after
// the restart finds what is missing.
func (l *life) say(at *push) {
	at.complete()
	l.Node.Mark(&at.payload)
	if at.change == nil && l.known.Repeats(at.topic, &at.payload) {
		return
	}
	l.bequeath(at)
	l.ctx.Broadcast(at.topic, at.payload.JSON())
	l.said(at.topic)
	defer l.release(at)
	if at.change != nil {
		l.known.Settle(at.change, &at.payload, true)
		return
	}
	if l.known.Doubts(at.topic, &at.payload) {
		l.doubt()
	}
	l.known.Remember(at.topic, &at.payload)
}
