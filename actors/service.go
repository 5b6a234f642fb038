package actors

import (
	"sync/atomic"
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
		reply     bool      // for one asker, whatever its ids
		here      bool      // for the subscribers on this node
		broadcast broadcast // room for what becomes of it
	}
	askerGone struct {
		unmissed
		id string
	}
	instanceUp struct {
		peer    *Peer
		done    func() // called when requests find it; nil: nobody waits
		leaving bool   // it takes no requests
	}
	instanceDown struct {
		unmissed
		peer   *Peer
		unseen bool // what is open never reached it
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

// lost lets nobody wait for an instance of another node.
func (m *instanceUp) lost(*Deps, runtime.Loss) {
	if m.peer.node != nil && m.done != nil {
		m.done()
	}
}

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
// On restart: instances and requests under way are kept, but for the one at which it crashed.
type service struct {
	deps      *Deps
	name      string
	self      runtime.Ref[toService]
	topic     runtime.Ref[toTopic]
	progress  *progress
	instances []*instance
	classes   map[string]bool // of the instances, or of the last that have gone; nil: there has been none
	chosen    []*instance     // of the request being handed over
	away      []*instance     // those of the chosen that other nodes have
	turn      int
	numbers   uint64 // of instances, so far
	pending   *pending
	handing   *request    // that is being handed over, by the message that the actor is at; nil: none
	asked     int64       // requests handed to an instance so far
	failures  int64       // replies with a status from 400 on so far
	sweeping  func() bool // stops the timer of the next sweep; nil: none set
	meter     *meter.Service
	looking   func() bool // stops the timer of the next overdue; nil: none set
	lookAt    time.Time   // by Deps.Awake: when that is
	doubts    bool        // an instance was ejected, and may be back
	health    health
	// knows has the askers here that other nodes know, by node. It is nil as long as none does.
	knows map[Node]map[string]struct{}
	// gathers are parts that instances of this node have asked others for.
	gathers    gatherings
	otherNodes atomic.Int32 // how many instances on other nodes know a part of what is asked
}

func spawnService(d *Deps, name string, topic runtime.Ref[toTopic], progress *progress) runtime.Ref[toService] {
	s := &service{deps: d, name: name, topic: topic, progress: progress}
	s.pending = newPending(func() int { return d.settings().PendingRequests })
	s.pending.most = func() int { return d.settings().ServiceRequests }
	s.pending.kept = kept{all: &d.Counters.Kept, most: func() int64 { return d.settings().PendingTotal }}
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
	case *visit:
		s.visit(m)
	case *handedBack:
		s.handedBack(m)
	case *passed:
		s.passed(m)
	case *shared:
		s.shared(m)
	case *gather:
		s.gather(m)
	case *gathered:
		s.gathers.end(m.key)
	case *will:
		s.topic.Send(m)
	case *nodeJoined:
		s.joined()
	case *nodeGone:
		delete(s.knows, m.node)
	case *say:
		s.say(m)
	case *refused:
		s.refused(m)
	case *askerGone:
		s.gone(m.id)
	case *askerHeld:
		s.held(m)
	case *askerOpen:
		s.open(m)
	case *askerBack:
		s.back(m)
	case *instanceUp:
		s.instanceUp(m)
	case *instanceLeaving:
		s.instanceLeaving(m)
	case *inquiry:
		s.inquiry(m)
	case *unmeter:
		s.unmeter()
	case *instanceDown:
		s.instanceDown(m.peer, m.unseen)
	case *sweep:
		s.sweep()
	case *overdue:
		s.overdue()
	case *checkHealth:
		s.checkHealth()
	case *reconsider:
		s.reconsider()
	case *describeService:
		s.describe(m)
	case *captureService:
		m.to(s.capture())
	case *adoptService:
		s.adopt(m)
	case *passing:
		s.topic.Send(m)
	case *mayRest:
		s.topic.Send(m)
	case *endService:
		s.end(ctx)
	case *actor.Stopping:
		s.stopping()
	default:
		s.deps.Unknown(ctx)
	}
}

func (s *service) ask(m *ask) {
	if s.asksWho(m) {
		s.who(m)
		return
	}
	trace := s.trace(m)
	to, why := s.choose(m.from, m.envelope, nil)
	if len(to) == 0 {
		s.turnDown(m, why, trace)
		return
	}
	set := s.deps.settings()
	now, slept := s.deps.Moment()
	r := s.pending.add(m.from, requestKey(m.envelope), now.Add(set.RequestTimeout))
	if r == nil {
		s.note(meter.Busy, trace)
		s.tooMany(m)
		return
	}
	r.allowed, r.trace = set.RequestTimeout, trace
	s.keep(r, m, set, to[0].peer.everywhere)
	s.sweepLater(set.RequestTimeout)
	s.deps.Counters.Requests.Add(1)
	s.asked++
	s.handing = r
	s.hand(r, m.envelope, &m.Held, to, slept)
	s.handing = nil
}

// Crashed implements runtime.Crasher. A request at which the actor panics is answered 500, and is open no more.
func (s *service) Crashed() {
	r := s.handing
	if r == nil {
		return
	}
	s.handing = nil
	s.measure(r, meter.ServerError, s.deps.Awake())
	s.pending.remove(r)
}

// turnDown answers a request that no instance gets.
func (s *service) turnDown(m *ask, why DeadReason, trace Trace) {
	switch why {
	case UnknownService:
		s.note(meter.Unserved, trace)
		s.unserved(m)
	case InstancesEjected:
		s.note(meter.Ejected, trace)
		s.allEjected(m)
	default:
		s.note(meter.Forbidden, trace)
		s.deps.Counters.Dead(Forbidden)
		s.deps.answer(m.from.Outlet, envelope.Forbidden, m.envelope)
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
	s.farewell(subscriber)
}

// measure notes what became of a request, unless it is noted already.
func (s *service) measure(r *request, o meter.Outcome, now time.Time) {
	if r.measured {
		return
	}
	r.measured = true
	s.meter.Observe(o, now.Sub(r.deadline)+r.allowed)
	if r.trace != nil {
		r.trace.End(o)
	}
}

// note notes what became of a request that no instance got.
func (s *service) note(o meter.Outcome, trace Trace) {
	s.meter.Observe(o, 0)
	if trace != nil {
		trace.End(o)
	}
}

// trace begins the trace of a request. Nil: it is not traced.
func (s *service) trace(m *ask) Trace {
	if s.deps.Tracer == nil {
		return nil
	}
	topic, _ := envelope.Text(m.envelope.Topic)
	return s.deps.Tracer.Trace(s.name, topic, m.from)
}

// end stops the service behind all it still has to pass on, and then its topic.
func (s *service) end(ctx actor.Context) {
	ctx.Poison(s.topic.PID())
	ctx.Poison(ctx.Self())
}

// stopping gives back what the service holds. It handles no message after this one, so nothing begins anew.
func (s *service) stopping() {
	for _, stop := range []func() bool{s.sweeping, s.looking, s.health.stop} {
		if stop != nil {
			stop()
		}
	}
	for key := range s.gathers {
		s.gathers.end(key)
	}
	s.owe()
	s.pending.clear()
}
