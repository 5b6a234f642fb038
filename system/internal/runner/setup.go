package runner

import (
	"context"
	"fmt"

	"strowger/system/service"
	"strowger/transport/wire"
)

// Setup implements service.Setup.
type Setup struct {
	*Context
	sealed bool
}

var _ service.Setup = (*Setup)(nil)

// Handle is for service.Setup.
func (s *Setup) Handle(topic string, f func(r service.Request) error) {
	s.check("Handle", f == nil)
	_, taken := s.life.handlers[topic]
	if taken || topic == "" || topic == service.StateTopic {
		panic(fmt.Sprintf("service: Handle: topic %q is empty, handled already or the home's", topic))
	}
	s.life.handlers[topic] = f
}

// Source is for service.Setup.
func (s *Setup) Source(name string, run func(ctx context.Context, emit service.Emit) error, handle func(c service.Context, event any)) {
	s.check("Source", run == nil || handle == nil)
	s.life.sources = append(s.life.sources, newSource(s.life, name, run, handle))
}

// OnReload is for service.Setup.
func (s *Setup) OnReload(f func(c service.Context)) {
	s.check("OnReload", f == nil)
	s.life.reloads = append(s.life.reloads, f)
}

// OnStop is for service.Setup.
func (s *Setup) OnStop(f func(c service.Context)) {
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
