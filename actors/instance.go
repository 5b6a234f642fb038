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
	number  uint64 // tells it from all others that the name has had
	open    int    // requests handed to it that have no reply yet
	standing
	// leaving says that it takes no more requests (protocol 5.9). It still speaks.
	leaving bool
	// brief says that it never took requests: it is there to say something, as a caller is.
	brief bool
}

// choose returns the instances that get a request. If there are none, why is UnknownService where nobody takes requests,
// InstancesEjected where those are ejected whose policy lets it through, and Forbidden where there are no such. A service in
// the process of a node has its name for itself: all others stay connected, but get nothing (protocol 11.15). Not, which
// may be nil, gets nothing either.
func (s *service) choose(from *Peer, e *envelope.Envelope, not *instance) (to []*instance, why DeadReason) {
	s.chosen = s.chosen[:0]
	var refuser *Peer
	var refusal string
	why = UnknownService
	for _, i := range s.instances {
		if !s.takes(i) || i == not {
			continue
		}
		if rule := s.mayAsk(i.peer, from, e); rule != "" {
			refuser, refusal = i.peer, rule
			continue
		}
		if s.skipped(i) {
			why = InstancesEjected
			continue
		}
		s.chosen = append(s.chosen, i)
	}
	if len(s.chosen) == 0 && refuser != nil && why != InstancesEjected {
		why = Forbidden
		s.deps.warnOfNone(refuser)
		s.log403(refusals.RequestRefused, refusal, refuser, from, func() string { return refusal })
	}
	if len(s.chosen) > 1 {
		s.narrow()
	}
	return s.chosen, why
}

// takes reports whether an instance takes requests.
func (s *service) takes(i *instance) bool {
	return i.peer.serving() && !i.leaving && !s.passive(i.peer)
}

// narrow leaves those of the chosen that get the request. Of services in the processes of several nodes one gets it,
// because they are the same program. If each knows a part of what is asked, that one has the others asked too.
func (s *service) narrow() {
	inside := s.chosen[0].peer.inside // as all of them are then
	if !inside && s.deps.settings().Instances == All {
		return
	}
	// From a place that moves on, so that equals take turns.
	s.turn++
	best, now := s.chosen[s.turn%len(s.chosen)], s.deps.Awake()
	for _, i := range s.chosen {
		if i.before(best, now) {
			best = i
		}
	}
	s.chosen = append(s.chosen[:0], best)
}

// before reports whether i gets a request rather than o: one that is to be tried comes first, then those that have not handed
// a request back lately, then those of this node, and then those with the fewest open requests.
func (i *instance) before(o *instance, now time.Time) bool {
	if i.ejected != o.ejected {
		return i.ejected
	}
	if shunned := i.shunned(now); shunned != o.shunned(now) {
		return !shunned
	}
	if here, there := i.peer.node == nil, o.peer.node == nil; here != there {
		return here
	}
	return i.open < o.open
}

// hand gives a request, which is stamped, to those chosen for it. A socket without room for it tells
// the service, which is this actor. Slept is Deps.Slept.
func (s *service) hand(r *request, e *envelope.Envelope, held *runtime.Held, to []*instance, slept time.Duration) {
	r.asker.peer.stamp(e)
	var message Message
	s.away = s.away[:0]
	for _, i := range to {
		r.takers = append(r.takers, i)
		i.open++
		if i.peer.local != nil {
			i.peer.local.Ask(s.requestFor(i, &Request{Held: held.Share(), Envelope: e, From: r.asker.peer, Deadline: r.deadline.Add(slept), Part: r.part, Trace: r.trace}))
			continue
		}
		if i.peer.node != nil {
			s.away = append(s.away, i)
			continue
		}
		if message.Form == nil {
			message = s.deps.encode(e, held.Lease())
		}
		message.Refused = r.refusal(i)
		i.peer.Outlet.Send(message)
	}
	if len(s.away) > 0 {
		s.handAway(r, e, held)
	}
	s.expect(r, to)
}

// passive reports whether peer is an instance of a name that a service in the process of some node has, and is not such
// a service itself.
func (s *service) passive(peer *Peer) bool {
	return !peer.inside && slices.ContainsFunc(s.instances, func(i *instance) bool { return i.peer.inside })
}

// noteInside tells everybody whether the name is taken inside.
func (s *service) noteInside() {
	s.progress.inside.Store(slices.ContainsFunc(s.instances, func(i *instance) bool { return i.peer.inside }))
}

