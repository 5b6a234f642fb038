package service

import "context"

// Setup is where a service registers what it does; it is also a Context, so that timers may be set.
// Nothing can be registered once the function that Setup was given to has returned.
//
// A call that makes no sense is a mistake and has no effect: one without a function, one that comes too
// late, and those that the methods name. If the service's Setup function makes mistakes, its start fails
// with an error that names all of them. Later ones are logged at level Error and counted.
type Setup interface {
	Context
	// Handle registers f for the requests of one topic. Topics are compared byte by byte; there is no
	// wildcard. A request of a topic without a handler is answered with 404; one that has no request id
	// is dropped and counted instead, since its sender could not tell what the answer belongs to.
	//
	// An error that f returns ends the request as Request.FailWith does. When f returns nil the request
	// stays as f has left it: answered, or open to be answered later.
	//
	// An empty topic, a topic that has a handler already and service_state, which the home answers, are
	// mistakes.
	Handle(topic string, f func(r Request) error)
	// Source calls run in a goroutine of its own, beginning when the service's Setup function has
	// returned, to feed events into the service; handle takes each of them in the service's goroutine,
	// in order. Emit blocks while the service or what it says lags behind, and returns an error once
	// ctx has ended, which happens when this life of the service does; run should return then.
	//
	// When run returns an error it is called again after a pause that grows like that of Supervision,
	// and the service stays up, since what is outside may be down for long. When run returns nil it has
	// finished. When it panics the service has crashed. An empty name is a mistake.
	Source(name string, run func(ctx context.Context, emit Emit) error, handle func(c Context, event any))
	// OnReload registers f for when the home reloads its settings.
	OnReload(f func(c Context))
	// OnJoin registers f for when another node of a cluster begins to pass on what the service says. Its subscribers may
	// know anything until f has told them all that is so, and set all wills anew. While the service is down f waits for
	// the next start.
	OnJoin(f func(c Context))
	// OnStop registers f for the end of this life of the service, by an order to stop or by a crash.
	// Like deferred calls the function registered last runs first, each one whatever the others did. For
	// a service that hangs they run when, and if, the call that hangs returns.
	OnStop(f func(c Context))
}

// Emit hands one event to the service, which owns it from then on. The error says that the source's
// context has ended.
type Emit func(event any) error

// Handle is Setup.Handle for requests whose payload is a T. A payload that does not fit into T is
// answered with 400 and a reason that names the place; keys that T does not have are ignored. An
// absent payload, null and [], which is how PHP writes {}, leave in as its zero value. Handle does
// nothing when s is nil, since nobody could be told.
func Handle[T any](s Setup, topic string, f func(r Request, in T) error) {
	if s == nil {
		return
	}
	if f == nil {
		s.Handle(topic, nil)
		return
	}
	s.Handle(topic, func(r Request) error {
		var in T
		if err := r.Decode(&in); err != nil {
			return err
		}
		return f(r, in)
	})
}
