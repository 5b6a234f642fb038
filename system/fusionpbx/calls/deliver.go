package calls

import (
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// callState is the event that pages add, change and remove calls by.
const callState = "CHANNEL_CALLSTATE"

// renamed is the event of a channel that gets another UUID, which a call begun with origination_uuid may. Pages know no such
// event.
const renamed = "CHANNEL_UUID"

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
		l.calls.Renamed(d.Event.Get("Old-Unique-ID"), d.Event.Get("Unique-ID"))
		return
	}
	p := l.keys.Payload(d.Event)
	if !l.names[p.Name()] {
		return
	}
	l.before(p.Name())
	l.calls.Complete(&p)
	l.calls.Announce(&p)
	l.Node.Mark(&p)
	c.Broadcast(p.Name(), p.JSON())
	l.calls.Remember(&p)
	l.after(p.Name())
}
