// Package panel is the service active.operator.panel: the calls, conferences, queues and extensions of each domain for
// FusionPBX's operator panel, and what its operators do with them.
//
// The service forwards the switch's events as they happen, and answers with snapshots. What many operators ask for
// again and again, the switch and the database are asked once. An operator sees and changes what is of the domain
// in the own token; what a request says of domains counts for nothing.
package panel

import (
	"context"
	"sync"
	"time"

	"strowger/config/policy"
	"strowger/system/fusionpbx/channels"
	"strowger/system/fusionpbx/conference"
	"strowger/system/fusionpbx/database"
	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/timing"
	"strowger/system/service"
)

// Name is what clients call the service.
const Name = policy.OperatorPanel

// Database is what the panel needs of FusionPBX's database. A *database.DB is one, also without a database.
type Database interface {
	Extensions(ctx context.Context, domain string) ([]database.Extension, error)
	UserContext(ctx context.Context, extension, domain string) (string, error)
	Queues(ctx context.Context, domain string) ([]database.Queue, error)
	Agents(ctx context.Context, domain string) ([]database.Agent, error)
	Conference(ctx context.Context, key, domain string) (database.Conference, error)
	CachedConference(key, domain string) (database.Conference, bool)
	SetUserStatus(ctx context.Context, by database.Asker, user, status string) error
	SetAgentStatus(ctx context.Context, by database.Asker, agent, status string) error
}

// Options say how the service reaches the switch and the database. Events, Commands and Database are needed.
type Options struct {
	// Events has the connection that events come over.
	Events *eventsocket.Client
	// Commands has the connection for commands. The switch delays the events of a connection while it runs a command
	// of it, so this should be another one.
	Commands *eventsocket.Client
	Database Database
	// AgentStats is the time between two pushes of the statistics of agents. 0 means 10 s, less than 0 never.
	AgentStats time.Duration
	// Interval is the time between two comparisons with the switch's lists. 0 means one minute.
	Interval time.Duration
	// Timeout is how long one command may take. 0 means 10 s.
	Timeout time.Duration

	// Node is the name of this node of a cluster; empty if there is none.
	Node event.Node
	// CallsPerMinute is how many calls one operator may begin within a minute. 0 means 30.
	CallsPerMinute int
	// RecordingQuestions is how many calls the switch is asked about at once, whether they are recorded. 0 means 256.
	RecordingQuestions int
	// Counts, unless nil, count what was refused.
	Counts *Counts

	// before and after, unless nil, are called with the name of each event before and after it is handled, for tests.
	before, after func(name string)
}

