package actors

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/envelope"
	"strowger/actors/meter"
	"strowger/actors/runtime"
)

// Messages a service takes.
type (
	// ask is a client's request.
	ask struct {
		runtime.Held
		envelope *envelope.Envelope
		size     int // bytes of the message, which the envelope keeps alive
		from     *Peer
	}
	// refused says that a request found no room behind a slow instance.
	refused struct {
		unmissed
		request *request
		by      *instance
	}
	// say is what an instance of the service wrote: a broadcast or a reply.
	say struct {
		runtime.Holding
		envelope  *envelope.Envelope
		from      *Peer
		open      bool      // not filtered
		helper    bool      // by a connection that offers another name
		broadcast broadcast // room for what becomes of it
	}
	askerGone struct {
		unmissed
		id string
	}
	instanceUp struct {
		unmissed
		peer *Peer
		done func() // called when requests find it; nil: nobody waits
	}
	instanceDown struct {
		unmissed
		peer *Peer
	}
	sweep      struct{ unmissed }
	endService struct{ unmissed }
)

func (*ask) toService()          {}
func (*refused) toService()      {}
func (*say) toService()          {}
func (*askerGone) toService()    {}
func (*instanceUp) toService()   {}
func (*instanceDown) toService() {}
func (*sweep) toService()        {}
func (*endService) toService()   {}

// Refuse implements Refuser.
func (m *refused) Refuse() { m.by.service.Send(m) }

func (m *ask) routed() *envelope.Envelope { return m.envelope }
func (m *say) routed() *envelope.Envelope { return m.envelope }

// lost answers the client: a request whose service left while it was on its way like one for a name that
// nobody offers.
func (m *ask) lost(d *Deps, why runtime.Loss) {
	if why == runtime.Stopped {
		d.Counters.Services.Other().Observe(meter.Unserved, 0)
		d.unavailable(m.from, m.envelope)
		return
	}
	d.Counters.Dead(reason(why))
	d.answer(m.from.Outlet, envelope.InternalError, m.envelope)
}

// service stands for one name: it hands requests to its instances, knows who asked what, and
// passes on what the instances say.
// On restart: instances and requests under way are kept.
type service struct {
	deps      *Deps
	name      string
	self      runtime.Ref[toService]
	topic     runtime.Ref[toTopic]
	progress  *progress
	instances []*instance
	classes   map[string]bool // of the instances, or of the last that have gone; nil: there has been none
	chosen    []*instance     // of the request being handed over
	turn      int
	pending   *pending
	asked     int64       // requests handed to an instance so far
	failures  int64       // replies with a status from 400 on so far
	sweeping  func() bool // stops the timer of the next sweep; nil: none set
	meter     *meter.Service
}

func spawnService(d *Deps, name string, topic runtime.Ref[toTopic], progress *progress) runtime.Ref[toService] {
	s := &service{deps: d, name: name, topic: topic, progress: progress}
	s.pending = newPending(func() int { return d.settings().PendingRequests })
	s.meter = d.Counters.Services.Other()
	// Nothing is sent to the service before this function returns.
	s.self = runtime.Spawn[toService](d.Runtime, "service", func() actor.Actor { return s }, actor.WithGuardian(d.Permanent))
	return s.self
}

// Receive handles one message.
func (s *service) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *ask:
		s.ask(m)
	case *say:
		s.say(m)
	case *refused:
		s.refused(m)
	case *askerGone:
		s.gone(m.id)
	case *instanceUp:
		s.instanceUp(m)
	case *instanceLeaving:
		s.instanceLeaving(m)
	case *inquiry:
		s.inquiry(m)
	case *instanceDown:
		s.instanceDown(m.peer)
	case *sweep:
		s.sweep()
	case *describeService:
		s.describe(m)
	case *captureService:
		m.to(s.capture())
	case *adoptService:
		s.adopt(m)
	case *passing:
		s.topic.Send(m)
	case *endService:
		s.end(ctx)
	default:
		s.deps.Unknown(ctx)
	}
}

