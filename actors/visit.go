package actors

import (
	"slices"
	"time"

	"strowger/actors/envelope"
	"strowger/actors/meter"
	"strowger/actors/runtime"
)

// Messages by which nodes hand requests to each other.
type (
	// visit is the request of a visitor, for instances that its node has chosen.
	visit struct {
		message   envelope.Message
		service   string
		size      int // bytes of the message
		from      *Peer
		instances []string // ids
		left      time.Duration
		part      PartKind
	}
	// handedBack says that an instance of another node does not answer a request.
	handedBack struct {
		counted
		by         *Peer
		subscriber string
		key        envelope.Key
		busy       bool
		status     envelope.Status // what the asker gets; zero: another instance may get the request
		passed     bool            // by has looked at it
		unseen     bool            // by was gone, leaving or ejected before it came
		reply      *envelope.Envelope
	}
)

func (*visit) toService()      {}
func (*handedBack) toService() {}

func (m *visit) routed() *envelope.Envelope { return &m.message.Envelope }

func (m *visit) letter() (LetterKind, *envelope.Envelope, *Peer) {
	return RequestLetter, &m.message.Envelope, m.from
}

// lost hands the request back. One at which the actor has crashed goes to no other instance.
func (m *visit) lost(d *Deps, why runtime.Loss) {
	var text []byte
	if why == runtime.Panicked {
		d.Counters.Dead(ActorCrashed)
		text = textOf(envelope.InternalError.Answer(&m.message.Envelope))
	}
	for _, id := range m.instances {
		d.handBack(&Parcel{Instance: id, Text: text, Unseen: len(text) == 0}, m)
	}
}

// handBack sends p, which says that an instance does not answer m.
func (d *Deps) handBack(p *Parcel, m *visit) {
	p.Kind, p.Service, p.Subscriber, p.RequestID = HandBackParcel, m.service, m.from.ID, m.message.RequestID
	m.from.node.Send(p)
}

// visit gives a visitor's request to those instances that its node has chosen, and hands it back for the others. Whether
// the visitor may ask its node has decided.
func (s *service) visit(m *visit) {
	to := s.chosen[:0]
	for _, id := range m.instances {
		at := slices.IndexFunc(s.instances, func(i *instance) bool { return i.peer.node == nil && i.peer.ID == id })
		if at < 0 || !s.takes(s.instances[at]) || s.skipped(s.instances[at]) {
			s.deps.handBack(&Parcel{Instance: id, Unseen: true}, m)
			continue
		}
		if slices.Contains(to, s.instances[at]) {
			s.deps.handBack(&Parcel{Instance: id}, m)
			continue
		}
		to = append(to, s.instances[at])
	}
	s.chosen = to
	if len(to) == 0 {
		return
	}
	now, slept := s.deps.Moment()
	left := max(0, min(m.left, s.deps.settings().RequestTimeout))
	r := s.pending.visit(m.from, requestKey(&m.message.Envelope), now.Add(left))
	if r == nil {
		s.meter.Observe(meter.Busy, 0)
		for _, i := range to {
			s.deps.handBack(&Parcel{Instance: i.peer.ID, Busy: true}, m)
		}
		return
	}
	r.allowed, r.part = left, m.part
	s.pending.keep(r, &m.message.Envelope, m.size, m.size <= smallRequest)
	r.whole = false // its own node hands it on
	s.sweepLater(s.deps.settings().RequestTimeout)
	s.deps.Counters.Requests.Add(1)
	s.asked++
	s.handing = r
	s.hand(r, &m.message.Envelope, new(runtime.Held), to, slept)
	s.handing = nil
}

// visit is add of a visitor's request. It also returns nil if the id is that of another subscriber. A visitor whose node
// was gone for a while comes back with the id that it had.
func (p *pending) visit(peer *Peer, key envelope.Key, deadline time.Time) *request {
	a := p.asker(peer)
	if a.peer != peer {
		if !a.left {
			return nil
		}
		a.peer, a.left = peer, false
	}
	return p.add(peer, key, deadline)
}

// handBack tells the node of the visitor that asked r that an instance, which has r, does not answer. Unseen says that it
// has not looked at r.
func (s *service) handBack(r *request, by *instance, busy, unseen bool) {
	known := r
	if r.renewed() && r.asker.requests[r.key] != nil {
		known = r.asker.requests[r.key] // it has the same id
	}
	if r.asker.left || known.envelope == nil {
		return
	}
	r.asker.peer.node.Send(&Parcel{
		Kind: HandBackParcel, Service: s.name, Instance: by.peer.ID, Subscriber: r.asker.peer.ID, RequestID: known.envelope.RequestID,
		Busy: busy, Unseen: unseen,
	})
}