// New returns the service.
func New(o Options) *service.Service {
	if o.AgentStats == 0 {
		o.AgentStats = 10 * time.Second
	}
	if o.Interval == 0 {
		o.Interval = time.Minute
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.CallsPerMinute == 0 {
		o.CallsPerMinute = 30
	}
	if o.RecordingQuestions == 0 {
		o.RecordingQuestions = 256
	}
	if o.Counts == nil {
		o.Counts = new(Counts)
	}
	if o.before == nil {
		o.before = func(string) {}
	}
	if o.after == nil {
		o.after = func(string) {}
	}
	told := &memory{phones: newPhones(), watched: map[string]time.Time{}, allowance: newAllowance(o.CallsPerMinute)}
	return &service.Service{Name: Name, Everywhere: true, Setup: func(s service.Setup) error { return o.setup(s, told) }}
}

// memory is what pages were told. It goes from one life of the service to the next.
type memory struct {
	calls  channels.Memory
	rooms  conference.Memory
	phones *phones

	allowance *allowance // It goes on through a crash, or operators would get more by one.

	mu      sync.Mutex           // Protects following: a life that hangs may still use them.
	watched map[string]time.Time // domains whose agents are watched, and when somebody last asked for anything
}

// life is the service from one start to the next.
// On restart: it takes over what pages were told, and compares that with the switch.
type life struct {
	Options
	ctx         service.Context
	told        *memory
	calls       *channels.Watch
	rooms       *roomWatch
	callKeys    *event.Keys
	memberKeys  *event.Keys
	out         outbox
	actions     map[string]action
	stats       stats
	registered  *shared[registrationList]
	registering retry // compares the registrations again
	conferences *shared[[]conference.Conference]
	members     *shared[[]conference.Conference]
	names       *shared[string]
	agents      *shared[[]agent]
	parked      *shared[[]parked]
	recordings  recordings
	ended       channels.Late
	listed      listed
	line        *timing.Queue // what is to be done later, and may be much
}

// pollAge is how old the answer to a question may be that pages ask every few seconds. An event that changes
// the answer ends its age at once.
const pollAge = time.Second

func (o Options) setup(s service.Setup, told *memory) error {
	l := &life{Options: o, ctx: s, told: told, callKeys: event.PanelCalls(), memberKeys: event.PanelConferences(), actions: actions()}
	l.out.say = s.BroadcastWith
	l.out.plain, l.out.here, l.out.after, l.out.now = s.Broadcast, s.BroadcastHere, s.After, s.Now
	watch := channels.Options{
		Commands: o.Commands, Interval: o.Interval, Timeout: o.Timeout, Whole: true,
		Ended:   func(ch *channels.Channel) { l.push(topicDestroy, ch.End("CHANNEL_DESTROY")) },
		Changed: l.changed,
		Differs: func(ch *channels.Channel, r *channels.Row) bool {
			return r.Answered() && (r.State == held) != (ch.Get("channel_call_state") == held)
		},
		Tenant: tenant,
	}
	if o.Node != "" {
		watch.Will = l.will
	}
	l.calls = channels.NewWatch(s, watch, &told.calls)
	l.line = timing.NewQueue(s)
	l.registering.ctx = s
	l.rooms = &roomWatch{l: l, retry: retry{ctx: s}, willed: map[string]bool{}}
	l.rooms.known, l.rooms.tell = told.rooms.Take()
	l.registered = newShared(l, pollAge, l.askRegistrations)
	l.conferences = newShared(l, 0, l.askConferences)
	l.members = newShared(l, 0, l.askMembers)
	l.names = newShared(l, 0, l.askName)
	l.agents = newShared(l, pollAge, l.askAgents)
	l.parked = newShared(l, pollAge, l.askParked)
	l.recordings.known = map[string]recording{}
	event.Listen(s, Name, o.Events, filters(), needs(l.callKeys, l.memberKeys), l.deliver)
	l.handle(s)
	s.OnJoin(func(service.Context) { l.tellAll() })
	s.Every(o.Interval, func(service.Context) {
		l.rooms.compare()
		if !l.registering.waits() {
			l.compareRegistrations()
		}
	})
	if o.AgentStats > 0 {
		s.Every(o.AgentStats, func(service.Context) { l.pushStats() })
	}
	return nil
}

// handle registers the requests.
func (l *life) handle(s service.Setup) {
	for topic, f := range map[string]func(service.Request) error{
		"extensions_active": l.extensionsActive, "calls_active": l.callsActive, "conferences_active": l.conferencesActive,
		"agents_active": l.agentsActive, "parked_active": l.parkedActive, "action": l.act,
		"ping": func(r service.Request) error {
			r.ReplyWith("pong", 200, map[string]int64{"pong": r.Now().Unix()})
			return nil
		},
		"*":  func(r service.Request) error { r.Reply(map[string]string{"subscribed": "*"}); return nil },
		Name: func(r service.Request) error { r.End(); return nil }, // pages subscribe so, and wait for no answer
	} {
		s.Handle(topic, func(r service.Request) error {
			l.seen(r)
			return f(r)
		})
	}
}

// needs returns which headers of events the service reads.
func needs(keys ...*event.Keys) func(header string) bool {
	return event.Needs(keys, "Unique-ID", "Old-Unique-ID", "CC-Queue", "from-user", "to-user", "user", "username", "realm", "from-host", "to-host", "host")
}

func filters() []eventsocket.Filter {
	m := eventsocket.Match
	return []eventsocket.Filter{
		m("Event-Name", "CHANNEL_CREATE"), m("Event-Name", "CHANNEL_CALLSTATE"), m("Event-Name", "CALL_UPDATE"),
		m("Event-Name", "CHANNEL_DESTROY"), m("Event-Name", renamed), m("Event-Name", "CHANNEL_PARK"), m("Event-Name", "CHANNEL_UNPARK"),
		m("Event-Subclass", "valet_parking::info"), m("Event-Subclass", conference.Maintenance),
		// FusionPBX listens to callcenter::maintenance, which the switch does not have.
		m("Event-Subclass", "callcenter::info"),
		m("Event-Subclass", "sofia::register"), m("Event-Subclass", "sofia::unregister"), m("Event-Subclass", "sofia::expire"),
	}
}
