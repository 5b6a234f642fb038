package actors

import (
	"slices"
	"time"

	"strowger/actors/envelope"
	"strowger/actors/meter"
	"strowger/actors/runtime"
)

// say passes on what an instance wrote: a broadcast, or a message for one asker. The ids decide which
// (protocol 5.4, 5.5).
func (s *service) say(m *say) {
	if s.passive(m.from) {
		s.deps.Counters.Dead(ForeignName)
		return
	}
	if m.helper && !s.mayHelp(m.from) {
		s.foreign(m)
		return
	}
	if s.gathers.answers(m) || s.answersHealth(m) {
		return
	}
	if !m.reply && envelope.IsEmpty(m.envelope.RequestID) && !s.addressed(m.envelope) {
		s.progress.sent.Add(1)
		s.meter.Broadcast()
		m.broadcast = broadcast{Held: m.Pass(), envelope: m.envelope, from: m.from, open: m.open, here: m.here, timed: s.deps.Counters.Delivery.Begin()}
		s.topic.Send(&m.broadcast)
		return
	}
	if s.handsBack(m) {
		return
	}
	now := s.deps.Awake()
	to, r, dead := s.asker(m.envelope, m.from, now)
	taken := s.pending.taken
	s.pending.taken = nil
	if to == nil {
		s.deps.bury(dead, ReplyLetter, m.envelope, m.from)
		return
	}
	if failure(m.envelope) {
		s.failures++
	}
	e := s.screen(m, to, r)
	switch {
	case r == nil:
	case e != nil:
		s.measure(taken, outcome(m.envelope, e), now)
	case taken != r || m.from.inside && len(taken.takers) == 0:
		s.measure(taken, meter.Filtered, now) // it is forgotten, so it gets no other reply
	}
	if e == nil {
		return
	}
	if lease := m.Lease(); m.from.inside && lease != nil && to.peer.node == nil {
		// The service's own window does not slow this asker down: it belongs to all askers.
		lease.Move(to.peer.Outlet.Window(), len(e.Payload))
	}
	s.pass(m, e, to.peer)
}

// outcome returns what became of a request whose reply is passed on, perhaps as another one.
func outcome(reply, passed *envelope.Envelope) meter.Outcome {
	if reply != passed {
		return meter.Filtered
	}
	return meter.OutcomeOf(reply.StatusCode)
}

// pass sends a reply after everything that the service said before: through the topic, or directly if
// the topic has nothing more to pass on.
func (s *service) pass(m *say, e *envelope.Envelope, to *Peer) {
	if s.progress.waiting() == 0 {
		s.deps.reply(m.from, to, e, m.Lease())
		return
	}
	s.progress.sent.Add(1)
	s.topic.Send(&reply{Held: m.Pass(), envelope: e, from: m.from, to: to})
}

// addressed reports whether a message without a request id is for one asker, so that others must not see
// it (protocol 5.4, 11.17). That holds if its resource_id names an asker that is connected, or one that left
// while it waited for the answer to a request without an id.
func (s *service) addressed(e *envelope.Envelope) bool {
	id, _ := envelope.View(e.ResourceID)
	a := s.known(id)
	return a != nil && (!a.left || a.requests[envelope.Key{}] != nil)
}

// known returns the asker of that id, nil if there is none. One that asked before the name ended and came back
// is an asker still.
func (s *service) known(id string) *asker {
	if a := s.pending.askers[id]; a != nil || id == "" {
		return a
	}
	if peer := s.deps.askers.find(id, s.name); peer != nil {
		return s.pending.asker(peer)
	}
	return nil
}

// asker returns whom a message is for and which request it answers, nil if it answers none; or why it is
// for nobody. A service in this process keeps the deadline of a request itself.
func (s *service) asker(e *envelope.Envelope, from *Peer, now time.Time) (*asker, *request, DeadReason) {
	key := requestKey(e)
	id, ok := envelope.View(e.ResourceID)
	if !ok || id == "" {
		return s.onlyAsker(key, from, now)
	}
	a := s.known(id)
	if a == nil || from.node != nil && a.peer.node != nil {
		// A node never answers the visitors of another one.
		return nil, nil, UnknownSubscriber
	}
	r := a.requests[key]
	if r != nil && s.doubts && !s.counts(r, from) {
		return nil, nil, LateReply
	}
	if a.left {
		if r != nil {
			s.answered(from, now)
			s.replied(r)
		}
		return nil, nil, UnknownSubscriber
	}
	if from.inside {
		// It answers what is open, and nothing else.
		if r != nil && !s.finish(r, from) {
			return a, nil, 0
		}
		return a, r, 0
	}
	if r != nil && now.Before(r.deadline) {
		s.pending.settle(r)
		s.answered(from, now)
		return a, r, 0
	}
	if key == (envelope.Key{}) || s.deps.settings().UnsolicitedReplies {
		return a, nil, 0
	}
	if r != nil {
		return nil, nil, LateReply
	}
	return nil, nil, UnsolicitedReply
}

// finish notes that a service inside has answered r. Several nodes have it if each knows a part of the answer. It
// returns false if this one has answered before. What it says then is one more reply, as it is to a request that is
// forgotten.
func (s *service) finish(r *request, from *Peer) bool {
	by := s.instance(from)
	if by != nil && s.pending.finishBy(r, by) {
		return true
	}
	if from.node != nil || slices.ContainsFunc(r.takers, func(i *instance) bool { return i.peer.inside }) {
		return false
	}
	s.pending.finish(r)
	return true
}

// onlyAsker serves services that leave resource_id out: the reply is delivered when only one
// unanswered request can be meant (protocol 11.17).
func (s *service) onlyAsker(key envelope.Key, from *Peer, now time.Time) (*asker, *request, DeadReason) {
	if !s.deps.settings().RepliesWithoutResource {
		return nil, nil, UnknownSubscriber
	}
	r, ambiguous := s.pending.only(key)
	switch {
	case ambiguous || now.Before(s.pending.kept.blind) || s.doubts && s.doubtful(from):
		// One that was ejected may answer what somebody else has answered since.
		return nil, nil, AmbiguousReply
	case r == nil:
		return nil, nil, UnsolicitedReply
	case r.asker.left:
		s.answered(from, now)
		s.replied(r)
		return nil, nil, UnknownSubscriber
	case !now.Before(r.deadline):
		return nil, nil, LateReply
	}
	s.pending.settle(r)
	s.answered(from, now)
	return r.asker, r, 0
}

// replied forgets the request of a subscriber that has left, unless other instances may reply too.
func (s *service) replied(r *request) {
	if len(r.takers) < 2 {
		s.pending.finish(r)
	}
}

// Speak passes on what a service in this process says: a reply if it has a request id, or else a
// broadcast. The message takes its share of w, whether there is room or not. It may be called from any goroutine.
func (d *Deps) Speak(from *Peer, e *envelope.Envelope, w *runtime.Window, cost int64) {
	d.speak(&say{envelope: e, from: from}, w, cost)
}

// Announce is Speak past the policy: for what the system says about a service.
func (d *Deps) Announce(from *Peer, e *envelope.Envelope, w *runtime.Window, cost int64) {
	d.speak(&say{envelope: e, from: from, open: true}, w, cost)
}

func (d *Deps) speak(m *say, w *runtime.Window, cost int64) {
	from := m.from
	w.Take(cost)
	m.Begin(w, cost)
	last := from.route.Load()
	route := d.Registry.Again(last, from.Name)
	if route == nil {
		d.Bury(m)
		return
	}
	if route != last {
		from.route.Store(route)
	}
	route.Service.Send(m)
}
