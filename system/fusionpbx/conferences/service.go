// Package conferences is the service active.conferences: the switch's conferences and their members, as they come and
// go, for FusionPBX's pages of all conferences and of one room.
//
// The service forwards the switch's events in order, with what the switch's list and the database add to some of them.
// It remembers what it has told, and compares that with the switch's list after each gap in the events and every minute,
// so that no page shows a conference or a member that has gone. Everybody sees and changes the conferences of the domain
// in their own token; what a request says of domains counts for nothing.
package conferences

import (
	"cmp"
	"context"
	"sync/atomic"
	"time"

	"strowger/config/policy"
	"strowger/system/fusionpbx/conference"
	"strowger/system/fusionpbx/database"
	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/timing"
	"strowger/system/service"
)

// Name is what clients call the service.
const Name = policy.ActiveConferences

// Database has the names of conferences. A *database.DB is one.
type Database interface {
	Conference(ctx context.Context, key, domain string) (database.Conference, error)
	CachedConference(key, domain string) (database.Conference, bool)
}

// Options say how the service reaches the switch and the database. Events and Commands are needed.
type Options struct {
	// Events has the connection that events come over.
	Events *eventsocket.Client
	// Commands has the connection for commands. The switch delays the events of a connection while it runs a command
	// of it, so this should be another one.
	Commands *eventsocket.Client
	// Database has the names of conferences. Nil means that a conference is shown by its extension or UUID.
	Database Database
	// Interval is the time between two comparisons with the switch's list of conferences. 0 means one minute.
	Interval time.Duration
	// Timeout is how long one command may take. 0 means 10 s.
	Timeout time.Duration
	// Node is the name of this node of a cluster; empty if there is none.
	Node event.Node
	// PushWait is how long a push waits for what the switch or the database has to add to it, and holds up those after
	// it. 0 means 2 s.
	PushWait time.Duration
	// PushQueue is how many pushes may wait. If there are more, the oldest does not wait any longer. 0 means 10,000.
	PushQueue int
	// Hurried counts the pushes that did not wait to the end, unless it is nil.
	Hurried *atomic.Int64

	// before and after, unless nil, are called with the topic of each event before and after it is handled, and said
	// after it was told, for tests.
	before, after, said func(topic string)
}

// New returns the service.
func New(o Options) *service.Service {
	o.Interval = cmp.Or(o.Interval, time.Minute)
	o.Timeout = cmp.Or(o.Timeout, 10*time.Second)
	o.PushWait = cmp.Or(o.PushWait, 2*time.Second)
	o.PushQueue = cmp.Or(o.PushQueue, 10_000)
	o.Hurried = cmp.Or(o.Hurried, new(atomic.Int64))
	for _, f := range []*func(string){&o.before, &o.after, &o.said} {
		if *f == nil {
			*f = func(string) {}
		}
	}
	told := new(conference.Memory)
	return &service.Service{Name: Name, Everywhere: true, Setup: func(s service.Setup) error { return o.setup(s, told) }}
}

// life is the service from one start to the next.
// On restart: it takes over what pages were told, and compares that with the switch.
type life struct {
	Options
	ctx     service.Context
	keys    *event.Keys
	topics  map[string]bool // of the events that are forwarded
	actions map[string]action
	known   *conference.Known
	watch   watch
	out     outbox
	later   *timing.Queue // what is to be done later, and may be much
	lists   map[string]*question
	willed  map[string]bool                    // conferences that other nodes take from their pages when they lose this one
	kicking map[string]*kicking                // by the name of the conference
	names   map[conference.Name][]func(string) // who waits for a name from the database
}

func (o Options) setup(s service.Setup, told *conference.Memory) error {
	l := &life{Options: o, ctx: s, keys: event.Conferences(), topics: topics(), actions: actions(),
		lists: map[string]*question{}, willed: map[string]bool{}, kicking: map[string]*kicking{}, names: map[conference.Name][]func(string){}}
	l.later = timing.NewQueue(s)
	l.watch.down = true // until the first gap says that events come
	var crashed bool
	l.known, crashed = told.Take()
	l.watch.tell, l.watch.all = crashed, crashed
	l.watch.refused.Tell = l.tellAll
	event.Listen(s, Name, o.Events, []eventsocket.Filter{eventsocket.Match("Event-Subclass", conference.Maintenance)}, event.Needs([]*event.Keys{l.keys}), l.deliver)
	s.Every(o.Interval, func(service.Context) {
		l.report()
		l.watch.refused.Rest()
		l.compare(false)
	})
	s.OnJoin(func(service.Context) {
		clear(l.willed)
		l.tellAll()
	})
	s.Handle("in_progress", l.progress)
	s.Handle("action", l.act)
	s.Handle("ping", func(r service.Request) error {
		r.ReplyWith("pong", 200, map[string]int64{"pong": r.Now().Unix()})
		return nil
	})
	for _, topic := range []string{"room", "*"} {
		s.Handle(topic, func(r service.Request) error { r.Reply(map[string]string{"subscribed": topic}); return nil })
	}
	s.Handle(Name, func(r service.Request) error { r.End(); return nil }) // pages subscribe so, and wait for no answer
	return nil
}
