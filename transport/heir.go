package transport

import "strowger/actors"

// A socket can have an heir, another outlet that gets what is sent to it. The socket stays the address that
// groups, requests and the identity of its peer know, and its shard passes on what comes for it. So the change is
// one message in the shard's mailbox: what was posted before it is written by the socket, what was posted after
// it goes to the heir, each message once and in order, without a lock.

// Replace implements actors.Replacer.
func (s *socket) Replace(with actors.Outlet) {
	s.replaced.Store(&with)
	s.shard.post(&replace{s, with})
}

// replace gives s an heir and ends s itself, or the heir that it had.
func (sh *shard) replace(s *socket, with actors.Outlet) {
	if before := s.heir; before != nil {
		s.heir = with
		before.Close(actors.Moved)
		return
	}
	s.heir = with
	held := s.held
	s.held, s.heldBytes = nil, 0
	sh.close(s, s.codeOf(actors.Moved))
	// The way of a broadcast then looks for an heir only where it would hold the message back.
	s.admitted = false
	for _, frame := range held {
		with.Send(actors.Message{Form: frame, Begin: headerLen(frame)})
	}
	// A socket that closed before has left its groups.
	left := s.left
	s.left = nil
	for _, g := range left {
		sh.enter(g, s)
	}
}
