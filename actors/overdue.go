package actors

import (
	"time"

	"strowger/actors/envelope"
	"strowger/actors/meter"
	"strowger/actors/refusals"
)

// overdue has a service look for requests and instances whose time is over.
type overdue struct{ unmissed }

func (*overdue) toService() {}

// watchful reports whether a service looks at requests when their time is over.
func (s *Settings) watchful() bool { return s.AnswerUnanswered || s.ejects() }

// expect has somebody look when the instances that were given a request should have answered it. It costs nothing while
// the settings ask for nothing of the kind.
func (s *service) expect(r *request, to []*instance) {
	set := s.deps.settings()
	if !set.watchful() {
		return
	}
	now := s.deps.Awake()
	s.lookBy(r.deadline, now)
	if !set.ejects() {
		return
	}
	for _, i := range to {
		if !i.judged() {
			continue
		}
		if i.ejected {
			i.next = now.Add(set.EjectPause)
		}
		if i.open == 1 || i.owes.IsZero() {
			i.owes = now
		}
		if set.EjectSilence > 0 {
			s.lookBy(i.owes.Add(set.EjectSilence), now)
		}
	}
}

// lookBy sets the timer of the next look, unless it is due by then anyway.
func (s *service) lookBy(at, now time.Time) {
	if s.looking != nil {
		if !at.Before(s.lookAt) {
			return
		}
		s.looking()
	}
	s.lookAt = at
	s.looking = s.self.After(s.deps.Clock, max(at.Sub(now), time.Millisecond), &overdue{})
}

// overdue looks after what should have been answered by now, and sets the timer for the rest.
func (s *service) overdue() {
	s.looking = nil
	set, now := s.deps.settings(), s.deps.Awake()
	for r := s.pending.overdue(now); r != nil; r = s.pending.overdue(now) {
		s.missed(r, set, now)
	}
	for _, i := range s.instances {
		if set.EjectSilence > 0 && i.owing() && now.Sub(i.owes) >= set.EjectSilence {
			s.eject(i, bySilence)
		}
	}
	s.lookAgain(set, now)
}

// lookAgain sets the timer for what is not answered yet.
func (s *service) lookAgain(set *Settings, now time.Time) {
	if !set.watchful() {
		return
	}
	if r := s.pending.unlooked(); r != nil {
		s.lookBy(r.deadline, now)
	}
	for _, i := range s.instances {
		if set.EjectSilence > 0 && i.owing() {
			s.lookBy(i.owes.Add(set.EjectSilence), now)
		}
	}
}

// owing reports whether an instance that may be ejected has requests without a reply.
func (i *instance) owing() bool { return i.judged() && i.open > 0 && !i.owes.IsZero() }

// missed notes that a request was not answered in time. It stays in the table for a while, so that a late reply is
// known as one.
func (s *service) missed(r *request, set *Settings, now time.Time) {
	inside, class := false, ""
	for _, i := range r.takers {
		inside, class = inside || i.peer.inside, i.peer.Class
		i.missed++
	}
	s.answerMissed(r, set, inside, class, now)
	for _, i := range s.instances {
		if i.judged() && i.missed > 0 && (i.ejected || set.EjectAfter > 0 && i.missed >= set.EjectAfter) {
			s.eject(i, byMisses)
		}
	}
}

// answerMissed answers a request that no service has answered in time, if the settings say so. A service inside
// answers by itself, and the asker of another node gets the answer of its own node.
func (s *service) answerMissed(r *request, set *Settings, inside bool, class string, now time.Time) {
	if inside || r.asker.peer.node != nil {
		return
	}
	s.measure(r, meter.Timeout, now)
	if !set.AnswerUnanswered {
		return
	}
	e, to := r.envelope, r.asker.peer
	if e == nil || r.served || r.asker.left {
		return
	}
	r.whole, r.served = false, true
	s.pending.drop(r)
	s.deps.refusals.Add(refusals.Event{
		Cause: refusals.Unanswered, Kind: s.name, Role: Client.String(), Remote: to.Remote.String(),
		More: []any{"service", refusals.Clip(s.name), "class", refusals.Clip(class), "subscriber", to.ID, "user", to.UserName},
	})
	// Without an id a page would take the answer for something else.
	if r.key != (envelope.Key{}) {
		s.deps.answer(to.Outlet, envelope.DeadlineExceeded, e)
	}
}

// overdue returns the oldest request that has no reply although its time is over, each one once. It returns nil if there
// is none.
func (p *pending) overdue(now time.Time) *request {
	r := p.unlooked()
	if r == nil || now.Before(r.deadline) {
		return nil
	}
	p.next = r.links[byAge].next
	return r
}

// unlooked returns the oldest request without a reply that overdue has not returned; nil if there is none.
func (p *pending) unlooked() *request {
	for p.next != nil && p.next.answered() {
		p.next = p.next.links[byAge].next
	}
	return p.next
}
