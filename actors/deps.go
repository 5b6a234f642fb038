package actors

import (
	"sync/atomic"
	"time"

	"strowger/actors/envelope"
	"strowger/actors/meter"
	"strowger/actors/refusals"
	"strowger/actors/runtime"
)

// Deps is what every actor of one system shares. Fields are needed unless their comment says otherwise.
type Deps struct {
	*runtime.Runtime
	Egress   Egress
	Tokens   Tokens
	Pool     Pool
	Counters *Counters
	Settings *atomic.Pointer[Settings]
	Registry *Registry
	// ServiceMeters is how many services are measured apart. 0 means 100.
	ServiceMeters int
	// OnCrash is told of every message at which an actor panicked. It must not block or panic. Nil:
	// nobody is.
	OnCrash func(c *runtime.Crash)
	// OnDead is told of every dead letter but those at which an actor panicked. It must not block or panic. Nil:
	// nobody is.
	OnDead func(l *DeadLetter)
	// Cluster is the way to the other nodes. Nil: there are none.
	Cluster Cluster
	// Tracer is told of requests. Nil: nobody is.
	Tracer Tracer

	holders     runtime.Ref[toHolders]  // zero: nobody comes back
	sessions    runtime.Ref[toSessions] // zero: nobody gets a ticket
	refusals    *refusals.Log
	connections *runtime.Spawner[toConnection]
	subscribers *runtime.Spawner[toSubscriber]
	greeting    *envelope.Envelope // asks for a token; nobody changes it

	unruled refusals.Seen[unruled]
	askers  askers
	keeps   atomic.Bool // some topic has had a history
	owed    owed

	grants  runtime.Shared[grants]
	tenants runtime.Shared[tenant]
}

// Supervise readies what actors report to when they panic or lose messages. It comes before the first actor.
// Stop undoes it.
func (d *Deps) Supervise() {
	d.refusals = refusals.New(d.Log, d.Clock, d.refusalBounds)
	d.connections = runtime.NewSpawner[toConnection](d.Runtime, "connection")
	d.subscribers = runtime.NewSpawner[toSubscriber](d.Runtime, "subscriber")
	d.Counters.Delivery = meter.NewSampler(d.Awake)
	d.greeting = envelope.AuthenticationRequired.Answer(nil)
	d.Report(d.crashed, d.lost)
}

func (d *Deps) crashed(c *runtime.Crash) {
	d.Counters.Panics.Add(1)
	if d.OnCrash != nil {
		d.OnCrash(c)
	}
}

// Refusals returns where refused and cut off peers are named. It is there after Supervise.
func (d *Deps) Refusals() *refusals.Log { return d.refusals }

// Stop ends the goroutines that wait for something to do. The caller calls it after the last actor has
// ended.
func (d *Deps) Stop() {
	d.Runtime.Stop()
	d.refusals.Close()
}

// Settings are the limits and choices that a reload may change; a new value replaces the old one
// as a whole.
type Settings struct {
	Depth                  int               // levels of JSON nesting accepted
	Keys                   int               // keys of an envelope; 0: any number
	AuthenticationTimeout  time.Duration     // from the greeting to a valid token
	AuthenticationAttempts int               // refused tokens before the connection is closed
	RequestTimeout         time.Duration     // how long a request waits for its reply
	HistoryBytes           int64             // that all kept broadcasts may take; 0: the default
	FilterValues           int               // topics and values that the filters of one client may name; 0: the default
	PresencePeople         int               // people on one node that are told of for each service; 0: the default
	PresenceInterval       time.Duration     // between two messages of who has come and gone; 0: the default
	PendingRequests        int               // unanswered requests of one subscriber to one service
	ServiceRequests        int               // those of all subscribers; 0: any number
	PendingBytes           int64             // of messages that the requests of one subscriber to one service keep; 0: any number
	PendingTotal           int64             // bytes that all requests may take; 0: any number
	UnknownService         int               // status code answered for a service nobody offers; 0: silence
	UnsolicitedReplies     bool              // a service may write to whoever asked it anything before
	RepliesWithoutResource bool              // a reply without resource_id goes to the only one it can be for
	Instances              Instances         // which of several remote instances get a request
	Reclaim                time.Duration     // how long a holder may come back with a token that is used up; 0: not
	ReclaimCount           int               // how many such tokens are kept
	ResumeWait             time.Duration     // for which requests of a client with a ticket are kept when its connection is lost; 0: they are not
	ResumeCount            int               // clients whose requests are kept so at the same time; 0: any number
	ResumeMessages         int               // replies that are kept for one of them; 0: any number
	ResumeBytes            int64             // their bytes; 0: any number
	RefusalKinds           int               // refusals of one cause that the log tells apart; 0: the default
	RefusalLines           int               // the same of all causes together
	Policies               *Policies         // who sees what; nil: nobody sees anything
	AnswerUnanswered       bool              // answer a request that has no reply at its deadline with 504
	EjectAfter             int               // requests in a row that an instance leaves unanswered until it is ejected; 0: any number
	EjectSilence           time.Duration     // how long an instance may have requests and answer none until it is ejected; 0: for ever
	EjectPause             time.Duration     // until an ejected instance gets a request to try it
	Health                 map[string]string // the topic of the health requests to a service, by name; nil: nobody gets one
	HealthInterval         time.Duration     // between two of them
	NodeVisitors           int               // clients of another node that services of this one may know; 0: the default
	NodeWills              int               // that an instance of another node may have; 0: the default
	NodeBytes              int               // of what another node says that may be under way here; 0: the default
}

// refusalBounds returns the bounds of the settings, and the zero Bounds where there are no settings.
func (d *Deps) refusalBounds() refusals.Bounds {
	if d.Settings == nil {
		return refusals.Bounds{}
	}
	if s := d.settings(); s != nil {
		return refusals.Bounds{Kinds: s.RefusalKinds, Lines: s.RefusalLines}
	}
	return refusals.Bounds{}
}

func (d *Deps) settings() *Settings { return d.Settings.Load() }

// meter returns where the requests for a name are measured.
func (d *Deps) meter(name string) *meter.Service {
	limit := d.ServiceMeters
	if limit == 0 {
		limit = 100
	}
	return d.Counters.Services.Of(name, limit)
}
