package actors

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/envelope"
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
		counted
		runtime.Held
		envelope *envelope.Envelope
		from     *Peer
		open     bool // not filtered
		helper   bool // by a connection that offers another name
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

func (m *ask) routed() *envelope.Envelope { return m.envelope }
func (m *say) routed() *envelope.Envelope { return m.envelope }

// lost answers the client: a request whose service left while it was on its way like one for a name that
// nobody offers.
func (m *ask) lost(d *Deps, why runtime.Loss) {
	if why == runtime.Stopped {
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
	sent      int64         // broadcasts and replies sent to the topic
	passed    *atomic.Int64 // of them, those that have gone on to the sockets
	instances []*instance
	classes   map[string]bool // of the instances since there was none; nil: there has been none
	chosen    []*instance     // of the request being handed over
	turn      int
	pending   *pending
	sweeping  func() bool // stops the timer of the next sweep; nil: none set
}

func spawnService(d *Deps, name string, topic runtime.Ref[toTopic], passed *atomic.Int64) runtime.Ref[toService] {
	s := &service{deps: d, name: name, topic: topic, passed: passed}
	s.pending = newPending(func() int { return d.settings().PendingRequests })
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
	deadline := s.deps.Awake().Add(set.RequestTimeout)
	r := s.pending.add(m.from, requestKey(m.envelope), deadline)
	if r == nil {
		s.busy(m.from, m.envelope)
		return
	}
	r.envelope, r.whole = m.envelope, true
	if set.Instances != Failover && m.size > smallRequest {
		r.envelope, r.whole = answerable(m.envelope), false
	}
	s.sweepLater(set.RequestTimeout)
	s.deps.Counters.Requests.Add(1)
	s.hand(r, m.envelope, &m.Held, to)
}

// turnDown answers a request that no instance gets.
func (s *service) turnDown(m *ask, served bool) {
	if !served {
		s.unserved(m)
		return
	}
	s.deps.Counters.Dead(Forbidden)
	s.deps.answer(m.from.Outlet, envelope.Forbidden, m.envelope)
}

// busy answers a request that finds no room.
func (s *service) busy(to *Peer, e *envelope.Envelope) {
	s.deps.Counters.Dead(TooManyRequests)
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
		return ""
	}
	return envelope.KeyOf(e.RequestID)
}

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
	if envelope.IsEmpty(m.envelope.RequestID) && !s.addressed(m.envelope) {
		s.sent++
		s.topic.Send(&broadcast{Held: m.Pass(), envelope: m.envelope, from: m.from, open: m.open})
		return
	}
	if s.handsBack(m) {
		return
	}
	to, r, dead := s.asker(m.envelope, m.from)
	if to == nil {
		s.deps.Counters.Dead(dead)
		return
	}
	e := s.screen(m, to, r)
	if e == nil {
		return
	}
	if lease := m.Lease(); m.from.local != nil && lease != nil {
		// The service's own window does not slow this asker down: it belongs to all askers.
		lease.Move(to.peer.Outlet.Window(), len(e.Payload))
	}
	s.pass(&m.Held, e, to.peer)
}

// pass sends a reply behind all that the service said before: through the topic, or directly when
// the topic has nothing more to pass on.
func (s *service) pass(held *runtime.Held, e *envelope.Envelope, to *Peer) {
	if s.passed.Load() == s.sent {
		s.deps.reply(to, e, held.Lease())
		return
	}
	s.sent++
	s.topic.Send(&reply{Held: held.Pass(), envelope: e, to: to})
}

