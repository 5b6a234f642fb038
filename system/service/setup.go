package service

import "context"

// Setup is where a service registers what it does; it is also a Context, so that timers may be set.
// It is good until the function it was given to returns.
type Setup struct {
	*Context
}

// Handle has f called with every request of that topic, to the letter. There is no wildcard: a
// request of any other topic is answered with 404, unless it carries no request id, and then it is
// dropped and counted, as nobody could tell what the answer belongs to. It panics on an empty topic,
// on one that is handled already and on service_state, which the home answers.
func (s *Setup) Handle(topic string, f func(r *Request)) { panic("not implemented") }

// Handle is Setup.Handle for requests whose payload is a T. What does not fit into T is answered
// with 400 and says where it does not; keys that T does not know are ignored. An absent payload,
// null and [], which is how PHP spells {}, leave in as its zero value.
func Handle[T any](s *Setup, topic string, f func(r *Request, in T)) { panic("not implemented") }

// Source has run feed events into the service from a goroutine of its own, beginning when Setup has
// returned; each is handled by handle in the service's goroutine, in order. emit blocks while the
// service or what it says lags behind, and returns an error once ctx has ended, which happens when
// this life of the service does; run should return then.
//
// When run returns an error it is called again after a pause that grows like that of Supervision,
// and the service stays up, since what is outside may be down for long. When it returns nil it
// has finished. When it panics the service has crashed.
func (s *Setup) Source(name string, run func(ctx context.Context, emit Emit) error, handle func(c *Context, event any)) {
	panic("not implemented")
}

// Emit hands one event to the service, which owns it from then on. The error says that the
// source's context has ended.
type Emit func(event any) error

// OnReload has f called when the home reloads its settings.
func (s *Setup) OnReload(f func(c *Context)) { panic("not implemented") }

// OnStop has f called when this life of the service ends, by an order to stop or by a crash. Like
// deferred calls the last one registered runs first, each one whatever the others did. It does not
// run for a service that hangs.
func (s *Setup) OnStop(f func(c *Context)) { panic("not implemented") }
