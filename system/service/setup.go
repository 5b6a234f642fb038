package service

import (
	"context"
	"fmt"

	"strowger/transport/wire"
)

// Setup is where a service registers what it does; it is also a Context, so that timers may be set.
// It is good until the function it was given to returns.
type Setup struct {
	*Context
	sealed bool
}

// Handle registers f for the requests of one topic. Topics are compared byte by byte; there is no
// wildcard. A request of a topic without a handler is answered with 404; one that has no request id
// is dropped and counted instead, since its sender could not tell what the answer belongs to.
//
// An error that f returns ends the request as FailWith does. When f returns nil the request stays
// as f has left it: answered, or open to be answered later.
//
// Handle panics on an empty topic, on a topic that has a handler already and on service_state,
// which the home answers.
func (s *Setup) Handle(topic string, f func(r *Request) error) {
	s.check("Handle", f == nil)
	_, taken := s.life.handlers[topic]
	if taken || topic == "" || topic == StateTopic {
		panic(fmt.Sprintf("service: Handle: topic %q is empty, handled already or the home's", topic))
	}
	s.life.handlers[topic] = f
}

// Handle is Setup.Handle for requests whose payload is a T. A payload that does not fit into T is
// answered with 400 and a reason that names the place; keys that T does not have are ignored. An
// absent payload, null and [], which is how PHP writes {}, leave in as its zero value.
func Handle[T any](s *Setup, topic string, f func(r *Request, in T) error) {
	s.check("Handle", f == nil)
	s.Handle(topic, func(r *Request) error {
		var in T
		if err := r.Decode(&in); err != nil {
			return err
		}
		return f(r, in)
	})
}

// Source has run feed events into the service from a goroutine of its own, beginning when Setup has
// returned; each is handled by handle in the service's goroutine, in order. emit blocks while the
// service or what it says lags behind, and returns an error once ctx has ended, which happens when
// this life of the service does; run should return then.
//
// When run returns an error it is called again after a pause that grows like that of Supervision,
// and the service stays up, since what is outside may be down for long. When it returns nil it
// has finished. When it panics the service has crashed.
func (s *Setup) Source(name string, run func(ctx context.Context, emit Emit) error, handle func(c *Context, event any)) {
	s.check("Source", run == nil || handle == nil)
	s.life.sources = append(s.life.sources, newSource(s.life, name, run, handle))
}

// Emit hands one event to the service, which owns it from then on. The error says that the
// source's context has ended.
type Emit func(event any) error

// OnReload has f called when the home reloads its settings.
func (s *Setup) OnReload(f func(c *Context)) {
	s.check("OnReload", f == nil)
	s.life.reloads = append(s.life.reloads, f)
}

// OnStop has f called when this life of the service ends, by an order to stop or by a crash. Like
// deferred calls the last one registered runs first, each one whatever the others did. For a
// service that hangs it runs when, and if, that returns.
func (s *Setup) OnStop(f func(c *Context)) {
	s.check("OnStop", f == nil)
	s.life.stops = append(s.life.stops, f)
}

func (s *Setup) check(method string, missing bool) {
	switch {
	case s.sealed:
		panic("service: " + method + ": Setup has returned")
	case missing:
		panic("service: " + method + ": function is nil")
	}
}

// unknown answers a request of a topic that nobody handles.
func (h *host) unknown(r *Request) {
	h.instance.counters.NotFound.Add(1)
	r.finish(answered, r.own(wire.NotFound, nil))
}
