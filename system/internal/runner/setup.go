package runner

import (
	"context"

	"strowger/actors/envelope"
	"strowger/system/service"
)

// Setup implements service.Setup.
type Setup struct {
	*Context
	sealed bool
}

var _ service.Setup = (*Setup)(nil)

// Handle is for service.Setup.
func (s *Setup) Handle(topic string, f func(r service.Request) error) {
	if !s.usable("Handle", f == nil) {
		return
	}
	_, taken := s.life.handlers[topic]
	if taken || topic == "" || topic == service.StateTopic {
		s.mistake("Handle: topic %q is empty, handled already or the home's", topic)
		return
	}
	s.life.handlers[topic] = f
}

// Source is for service.Setup.
func (s *Setup) Source(name string, run func(ctx context.Context, emit service.Emit) error, handle func(c service.Context, event any)) {
	if !s.usable("Source", run == nil || handle == nil) {
		return
	}
	if name == "" {
		s.mistake("Source: name is empty")
		return
	}
	s.life.sources = append(s.life.sources, newSource(s.life, name, run, handle))
}

// OnReload is for service.Setup.
func (s *Setup) OnReload(f func(c service.Context)) {
	if s.usable("OnReload", f == nil) {
		s.life.reloads = append(s.life.reloads, f)
	}
}

// OnJoin is for service.Setup.
func (s *Setup) OnJoin(f func(c service.Context)) {
	if s.usable("OnJoin", f == nil) {
		s.life.joins = append(s.life.joins, f)
	}
}

// OnStop is for service.Setup.
func (s *Setup) OnStop(f func(c service.Context)) {
	if s.usable("OnStop", f == nil) {
		s.life.stops = append(s.life.stops, f)
	}
}

// unknown answers a request of a topic that nobody handles.
func (h *host) unknown(r *Request) {
	h.instance.counters.NotFound.Add(1)
	r.finish(answered, r.own(envelope.NotFound, nil))
}
