package calls

import (
	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// callState is the event that pages add, change and remove calls by.
const callState = "CHANNEL_CALLSTATE"

// renamed is the event of a channel that gets another UUID, which a call begun with origination_uuid may. Pages know no such
// event.
const renamed = "CHANNEL_UUID"

// heartbeat is the one event that pages are told of and that is about no channel.
const heartbeat = "HEARTBEAT"

// deliver handles what comes of the switch.
func (l *life) deliver(c service.Context, d eventsocket.Delivery) {
	switch d.Kind {
	case eventsocket.KindDown:
		l.calls.Down()
		return
	case eventsocket.KindGap:
		if d.Lost > 0 {
			c.Log().Warn("events of the switch were lost", "events", d.Lost)
		}
		l.calls.Gap()
		return
	}
	if d.Event.Name() == renamed {
		l.renamed(d.Event.Get("Old-Unique-ID"), d.Event.Get("Unique-ID"))
		return
	}
	p := l.keys.Payload(d.Event)
	if !l.names[p.Name()] {
		return
	}
	l.before(p.Name())
	l.tell(c, &p)
	l.after(p.Name())
}

// tell tells pages of an event. It is remembered last. Pages would show a call without a UUID for ever.
func (l *life) tell(c service.Context, p *event.Payload) {
	if p.Get("unique_id") == "" && p.Name() != heartbeat {
		l.calls.Odd()
		return
	}
	l.calls.Complete(p)
	if l.revives(p) {
		return
	}
	moved := l.calls.Moved(p)
	if moved != nil {
		c.Broadcast(callState, moved.End(callState))
	}
	l.calls.Announce(p)
	l.Node.Mark(p)
	c.Broadcast(p.Name(), p.JSON())
	l.calls.Remember(p)
	if moved == nil {
		return
	}
	if row, ok := l.calls.Arrived(p); ok {
		l.Node.Mark(&row)
		c.Broadcast(callState, row.JSON())
	}
}

// revives reports whether an event would bring a call back to pages that has ended: they would show it for ever. The switch
// sends the events of a call from several threads.
func (l *life) revives(p *event.Payload) bool {
	uuid, context, now := p.Get("unique_id"), p.Get("caller_context"), l.ctx.Now()
	switch name := p.Name(); {
	case uuid == "":
	case name == "CHANNEL_CREATE":
		l.late.Forget(uuid)
	case name == "CHANNEL_DESTROY", name == callState && p.Get("answer_state") == "hangup":
		l.late.Add(uuid, context, now)
	case name == callState:
		return l.late.Has(uuid, context, now)
	}
	return false
}

// renamed notes that a channel has another UUID now. Events that still come under the old one are like those that come after its
// end.
func (l *life) renamed(from, to string) {
	if from == "" || to == "" || from == to {
		return
	}
	l.late.Add(from, "", l.ctx.Now())
	l.late.Forget(to)
	l.calls.Renamed(from, to)
}
