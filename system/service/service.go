package service

import (
	"time"

	"strowger/config/policy"
)

// Service is what an author declares. Name and Setup are needed; the zero value of all else serves.
// It is not changed by running, so one value may run in several homes at once as long as Setup
// keeps its state to itself.
type Service struct {
	// Name is what clients write as service_name, or service, of a request. It is UTF-8 of at most 128 bytes
	// without a slash. The names authentication and INVALID are the router's own.
	Name string
	// Setup registers what the service does. It runs at every start, so what it makes is fresh after
	// a crash. An error or a panic is a failed start and counts as a crash. It must not block: the
	// place for a connection that may hang is a Source.
	Setup func(s Setup) error
	// Policy says who sees what of a service in the router, unless the router's settings have a policy for the
	// service. If both lack one, nobody sees anything. Package remote does not use Policy, and logs a warning if it is
	// set: a remote service has the policy of the router's settings.
	Policy *policy.Policy
	// Everywhere says that the service runs on each node of a cluster, and that each node knows only its own part of what
	// clients ask for. A request goes to the instance on the subscriber's node, or to one of the others if that node has
	// none, and that instance says whether the others are asked too: see Request.Pass, Request.Share and
	// Request.Gather. Without Everywhere a request goes to one instance, and those three do nothing. With one node there
	// is no difference.
	Everywhere bool
	// Singleton says that one node of a cluster runs the service at a time, of those that have it. Another one starts it
	// anew when that node is gone. Nodes that do not reach each other each run it. The setting cluster.singletons does the
	// same. It excludes Everywhere. With one node there is no difference. docs/cluster.md has what is promised. Package
	// remote does not use it.
	Singleton bool
	// GatherTimeout is how long Request.Gather waits for the other nodes. 0 means 2 s.
	GatherTimeout time.Duration
	// After has the names of services in the same router on which this one depends. They start before it and stop after
	// it. While one of them is not up, this one gets no requests: the router answers them with 503. Its Setup does not
	// wait for theirs. Only services in the router go by it.
	After []string
	// Required says that the router is not ready while the service is down.
	Required bool
	// RequestTimeout is how long a request may go without an answer before it gets 504. 0 means the
	// home's. Where both are set the earlier one counts.
	RequestTimeout time.Duration
	Supervision    Supervision
	Limits         Limits
}

// Supervision says what follows a crash: a restart in place if it is the first one for a Period,
// with pauses otherwise, and after more than Intensity of them the breaker opens, so that one
// broken service never takes others down. docs/supervision.md has the whole table.
type Supervision struct {
	// Restart says after which ends the service starts again. The zero value is Permanent.
	Restart Restart
	// Intensity is how many crashes within Period are followed by a restart. 0 means 5, negative none.
	Intensity int
	// Period is the window of Intensity. 0 means 10 s.
	Period time.Duration
	// Backoff is the longest pause before the second restart in a row; it doubles up to BackoffCap.
	// 0 means 100 ms and 30 s.
	Backoff    time.Duration
	BackoffCap time.Duration
	// CoolDown is how long an open breaker keeps the service down before a probe, Quiet how long the
	// probe must run for the breaker to close. 0 means 30 s each.
	CoolDown time.Duration
	Quiet    time.Duration
	// PingEvery is how often the home looks whether the service hangs, PingTimeout how long one call
	// of a function of the service may take before the service is abandoned and replaced. A hang is
	// noticed PingEvery and PingTimeout after it began, or PingTimeout later if much waited for the
	// service. How much waits does not matter. 0 means 5 s and 10 s; a negative PingEvery means never.
	PingEvery   time.Duration
	PingTimeout time.Duration
	// WorkTimeout is how long a function given to Go may run. After that it counts as a crash of the service, because most
	// likely the function never returns. Work that goes on for ever is a Source. 0 means 5 min, negative without end.
	WorkTimeout time.Duration
	// HangPeriod is the window in which a hang counts among the crashes, because it is noticed later than a crash. 0 means
	// 10 min, or longer if Intensity hangs take longer to be noticed.
	HangPeriod time.Duration
	// StopTimeout is how long it may take to handle what it holds and stop. 0 means 5 s.
	StopTimeout time.Duration
}

// Limits bounds what one instance holds.
type Limits struct {
	// Open is how many requests may be without an answer; a further one gets 503. 0 means 16384.
	Open int
	// Mailbox is how many requests may wait for the service to look at them. Beyond it the newest one gets 503 of the
	// asker of whom most wait. 0 means 4096.
	Mailbox int
	// Work is how many calls to Go may wait for a free place in the pool, and how many of their results may wait for the
	// service. 0 means 1024.
	Work int
	// Pool is how many functions given to Go run at once. 0 means the home's: services.pool in the router, and 8
	// elsewhere.
	Pool int
	// Events is how many events of one source may wait for the service. 0 means 64.
	Events int
	// Timers is how many timers may be set at once; one more panics, as it is a leak. 0 means 4096.
	Timers int
	// Abandoned is how many lives of the service that were given up, or have ended, may still have something that runs,
	// such as a handler that never returns. With as many the service stays down until one of them ends, so that
	// they do not take the processors and the memory of all others. An operator may start it nevertheless. 0 means 3.
	Abandoned int
}