func (s *service) ask(m *ask) {
	to, served := s.choose(m.from, m.envelope)
	if len(to) == 0 {
		s.turnDown(m, served)
		return
	}
	set := s.deps.settings()
	now, slept := s.deps.Moment()
	r := s.pending.add(m.from, requestKey(m.envelope), now.Add(set.RequestTimeout))
	if r == nil {
		s.meter.Observe(meter.Busy, 0)
		s.busy(m.from, m.envelope)
		return
	}
	r.allowed = set.RequestTimeout
	r.envelope, r.whole = m.envelope, true
	if set.Instances != Failover && m.size > smallRequest {
		r.envelope, r.whole = answerable(m.envelope), false
	}
	s.sweepLater(set.RequestTimeout)
	s.deps.Counters.Requests.Add(1)
	s.asked++
	s.hand(r, m.envelope, &m.Held, to, slept)
}

// turnDown answers a request that no instance gets.
func (s *service) turnDown(m *ask, served bool) {
	if !served {
		s.unserved(m)
		return
	}
	s.meter.Observe(meter.Forbidden, 0)
	s.deps.Counters.Dead(Forbidden)
	s.deps.answer(m.from.Outlet, envelope.Forbidden, m.envelope)
}

// busy answers a request that finds no room.
func (s *service) busy(to *Peer, e *envelope.Envelope) {
	s.deps.bury(TooManyRequests, RequestLetter, e, to)
	s.deps.answer(to.Outlet, envelope.Unavailable, e)
}

// refused takes a request from an instance that had no room for it. It is over if nobody else has it.
func (s *service) refused(m *refused) {
	r := m.request
	if !r.lose(m.by) {
		return // answered, or its time is over
	}
	m.by.open--
	if len(r.takers) > 0 {
		return
	}
	to, e := r.asker, r.envelope
	s.measure(r, meter.Busy, s.deps.Awake())
	s.pending.remove(r)
	if !to.left && e != nil {
		s.busy(to.peer, e)
	}
}

// smallRequest is up to which size a message may be kept with its request.
const smallRequest = 4 << 10

// answerable returns what an answer to e needs: a long message is not kept for its ids. Those that
// are long themselves are not kept either, and then it is nil: so that a client cannot fill the memory
// with requests that nobody answers.
func answerable(e *envelope.Envelope) *envelope.Envelope {
	if len(e.ServiceName)+len(e.Topic)+len(e.RequestID) > smallRequest {
		return nil
	}
	return &envelope.Envelope{
		ServiceName: slices.Clone(e.ServiceName), Topic: slices.Clone(e.Topic), RequestID: slices.Clone(e.RequestID),
	}
}

// requestKey returns the key under which a request waits for its reply; the ids that PHP calls
// empty are one.
func requestKey(e *envelope.Envelope) envelope.Key {
	if envelope.IsEmpty(e.RequestID) {
		return envelope.Key{}
	}
	return envelope.KeyOf(e.RequestID)
}

func (s *service) gone(subscriber string) {
	now := s.deps.Awake()
	s.pending.gone(subscriber, func(r *request) { s.measure(r, meter.Left, now) })
	for _, i := range s.instances {
		if i.peer.local != nil {
			i.peer.local.Gone(subscriber)
		}
	}
}

// measure notes what became of a request, unless it is noted already.
func (s *service) measure(r *request, o meter.Outcome, now time.Time) {
	if r.measured {
		return
	}
	r.measured = true
	s.meter.Observe(o, now.Sub(r.deadline)+r.allowed)
}

// timedOut notes that a request is over. One that has replies and is not measured had only such as were dropped.
func (s *service) timedOut(r *request) {
	o := meter.Timeout
	if r.answered() {
		o = meter.Filtered
	}
	s.measure(r, o, r.deadline)
}

// sweepLater sets the one timer that clears the table; it runs only while there are requests.
func (s *service) sweepLater(timeout time.Duration) {
	if s.sweeping == nil {
		s.sweeping = s.self.After(s.deps.Clock, 2*timeout, &sweep{})
	}
}

func (s *service) sweep() {
	s.sweeping = nil
	timeout := s.deps.settings().RequestTimeout
	s.pending.expire(s.deps.Awake(), timeout, s.timedOut)
	if s.pending.ages.length > 0 {
		s.sweepLater(timeout)
	}
}

// end stops the service behind all it still has to pass on, and then its topic.
func (s *service) end(ctx actor.Context) {
	if s.sweeping != nil {
		s.sweeping()
	}
	ctx.Poison(s.topic.PID())
	ctx.Poison(ctx.Self())
}
