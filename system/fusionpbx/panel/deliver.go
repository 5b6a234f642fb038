package panel

import (
	"strings"

	"strowger/actors/envelope"
	"strowger/system/fusionpbx/channels"
	"strowger/system/fusionpbx/conference"
	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// The topics of pushes that the service makes up itself or looks at.
const (
	topicCreate       = "channel_create"
	topicState        = "channel_callstate"
	topicDestroy      = "channel_destroy"
	topicValet        = "valet_info"
	topicRegistration = "registration_change"
	topicStats        = "agent_stats"
)

// renamed is the event of a channel that gets another UUID. Pages know no such event.
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
		l.gap()
		return
	}
	name := nameOf(d.Event)
	l.before(name)
	l.event(name, d.Event)
	l.after(name)
}

// gap compares all that pages were told with the switch.
func (l *life) gap() {
	l.registered.forgetAll()
	l.agents.forgetAll()
	l.parked.forgetAll()
	l.recordings.forgetAll()
	l.listed.forget()
	l.calls.Gap()
	l.rooms.gap()
	l.registering.pause.Reset()
	l.compareRegistrations()
	l.pushStats()
}

// nameOf returns the event's subclass or, if it has none, its name.
func nameOf(e *eventsocket.Event) string {
	if subclass := e.Get("Event-Subclass"); subclass != "" {
		return subclass
	}
	return e.Name()
}

func (l *life) event(name string, e *eventsocket.Event) {
	switch name {
	case renamed:
		l.renamed(e.Get("Old-Unique-ID"), e.Get("Unique-ID"))
	case "CHANNEL_CREATE", "CHANNEL_CALLSTATE", "CALL_UPDATE", "CHANNEL_DESTROY", "CHANNEL_PARK", "CHANNEL_UNPARK":
		l.call(strings.ToLower(name), l.callKeys.Payload(e))
	case "valet_parking::info":
		l.parked.forgetAll()
		l.call(topicValet, l.callKeys.Payload(e))
	case conference.Maintenance:
		l.conference(l.memberKeys.Payload(e))
	case "callcenter::info":
		l.queueChanged(e)
	case "sofia::register", "sofia::unregister", "sofia::expire":
		l.registrationChanged(e, name == "sofia::register")
	}
}

// call pushes an event of a channel. It is remembered last: whatever fails before is then found to be missing by
// the comparison after the restart. What comes after the last event of a channel would bring it back to pages, which would
// show it for ever, so it is not pushed.
func (l *life) call(topic string, p event.Payload) {
	uuid, context := p.Get("unique_id"), p.Get("caller_context")
	switch topic {
	case topicDestroy:
		l.recordings.forget(uuid)
		l.ended.Add(uuid, context, l.ctx.Now())
	case topicCreate:
		l.ended.Forget(uuid)
	case topicValet: // which pages take for news of the parking lot
	default:
		if l.ended.Has(uuid, context, l.ctx.Now()) {
			return
		}
	}
	if uuid == "" {
		l.calls.Odd()
	}
	var moved *channels.Channel
	l.enqueue(&push{topic: topic, ready: true,
		make: func() envelope.Raw {
			l.calls.Complete(&p)
			if moved = l.calls.Moved(&p); moved != nil {
				l.out.plain(topicDestroy, moved.End("CHANNEL_DESTROY"))
			}
			l.calls.Announce(&p)
			l.Node.Mark(&p)
			return p.JSON()
		},
		said: func() {
			l.calls.Remember(&p)
			if moved == nil {
				return
			}
			if row, ok := l.calls.Arrived(&p); ok {
				l.Node.Mark(&row)
				l.out.plain(topicState, row.JSON())
			}
		},
	})
}

// tenant returns the domain whose pages show a channel, as the policy decides: that of its extension, or else the context.
func tenant(context, presence string) string {
	if _, domain, ok := strings.Cut(presence, "@"); ok {
		return domain
	}
	if context == "public" || context == "default" {
		return "" // calls of all tenants
	}
	return context
}

// renamed tells pages that a channel has ended under its old UUID, and makes sure that they are told of it under the new
// one. Events that still come under the old one are like those that come after the last event of a channel.
func (l *life) renamed(from, to string) {
	if from == "" || to == "" || from == to {
		return
	}
	l.recordings.forget(from)
	l.ended.Add(from, "", l.ctx.Now())
	l.ended.Forget(to)
	l.inTurn(func() { l.calls.Renamed(from, to) })
}
