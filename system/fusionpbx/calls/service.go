// Package calls is the service active.calls: what the switch does with calls, as it happens, for FusionPBX's page
// of active calls and for its dashboard.
//
// The service forwards the switch's events and remembers each channel that it has told of. It compares that with
// the switch's own list of channels after each gap in the events and every minute, and says what pages have missed, so
// that no page shows a call that has ended.
package calls

import (
	"cmp"
	"time"

	"strowger/config/policy"
	"strowger/system/fusionpbx/channels"
	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/service"
)

// Name is what clients call the service.
const Name = policy.ActiveCalls

// Options say how the service reaches the switch. Events and Commands are needed.
type Options struct {
	// Events has the connection that events come over.
	Events *eventsocket.Client
	// Commands has the connection for commands. The switch delays the events of a connection while it runs a command
	// of it, so this should be another one.
	Commands *eventsocket.Client
	// Interval is the time between two comparisons with the switch's list of channels. 0 means one minute.
	Interval time.Duration
	// Timeout is how long one command may take. 0 means 10 s.
	Timeout time.Duration
	// Node is the name of this node of a cluster; empty if there is none.
	Node event.Node

	// before and after, unless nil, are called with the name of each event before and after it is told, for tests.
	before, after func(name string)
}

// New returns the service.
func New(o Options) *service.Service {
	o.Interval = cmp.Or(o.Interval, time.Minute)
	o.Timeout = cmp.Or(o.Timeout, 10*time.Second)
	if o.before == nil {
		o.before = func(string) {}
	}
	if o.after == nil {
		o.after = func(string) {}
	}
	told := new(channels.Memory)
	return &service.Service{Name: Name, Everywhere: true, Setup: func(s service.Setup) error { return o.setup(s, told) }}
}

// life is the service from one start to the next.
// On restart: it takes over what pages were told, and compares that with the switch.
type life struct {
	Options
	ctx   service.Context
	keys  *event.Keys
	names map[string]bool // of the events that are forwarded
	calls *channels.Watch
	late  channels.Late
}

func (o Options) setup(s service.Setup, told *channels.Memory) error {
	l := &life{Options: o, ctx: s, keys: event.Calls(), names: map[string]bool{}}
	watch := channels.Options{
		Commands: o.Commands, Interval: o.Interval, Timeout: o.Timeout,
		Ended:   func(ch *channels.Channel) { s.Broadcast(callState, ch.End(callState)) },
		Changed: func(r *channels.Row) { s.Broadcast(callState, rowPayload(r, o.Node)) },
		Tenant:  tenant,
	}
	if o.Node != "" {
		watch.Will = l.will
	}
	l.calls = channels.NewWatch(s, watch, told)
	s.OnJoin(func(service.Context) { l.calls.TellAll() })
	for _, name := range events() {
		l.names[name] = true
	}
	event.Listen(s, Name, o.Events, filters(), event.Needs([]*event.Keys{l.keys}, "Unique-ID", "Old-Unique-ID"), l.deliver)
	s.Handle("in.progress", l.progress)
	service.Handle(s, "hangup", l.hangup)
	service.Handle(s, "eavesdrop", l.eavesdrop)
	return nil
}

// events are the names of the events that pages are told of.
func events() []string {
	return []string{"CHANNEL_CREATE", "CHANNEL_CALLSTATE", "CALL_UPDATE", "PLAYBACK_START", "PLAYBACK_STOP", "CHANNEL_DESTROY",
		"CHANNEL_PARK", "CHANNEL_UNPARK", "CHANNEL_EXECUTE", "HEARTBEAT", "valet_parking::info"}
}

func filters() []eventsocket.Filter {
	m := eventsocket.Match
	return []eventsocket.Filter{
		m("Event-Name", "CHANNEL_CREATE"), m("Event-Name", "CHANNEL_CALLSTATE"), m("Event-Name", "CALL_UPDATE"),
		m("Event-Name", "PLAYBACK_START"), m("Event-Name", "PLAYBACK_STOP"), m("Event-Name", "CHANNEL_DESTROY"),
		m("Event-Name", "CHANNEL_PARK"), m("Event-Name", "CHANNEL_UNPARK"), m("Event-Name", "CHANNEL_EXECUTE"),
		m("Event-Name", heartbeat), m("Event-Name", renamed), m("Event-Subclass", "valet_parking::info"),
	}
}

// will has other nodes say that a call has ended when they lose this one.
func (l *life) will(uuid string, ch *channels.Channel) {
	if ch == nil {
		l.ctx.Will(uuid, callState, nil)
		return
	}
	l.ctx.Will(uuid, callState, ch.End(callState))
}