// handAway gives a request to the instances in s.away: once to each node.
func (s *service) handAway(r *request, e *envelope.Envelope, held *runtime.Held) {
	who := r.asker.peer
	text, left := textOf(e), r.deadline.Sub(s.deps.Awake())
	for len(s.away) > 0 {
		n := s.away[0].peer.node
		p := &Parcel{
			Kind: AskParcel, Service: s.name, Subscriber: who.ID, Left: left, Text: text, Lease: held.Lease(),
			User: User{UUID: who.UserUUID, Name: who.UserName, Extensions: who.Extensions},
		}
		for _, i := range s.away {
			if i.peer.node == n {
				p.Instances = append(p.Instances, i.peer.ID)
			}
		}
		s.introduce(n, who.ID)
		sent := n.Send(p)
		s.away = slices.DeleteFunc(s.away, func(i *instance) bool {
			if i.peer.node != n {
				return false
			}
			if !sent {
				r.refusal(i).Refuse()
			}
			return true
		})
	}
}

// mostReturns is how often nodes may hand back one request before nobody gets it any more. Nodes that do not agree
// about who is there would hand it on for ever.
const mostReturns = 8

// handedBack takes a request from an instance of another node that does not answer it.
func (s *service) handedBack(m *handedBack) {
	if s.gathers.drop(m.key, m.by) {
		return
	}
	by := s.instance(m.by)
	a := s.pending.askers[m.subscriber]
	if by == nil || a == nil {
		return
	}
	r := a.handedBy(by, m.key)
	if r == nil {
		return
	}
	by.open--
	r.lost = r.lost || !m.unseen && !m.busy
	if m.unseen && s.takes(by) {
		by.next = s.deps.Awake().Add(s.deps.settings().EjectPause)
	}
	switch {
	case by.peer.everywhere && m.status != envelope.InternalError:
		s.passOn(r, by, m.reply, !m.passed)
	case m.busy:
		s.noRoom(r)
	case len(r.takers) > 0:
	case r.asker.left || r.renewed():
		s.measure(r, meter.Lost, s.deps.Awake())
		s.pending.remove(r)
	case m.status != (envelope.Status{}):
		s.unanswered(r, m.status)
	case r.returned == mostReturns:
		s.unanswered(r, envelope.Unavailable)
	case m.unseen:
		r.returned++
		s.unseen(r, by)
	default:
		r.returned++
		s.orphaned(r, by)
	}
}

// unseen takes care of a request that has never reached its last taker, an instance of another node that had gone
// meanwhile, or that its node has ejected. It goes to others as if it had only just come. If there are none, its asker gets what it gets when nobody
// takes requests.
func (s *service) unseen(r *request, taker *instance) {
	others := slices.ContainsFunc(s.instances, func(i *instance) bool { return i != taker && s.takes(i) })
	switch {
	case r.resort != nil || r.lost || r.asker.peer.node != nil || r.served || r.envelope == nil || !s.deps.Awake().Before(r.deadline):
		s.orphaned(r, taker)
	case !others && s.takes(taker):
		s.unserve(r, InstancesEjected)
	case !others:
		s.unserve(r, UnknownService)
	case !r.whole:
		s.orphaned(r, taker) // it is not kept, so it cannot be asked again
	default:
		to, why := s.choose(r.asker.peer, r.envelope, taker)
		if len(to) == 0 {
			s.unserve(r, why)
			return
		}
		_, slept := s.deps.Moment()
		s.hand(r, r.envelope, new(runtime.Held), to, slept)
	}
}

// unserve turns a request down that was taken before.
func (s *service) unserve(r *request, why DeadReason) {
	m := &ask{envelope: r.envelope, from: r.asker.peer}
	s.pending.remove(r)
	s.turnDown(m, why, r.trace)
}

// handedBy takes by out of those that have a request, of those with the same id the oldest, and returns the request. It
// returns nil if by has none.
func (a *asker) handedBy(by *instance, key envelope.Key) *request {
	for r := a.renewed[key].first; r != nil; r = r.links[byRenewal].next {
		if r.lose(by) {
			return r
		}
	}
	if r := a.requests[key]; r != nil && r.lose(by) {
		return r
	}
	return nil
}
