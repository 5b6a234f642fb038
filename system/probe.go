package system

import "strowger/actors"

// Probe has done called once a message has passed the router's actor, the actor of each name and its topic, and
// the write side of the connections, behind all that waited for them. It is not called as long as one of them
// hangs, or if the system does not run. Done may be called on any goroutine, and must not block. A probe may be
// lost at a crash, so who watches a system sends one from time to time.
func (s *System) Probe(done func()) {
	if !s.made() || s.stage.Load() != started {
		return
	}
	core := s.core.Load()
	if core == nil {
		return // the tree is still being planted
	}
	core.Send(&actors.Fence{Done: func() { s.egress.Probe(done) }})
}