// addressed reports whether a message without a request id is for one asker, so that others must not see
// it (protocol 5.4, 11.17). It is if its resource_id is that of an asker who is connected, or of one who
// left while it waited for the answer to a request without an id.
func (s *service) addressed(e *envelope.Envelope) bool {
	id, _ := envelope.Text(e.ResourceID)
	a := s.known(id)
	return a != nil && (!a.left || a.requests[""] != nil)
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
func (s *service) asker(e *envelope.Envelope, from *Peer) (*asker, *request, DeadReason) {
	key := requestKey(e)
	id, ok := envelope.Text(e.ResourceID)
	if !ok || id == "" {
		return s.onlyAsker(key)
	}
	a := s.known(id)
	if a == nil {
		return nil, nil, UnknownSubscriber
	}
	r := a.requests[key]
	if a.left {
		if r != nil {
			s.replied(r)
		}
		return nil, nil, UnknownSubscriber
	}
	if from.local != nil {
		// It answers what is open, and nothing else.
		if r != nil {
			s.pending.remove(r)
		}
		return a, r, 0
	}
	if r != nil && s.deps.Awake().Before(r.deadline) {
		s.pending.settle(r)
		return a, r, 0
	}
	if key == "" || s.deps.settings().UnsolicitedReplies {
		return a, nil, 0
	}
	if r != nil {
		return nil, nil, LateReply
	}
	return nil, nil, UnsolicitedReply
}

// onlyAsker serves services that leave resource_id out: the reply is delivered when only one
// unanswered request can be meant (protocol 11.17).
func (s *service) onlyAsker(key envelope.Key) (*asker, *request, DeadReason) {
	if !s.deps.settings().RepliesWithoutResource {
		return nil, nil, UnknownSubscriber
	}
	r, ambiguous := s.pending.only(key)
	switch {
	case ambiguous:
		return nil, nil, AmbiguousReply
	case r == nil:
		return nil, nil, UnsolicitedReply
	case r.asker.left:
		s.replied(r)
		return nil, nil, UnknownSubscriber
	case !s.deps.Awake().Before(r.deadline):
		return nil, nil, LateReply
	}
	s.pending.settle(r)
	return r.asker, r, 0
}

// replied forgets the request of a subscriber that has left, unless other instances may reply too.
func (s *service) replied(r *request) {
	if len(r.takers) < 2 {
		s.pending.remove(r)
	}
}

func (s *service) gone(subscriber string) {
	s.pending.gone(subscriber)
	for _, i := range s.instances {
		if i.peer.local != nil {
			i.peer.local.Gone(subscriber)
		}
	}
}

// Speak passes on what a service in this process says: a reply if it has a request id, or else a
// broadcast. It may be called from any goroutine.
func (d *Deps) Speak(from *Peer, e *envelope.Envelope, lease *runtime.Lease) {
	d.speak(from, e, lease, false)
}

// Announce is Speak past the policy: for what the system says about a service.
func (d *Deps) Announce(from *Peer, e *envelope.Envelope, lease *runtime.Lease) {
	d.speak(from, e, lease, true)
}

func (d *Deps) speak(from *Peer, e *envelope.Envelope, lease *runtime.Lease, open bool) {
	m := &say{Held: runtime.Hold(lease), envelope: e, from: from, open: open}
	route := d.Registry.Lookup(from.Name)
	if route == nil {
		d.Bury(m)
		return
	}
	route.Service.Send(m)
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
	s.pending.expire(s.deps.Awake(), timeout)
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

// answer sends one of the router's own answers.
func (d *Deps) answer(to Outlet, status envelope.Status, e *envelope.Envelope) {
	d.own(to, status.Answer(e), to.Send)
}

// own has an answer of the router's written. It takes its share of the window of the peer that gets it, so a
// peer that asks and does not read is not read from.
func (d *Deps) own(to Outlet, e *envelope.Envelope, write func(m Message)) {
	m := d.Egress.Encode(e)
	to.Window().Charge(len(m.Form), func(l *runtime.Lease) {
		m.Lease = l
		write(m)
	})
}

// reply sends a reply to whoever asked.
func (d *Deps) reply(to *Peer, e *envelope.Envelope, lease *runtime.Lease) {
	d.Counters.Replies.Add(1)
	to.Outlet.Send(d.encode(e, lease))
}

// encode returns the envelope as a message that holds the lease.
func (d *Deps) encode(e *envelope.Envelope, lease *runtime.Lease) Message {
	m := d.Egress.Encode(e)
	m.Lease = lease
	return m
}
