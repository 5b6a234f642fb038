package actors

import (
	"time"

	"strowger/actors/meter"
)

// timedOut notes that a request is over. One that has replies and is not measured had only such as were dropped.
func (s *service) timedOut(r *request) {
	o := meter.Timeout
	if r.answered() {
		o = meter.Filtered
	}
	s.measure(r, o, r.deadline)
}

// sweepLater sets the one timer that clears the table; it runs only while there are requests.
func (s *service) sweepLater(timeout time.Duration) { s.sweepAfter(2 * timeout) }

func (s *service) sweepAfter(d time.Duration) {
	if s.sweeping == nil {
		s.sweeping = s.self.After(s.deps.Clock, d, &sweep{})
	}
}

func (s *service) sweep() {
	s.sweeping = nil
	timeout, now := s.deps.settings().RequestTimeout, s.deps.Awake()
	s.pending.expire(now, timeout, s.timedOut)
	if oldest := s.pending.ages.first; oldest != nil {
		s.sweepAfter(max(oldest.deadline.Add(timeout).Sub(now), 0) + timeout/4)
	}
}
