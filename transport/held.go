package transport

import "strowger/actors"

// hold keeps what others send until the peer has its 200; the bound is that of a slow reader. What a history replays
// has bounds of its own.
func (sh *shard) hold(s *socket, frame []byte, recorded *actors.Recorded) {
	if s.closing {
		return
	}
	if recorded != nil && recorded.Replayed {
		s.held = append(s.held, frame)
		s.replayed++
		return
	}
	l := sh.limits.Load()
	if len(s.held)-int(s.replayed) >= l.OutboundMessages || len(s.held) > 0 && s.heldBytes+int64(len(frame)) > l.OutboundBytes {
		sh.overflow(s)
		return
	}
	s.held = append(s.held, frame)
	s.heldBytes += int64(len(frame))
}

func (sh *shard) admit(m *admit) {
	s := m.s
	owed := sh.takeFor(s, m.m)
	if s.closing {
		return
	}
	s.client = sh.egress.door.admit(s.place)
	s.place = nil
	s.allow(m.role, sh.limits.Load())
	s.admitted = true
	sh.put(s, m.m.Form, reserve, owed)
	held := s.held
	s.held, s.heldBytes, s.replayed = nil, 0, 0
	for _, frame := range held {
		sh.put(s, frame, 0, 0)
	}
}
