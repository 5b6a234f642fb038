package calls

import (
	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// The keys of payloads that the service itself reads.
const (
	keyUUID     = "unique_id"
	keyContext  = "caller_context"
	keyPresence = "channel_presence_id"
	keyAnswer   = "answer_state"
	keyState    = "channel_call_state"
	keyOther    = "other_leg_unique_id"
)

// The values of answer_state.
const (
	ringing  = "ringing"
	answered = "answered"
	hungUp   = "hangup"
)

// callState is the event that pages add, change and remove calls by.
const callState = "CHANNEL_CALLSTATE"

// deliver handles what comes of the switch.
func (l *life) deliver(c service.Context, d eventsocket.Delivery) {
	switch d.Kind {
	case eventsocket.KindDown:
		l.watch.down, l.watch.current = true, false
		return
	case eventsocket.KindGap:
		l.watch.down, l.watch.current = false, false
		if d.Lost > 0 {
			c.Log().Warn("events of the switch were lost", "events", d.Lost)
		}
		l.compare(true)
		return
	}
	p := l.keys.Payload(d.Event)
	if !l.names[p.Name()] {
		return
	}
	l.before(p.Name())
	uuid := p.Get(keyUUID)
	l.calls.complete(uuid, &p)
	c.Broadcast(p.Name(), p.JSON())
	// It is remembered last: whatever fails before is then found to be missing by the comparison after the restart.
	l.calls.remember(uuid, &p)
	l.after(p.Name())
}

// complete adds whose channel it is where the event does not say so, because the policy goes by it.
func (m *model) complete(uuid string, p *event.Payload) {
	if uuid == "" {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	ch := m.channels[uuid]
	if ch == nil {
		return
	}
	for _, key := range []string{keyContext, keyPresence} {
		if known := ch.get(key); known != "" && p.Get(key) == "" {
			p.Set(key, known)
		}
	}
}
