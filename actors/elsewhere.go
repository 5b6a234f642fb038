package actors

import (
	"slices"
	"sync/atomic"
	"time"

	"strowger/actors/envelope"
	"strowger/actors/meter"
	"strowger/actors/runtime"
)

// PartKind says whether an instance was asked by another one.
type PartKind uint8

// WholeRequest is what an asker asks. SharedPart is asked by an instance that has answered, and what comes of it goes to
// the asker. GatheredPart is asked by an instance that answers with what comes of it.
const (
	WholeRequest PartKind = iota
	SharedPart
	GatheredPart
	partKinds
)

// Answer is what an instance on another node has answered to a GatheredPart.
type Answer struct {
	Node     string // its name
	Envelope *envelope.Envelope
}

// elsewhere is how a service in this process reaches its instances on other nodes.
type elsewhere struct {
	service runtime.Ref[toService]
	by      *Peer         // that has the request
	others  *atomic.Int32 // how many instances there are on other nodes
}

// Messages of a service in this process whose nodes each know a part of what is asked.
type (
	// passed says that by does not have what a request is about, or, if it is refused, that by has not looked at it.
	passed struct {
		counted
		by         *Peer
		subscriber string
		key        envelope.Key
		reply      *envelope.Envelope // what the asker gets if nobody answers; nil: nothing
		refused    bool
	}
	// shared has the instances on other nodes add to what by has answered.
	shared struct {
		counted
		by, from *Peer
		envelope *envelope.Envelope
	}
)

func (*passed) toService() {}
func (*shared) toService() {}

// InCluster reports whether other nodes may have instances of the service. Otherwise the methods below must not be
// called.
func (r *Request) InCluster() bool { return r.elsewhere.by != nil }

// Alone reports whether no other node has an instance of the service.
func (r *Request) Alone() bool { return r.elsewhere.others.Load() == 0 }

// Pass gives the request to the instances that have not had it. Reply is what the asker gets if none of them answers.
func (r *Request) Pass(reply *envelope.Envelope) { r.pass(reply, false) }

// Refuse is Pass of a request that the instance has not looked at, so that another one takes its place.
func (r *Request) Refuse(reply *envelope.Envelope) { r.pass(reply, true) }

func (r *Request) pass(reply *envelope.Envelope, refused bool) {
	r.elsewhere.service.Send(&passed{
		by: r.elsewhere.by, subscriber: r.From.ID, key: requestKey(r.Envelope), reply: reply, refused: refused,
	})
}

// Share has the instances on other nodes add to what was said. They get it as a SharedPart.
func (r *Request) Share() {
	r.elsewhere.service.Send(&shared{by: r.elsewhere.by, from: r.From, envelope: r.Envelope})
}

// resort is what becomes of a request that goes from one instance to the next.
type resort struct {
	tried []*Peer // that have had it
	reply *say    // what the asker gets if none of the others answers; nil: nothing is known yet
}

// passed takes a request from an instance of this node.
func (s *service) passed(m *passed) {
	if s.gathers.drop(m.key, m.by) {
		return
	}
	by, a := s.instance(m.by), s.pending.askers[m.subscriber]
	if by == nil || a == nil {
		return
	}
	r := a.handedBy(by, m.key)
	if r == nil {
		return
	}
	by.open--
	if node := r.asker.peer.node; node != nil {
		s.passBack(r, m)
		return
	}
	s.passOn(r, by, m.reply, m.refused)
}

// passBack has a visitor's node give the request to others.
func (s *service) passBack(r *request, m *passed) {
	p := &Parcel{Kind: HandBackParcel, Service: s.name, Instance: m.by.ID, Subscriber: m.subscriber, Passed: !m.refused}
	if r.envelope != nil {
		p.RequestID = r.envelope.RequestID
	}
	if m.reply != nil {
		p.Text = textOf(m.reply)
	}
	if len(r.takers) == 0 {
		s.measure(r, meter.HandedOn, s.deps.Awake())
		s.pending.remove(r)
	}
	if !r.asker.left {
		r.asker.peer.node.Send(p)
	}
}

// passOn gives a request that by does not answer to other instances: to all that have not had it if by has looked at it,
// and else to one of them. When nobody is left, the asker gets the first reply of those that have passed it.
func (s *service) passOn(r *request, by *instance, reply *envelope.Envelope, refused bool) {
	if r.resort == nil {
		r.resort = new(resort)
	}
	r.resort.add(by.peer)
	if reply != nil && r.resort.reply == nil {
		r.resort.reply = &say{envelope: reply, from: by.peer}
	}
	switch {
	case len(r.takers) > 0:
	case r.asker.left || r.renewed() || r.served:
		s.measure(r, meter.Lost, s.deps.Awake())
		s.pending.remove(r)
	case !s.handToOthers(r, refused):
		s.lastResort(r)
	}
}

func (o *resort) add(p *Peer) {
	if !slices.Contains(o.tried, p) {
		o.tried = append(o.tried, p)
	}
}