func (s *service) instanceUp(m *instanceUp) {
	i := s.instance(m.peer)
	if i != nil {
		i.leaving = i.leaving || m.leaving
	} else {
		s.numbers++
		i = &instance{service: s.self, peer: m.peer, number: s.numbers, leaving: m.leaving, brief: m.leaving}
		s.offeredBy(m.peer.Class)
		s.meter = s.deps.meter(s.name)
		s.instances = append(s.instances, i)
		s.noteInside()
		s.countOthers()
		s.topic.Send(&speak{peer: m.peer})
		if !i.brief {
			s.logUp(m.peer)
		}
		s.checkLater()
	}
	if s.deps.Cluster != nil && m.peer.node == nil {
		s.deps.Cluster.Offered(i.offered(), m.done)
		return
	}
	if m.done != nil {
		m.done()
	}
}

// logUp logs an instance that has come, and which ones serve no more because it has: a service in this
// process makes the remote ones passive.
func (s *service) logUp(peer *Peer) {
	if !s.passive(peer) {
		s.deps.Log.Info("service up", append([]any{"service", refusals.Clip(s.name), "instances", s.active(), "class", refusals.Clip(peer.Class)}, peer.elsewhere()...)...)
	}
	for _, i := range s.instances {
		if s.passive(i.peer) && (i.peer == peer || peer.inside) {
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

// instanceDown forgets an instance and takes care of what it was asked. The nodes of visitors get the requests back
// before they hear, by way of the topic, that the instance is gone.
func (s *service) instanceDown(peer *Peer, unseen bool) {
	at := slices.IndexFunc(s.instances, func(i *instance) bool { return i.peer == peer })
	if at < 0 {
		return
	}
	lost, passive := s.instances[at], s.passive(peer)
	s.instances = slices.Delete(s.instances, at, at+1)
	s.noteInside()
	if lost.ejected {
		s.deps.Counters.Ejected.Add(-1)
	}
	s.countOthers()
	s.gathers.lost(peer)
	s.offeredNoMore(peer.Class)
	now := s.deps.Awake()
	orphans := s.pending.lost(lost, func(r *request) {
		r.lost = r.lost || !unseen
		if r.asker.peer.node != nil && !peer.everywhere {
			s.handBack(r, lost, false, unseen)
		}
	}, func(r *request) { s.measure(r, meter.Lost, now) })
	s.topic.Send(&hush{peer: peer, whole: unseen})
	switch {
	case lost.brief: // nothing was logged when it came
	case passive:
		s.deps.Log.Info("passive service left", "service", refusals.Clip(s.name), "class", refusals.Clip(peer.Class))
	default:
		s.deps.Log.Info("service down", append([]any{"service", refusals.Clip(s.name), "instances", s.active()}, peer.elsewhere()...)...)
	}
	for _, r := range orphans {
		if unseen && !peer.everywhere {
			s.unseen(r, lost)
			continue
		}
		s.orphaned(r, lost)
	}
}

// orphaned takes care of a request whose last taker has died, or does not answer it.
func (s *service) orphaned(r *request, taker *instance) {
	if r.resort != nil {
		s.lastResort(r)
		return
	}
	if r.asker.peer.node == nil && s.handOn(r, taker) {
		return
	}
	s.unanswered(r, envelope.Unavailable)
}

// handOn hands a request to another instance, if the settings say so and there is one.
func (s *service) handOn(r *request, taker *instance) bool {
	if r.whole && s.deps.settings().Instances == Failover && s.deps.Awake().Before(r.deadline) {
		if to, _ := s.choose(r.asker.peer, r.envelope, taker); len(to) > 0 {
			now, slept := s.deps.Moment()
			s.deps.Counters.Failovers.Add(1)
			s.meter.Observe(meter.HandedOn, now.Sub(r.deadline)+r.allowed)
			if r.trace != nil {
				r.trace.HandedOn()
			}
			s.hand(r, r.envelope, new(runtime.Held), to, slept)
			return true
		}
	}
	return false
}

// unanswered ends a request that nobody answers. What its asker gets is status, unless it has had a reply. That of a
// visitor gets its answer on its own node, which knows of it.
func (s *service) unanswered(r *request, status envelope.Status) {
	e := r.envelope
	s.measure(r, meter.Lost, s.deps.Awake())
	s.pending.remove(r)
	// Without an id a page would take the answer for something else.
	if r.key != (envelope.Key{}) && e != nil && !r.served && r.asker.peer.node == nil {
		s.deps.answer(r.asker.peer.Outlet, status, e)
	}
}
