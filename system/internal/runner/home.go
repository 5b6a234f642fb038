package runner

import (
	"context"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/clock"
	"strowger/actors/envelope"
	"strowger/system/service"
)

// Home is where a service runs: what it says goes there. The methods may be called from any
// goroutine and must not call the Instance back.
type Home interface {
	// Say takes a reply, which has a ResourceID, or a broadcast, which has not. It never blocks and
	// keeps the order of calls. The envelope is the home's to keep and nobody's to change.
	Say(e *envelope.Envelope)
	// Room blocks, for sources only, while too much of what was said is still under way. The error
	// is ctx's.
	Room(ctx context.Context) error
}

// Paced is a Home that has room for a bounded part of what a service says.
type Paced interface {
	// Pace waits a little while too much of what was said is under way. It returns false if there is still no room, and then
	// the message is not said. It is called before each broadcast and each streamed answer, from any goroutine and without
	// a lock.
	Pace() bool
}

// Clustered is a Home in a cluster of nodes. Its methods are like Say.
type Clustered interface {
	// SayHere takes a broadcast for subscribers of this node.
	SayHere(e *envelope.Envelope)
	// Will takes what other nodes broadcast when they lose this one; nil takes it back.
	Will(key string, e *envelope.Envelope)
}

// Options is what a home gives an Instance. The zero value serves.
type Options struct {
	// Slept returns how long the process did not run in total, as when it was stopped. Requests get that
	// time again. Nil: it runs always.
	Slept func() time.Duration
	// Clock is the machine's if nil.
	Clock clock.Clock
	// Random returns a number in [0, 1); nil means math/rand/v2.
	Random func() float64
	// Log gets life cycle at Info, crashes with their stack at Error, never a payload. Nil means no log.
	Log *slog.Logger
	// Pool is how many calls to Go may run at once if the service does not say. 0 means 8.
	Pool int
	// RequestTimeout is for requests that have none of their own and no deadline. 0 means 30 s.
	RequestTimeout time.Duration
	// Actor is how the service's actor is spawned beside the defaults, such as with a mailbox.
	Actor []actor.PropsOption
	// Ready, unless nil, reports whether the service may get requests. Until then they are refused with 503.
	Ready func() bool
	// Standby, unless nil, reports whether the service stays down because another node has it. It is called with a lock held.
	Standby func() bool
	// OnState, unless nil, is called when the condition of the service has changed. It must not block or call the Instance.
	OnState func()
	// Inner says that an outer instance in another process says how the service is, so this one does not.
	Inner bool
	// OnDead is told of what a crash has lost. It must not block. Nil means nobody is.
	OnDead func(d *service.DeadLetter)
}

// Ask is a request as the home hands it over.
type Ask struct {
	// Envelope is as stamped by the router: ResourceID, Permissions and both domain fields are set.
	// It is not changed, and what it points to must not be either.
	Envelope *envelope.Envelope
	// User is who asks, inside the router.
	User service.User
	// Deadline is when the home stops waiting; zero leaves it to the service.
	Deadline time.Time
	// Within, unless nil, has the values of the request's context, such as its trace. It does not end the context.
	Within context.Context
	// Part says that another instance has asked, in the name of the asker.
	Part Part
	// Elsewhere is the way to the instances of the service on other nodes. Nil: there is none.
	Elsewhere Elsewhere
	// Asker, unless nil, takes the answers in place of the home.
	Asker Asker
	// Held, unless nil, is released once when the service does not hold up who asked any more: its
	// handler has returned, or the request was refused or lost.
	Held Releaser
}

// Releaser is what a request holds of who asked.
type Releaser interface{ Release() }