// handToOthers hands a request to those that have not had it, or to one of them. It returns false if there are none.
func (s *service) handToOthers(r *request, one bool) bool {
	if !r.whole || !s.deps.Awake().Before(r.deadline) {
		return false
	}
	to := s.others(r.asker.peer, r.envelope, r.resort.tried...)
	if len(to) == 0 {
		return false
	}
	if one {
		to = to[:1]
	}
	for _, i := range to {
		r.resort.add(i.peer)
	}
	_, slept := s.deps.Moment()
	s.hand(r, r.envelope, new(runtime.Held), to, slept)
	return true
}

// others returns the instances that know other parts of what is asked, those first that have least to do.
func (s *service) others(from *Peer, e *envelope.Envelope, not ...*Peer) []*instance {
	s.chosen = s.chosen[:0]
	for _, i := range s.instances {
		visits := from.node != nil // its node has decided what it may ask
		if i.peer.everywhere && s.takes(i) && !slices.Contains(not, i.peer) && (visits || s.mayAsk(i.peer, from, e) == "") {
			s.chosen = append(s.chosen, i)
		}
	}
	slices.SortStableFunc(s.chosen, func(a, b *instance) int { return a.open - b.open })
	return s.chosen
}

// lastResort answers a request that no instance answers any more, unless one has.
func (s *service) lastResort(r *request) {
	m := r.resort.reply
	if m == nil || r.served {
		s.unanswered(r, envelope.Unavailable)
		return
	}
	e := s.screen(m, r.asker, r)
	s.measure(r, meter.OutcomeOf(m.envelope.StatusCode), s.deps.Awake())
	s.pending.remove(r)
	if e != nil {
		s.pass(m, e, r.asker.peer)
	}
}

// shared has other instances add to an answer. The asker's node asks them, so that what they say stays in order.
func (s *service) shared(m *shared) {
	if m.from.node != nil {
		m.from.node.Send(&Parcel{Kind: ShareParcel, Service: s.name, Instance: m.by.ID, Subscriber: m.from.ID, Text: textOf(m.envelope)})
		return
	}
	a := s.pending.askers[m.from.ID]
	if a == nil || a.left {
		return
	}
	if by := s.instance(m.by); by != nil {
		s.answeredSilently(a, by, requestKey(m.envelope))
	}
	timeout := s.deps.settings().RequestTimeout
	s.askParts(m.envelope, s.others(m.from, m.envelope, m.by), part{kind: SharedPart, from: m.from, asker: m.from.ID, within: timeout})
}

// answeredSilently forgets a request whose instance has nothing to say itself, so that others may answer it.
func (s *service) answeredSilently(a *asker, by *instance, key envelope.Key) {
	if r := a.handedBy(by, key); r != nil {
		by.open--
		s.measure(r, meter.Answered, s.deps.Awake())
		s.pending.remove(r)
	}
}

// part is what instances are asked by another one.
type part struct {
	kind   PartKind
	from   *Peer
	asker  string // id under which other nodes know who asks
	within time.Duration
}

// askParts asks instances, those on other nodes once a node. It returns those that were asked.
func (s *service) askParts(e *envelope.Envelope, to []*instance, p part) (asked []*instance) {
	own := *e
	own.ResourceID = p.from.resourceID
	p.from.stamp(&own)
	byNode := map[Node]*Parcel{}
	for _, i := range to {
		if i.peer.local != nil {
			i.peer.local.Ask(s.requestFor(i, &Request{Envelope: &own, From: p.from, Deadline: s.deps.Clock.Now().Add(p.within), Part: p.kind}))
			asked = append(asked, i)
			continue
		}
		if byNode[i.peer.node] == nil {
			byNode[i.peer.node] = &Parcel{
				Kind: AskParcel, Part: p.kind, Service: s.name, Subscriber: p.asker, Left: p.within, Text: textOf(&own),
				User: User{UUID: p.from.UserUUID, Name: p.from.UserName, Extensions: p.from.Extensions},
			}
		}
		byNode[i.peer.node].Instances = append(byNode[i.peer.node].Instances, i.peer.ID)
	}
	for node, parcel := range byNode {
		if p.asker == p.from.ID {
			s.introduce(node, p.asker)
		}
		if !node.Send(parcel) {
			continue
		}
		for _, i := range to {
			if i.peer.node == node {
				asked = append(asked, i)
			}
		}
	}
	return asked
}

// requestFor adds to a request what an instance needs to reach those on other nodes.
func (s *service) requestFor(i *instance, r *Request) *Request {
	if i.peer.everywhere && s.deps.Cluster != nil {
		r.elsewhere = elsewhere{service: s.self, by: i.peer, others: &s.otherNodes}
	}
	return r
}

// countOthers notes how many instances on other nodes know a part of what is asked.
func (s *service) countOthers() {
	n := int32(0)
	for _, i := range s.instances {
		if i.peer.everywhere && i.peer.node != nil {
			n++
		}
	}
	s.otherNodes.Store(n)
}
