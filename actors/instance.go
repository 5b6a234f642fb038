package actors

import (
	"slices"
	"time"

	"strowger/actors/envelope"
	"strowger/actors/meter"
	"strowger/actors/refusals"
	"strowger/actors/runtime"
	"strowger/config/policy"
)

// Instances says which remote instances of one name get a request.
type Instances int

// All hands a request to every instance, as the PHP router does. Balanced hands it to the one with
// the fewest unanswered requests; when that dies, its requests are answered 503. Failover hands
// them to another instance instead, as long as their time is not over, so that a request may be
// carried out twice.
const (
	All Instances = iota
	Balanced
	Failover
)

// instance is one who answers requests for a name.
type instance struct {
	service runtime.Ref[toService]
	peer    *Peer
	open    int // requests handed to it that have no reply yet
	// leaving says that it takes no more requests (protocol 5.9). It still speaks.
	leaving bool
}

// choose returns the instances that get a request; served is true if there are others whose policy
// does not let it through. A service in this process has its name for itself: remote ones stay
// connected, but get nothing (protocol 11.15).
func (s *service) choose(from *Peer, e *envelope.Envelope) (to []*instance, served bool) {
	s.chosen = s.chosen[:0]
	var refuser *Peer
	var why string
	for _, i := range s.instances {
		if !i.peer.serving() || i.leaving || s.passive(i.peer) {
			continue
		}
		served = true
		if rule := s.mayAsk(i.peer, from, e); rule != "" {
			refuser, why = i.peer, rule
			continue
		}
		s.chosen = append(s.chosen, i)
	}
	if len(s.chosen) == 0 && served {
		s.deps.warnOfNone(refuser)
		s.log403(refusals.RequestRefused, why, refuser, from, func() string { return why })
	}
	if len(s.chosen) < 2 || s.deps.settings().Instances == All {
		return s.chosen, served
	}
	// From a place that moves on, so that equals take turns.
	s.turn++
	best := s.chosen[s.turn%len(s.chosen)]
	for _, i := range s.chosen {
		if i.open < best.open {
			best = i
		}
	}
	s.chosen = append(s.chosen[:0], best)
	return s.chosen, true
}

// hand gives a request, which is stamped, to those chosen for it. A socket without room for it tells
// the service, which is this actor. Slept is Deps.Slept.
func (s *service) hand(r *request, e *envelope.Envelope, held *runtime.Held, to []*instance, slept time.Duration) {
	r.asker.peer.stamp(e)
	var message Message
	for _, i := range to {
		r.takers = append(r.takers, i)
		i.open++
		if i.peer.local != nil {
			i.peer.local.Ask(&Request{Held: held.Share(), Envelope: e, From: r.asker.peer, Deadline: r.deadline.Add(slept)})
			continue
		}
		if message.Form == nil {
			message = s.deps.encode(e, held.Lease())
		}
		message.Refused = r.refusal(i)
		i.peer.Outlet.Send(message)
	}
}

// passive reports whether peer is a remote instance of a name that a service in this process has.
func (s *service) passive(peer *Peer) bool {
	return peer.local == nil && slices.ContainsFunc(s.instances, func(i *instance) bool { return i.peer.local != nil })
}

func (s *service) instanceUp(m *instanceUp) {
	if !slices.ContainsFunc(s.instances, func(i *instance) bool { return i.peer == m.peer }) {
		s.offeredBy(m.peer.Class)
		s.meter = s.deps.meter(s.name)
		s.instances = append(s.instances, &instance{service: s.self, peer: m.peer})
		s.topic.Send(&speak{peer: m.peer})
		s.logUp(m.peer)
	}
	if m.done != nil {
		m.done()
	}
}

// logUp logs an instance that has come, and which ones serve no more because it has: a service in this
// process makes the remote ones passive.
func (s *service) logUp(peer *Peer) {
	if !s.passive(peer) {
		s.deps.Log.Info("service up", "service", refusals.Clip(s.name), "instances", s.active(), "class", refusals.Clip(peer.Class))
	}
	for _, i := range s.instances {
		if s.passive(i.peer) && (i.peer == peer || peer.local != nil) {
			s.deps.Log.Warn("service is passive, its name is taken inside", "service", refusals.Clip(s.name), "class", refusals.Clip(i.peer.Class), "stop_unit", policy.BuiltinUnit(s.name))
		}
	}
}

// active returns how many instances the name has, without those that are passive.
func (s *service) active() int {
	n := 0
	for _, i := range s.instances {
		if !s.passive(i.peer) {
			n++
		}
	}
	return n
}

func (s *service) instanceDown(peer *Peer) {
	at := slices.IndexFunc(s.instances, func(i *instance) bool { return i.peer == peer })
	if at < 0 {
		return
	}
	lost, passive := s.instances[at], s.passive(peer)
	s.instances = slices.Delete(s.instances, at, at+1)
	s.offeredNoMore(peer.Class)
	s.topic.Send(&hush{peer: peer})
	if passive {
		s.deps.Log.Info("passive service left", "service", refusals.Clip(s.name), "class", refusals.Clip(peer.Class))
	} else {
		s.deps.Log.Info("service down", "service", refusals.Clip(s.name), "instances", s.active())
	}
	now := s.deps.Awake()
	for _, r := range s.pending.lost(lost, func(r *request) { s.measure(r, meter.Lost, now) }) {
		s.orphaned(r)
	}
}

// orphaned takes care of a request whose last taker has died.
func (s *service) orphaned(r *request) {
	if r.whole && s.deps.settings().Instances == Failover && s.deps.Awake().Before(r.deadline) {
		if to, _ := s.choose(r.asker.peer, r.envelope); len(to) > 0 {
			now, slept := s.deps.Moment()
			s.deps.Counters.Failovers.Add(1)
			s.meter.Observe(meter.HandedOn, now.Sub(r.deadline)+r.allowed)
			s.hand(r, r.envelope, new(runtime.Held), to, slept)
			return
		}
	}
	e := r.envelope
	s.measure(r, meter.Lost, s.deps.Awake())
	s.pending.remove(r)
	// Without an id a page would take the answer for something else.
	if r.key != (envelope.Key{}) && e != nil {
		s.deps.answer(r.asker.peer.Outlet, envelope.Unavailable, e)
	}
}
