package actors

import (
	"slices"
	"sync/atomic"
	"time"

	"strowger/actors/envelope"
	"strowger/actors/filter"
)

// pending is a service's table of requests under way and of those who asked. A request stays known
// after its first reply, because one request may get several (protocol 5.5).
type pending struct {
	askers    map[string]*asker      // by subscriber id
	unsettled map[envelope.Key]chain // byKey
	ages      chain                  // byAge: oldest first, as all have the same timeout
	next      *request               // of ages, the oldest that overdue has not looked at; nil: none
	limit     func() int             // requests that one asker may have open
	most      func() int             // those of all askers; 0 or nil: any number
	open      int                    // requests without a reply yet
	kept      kept
	doubts    bool     // an instance was ejected
	taken     *request // for which the last reply was taken, though the table may have forgotten it since
}

// remembered is how many answered requests of one subscriber stay known: a request may get several
// replies, and in between others may be answered.
const remembered = 64

// asker is a subscriber that has asked the service something since it connected.
type asker struct {
	peer     *Peer
	requests map[envelope.Key]*request
	open     int                    // requests without a reply yet, also those in renewed
	answered chain                  // byAnswer: the longest answered first
	left     bool                   // its connection has ended
	bytes    int64                  // of the messages that its requests keep
	renewed  map[envelope.Key]chain // byRenewal: oldest first; nil: there have been none

	filter *filter.Filter // of which it has the class
	class  filter.Class
}

// classOf returns the class of f that the subscriber is of.
func (a *asker) classOf(f *filter.Filter) filter.Class {
	if a.filter != f {
		a.filter, a.class = f, f.Class(a.peer.subject())
	}
	return a.class
}

type request struct {
	key      envelope.Key
	asker    *asker
	first    [1]*instance       // room for the one taker that most have
	takers   []*instance        // who got it and lives; until the first reply
	refused  refused            // room for the news that the first one has no room
	envelope *envelope.Envelope // as it was asked, or only what is needed to answer it; until the first reply
	whole    bool               // envelope is all, so that it may be asked again
	served   bool               // its asker was sent a reply, or a 403 in place of one that was filtered out
	measured bool               // what became of it is noted
	lost     bool               // an instance that had it has died, or given it back
	part     PartKind           // of a visitor's request
	bytes    int32              // of the message that envelope keeps in memory
	resort   *resort            // nil: no instance has passed it
	had      []uint64           // numbers of the takers at the first reply, if one of them was ever ejected
	returned uint8              // how often a node has handed it back
	deadline time.Time          // by Deps.Awake
	allowed  time.Duration      // from the request to the deadline
	trace    Trace              // nil: it is not traced
	links    [chainCount]link
}

// refusal returns what tells the service that i has no room for r.
func (r *request) refusal(i *instance) *refused {
	m := &r.refused
	if m.request != nil {
		m = new(refused) // the other one may be on its way
	}
	m.request, m.by = r, i
	return m
}

// answered reports whether r has had a reply.
func (r *request) answered() bool { return r.links[byAnswer].in }

// renewed reports whether the asker has used the id of r again before r had a reply.
func (r *request) renewed() bool { return r.links[byRenewal].in }

// inside reports whether a service in this process has r; it answers nobody who has left.
func (r *request) inside() bool {
	return slices.ContainsFunc(r.takers, func(i *instance) bool { return i.peer.local != nil })
}

// unanswerable reports whether nobody who has r answers an asker that has left: neither a service in this process nor
// another node does.
func (r *request) unanswerable() bool {
	return len(r.takers) > 0 && !slices.ContainsFunc(r.takers, func(i *instance) bool { return i.peer.local == nil && i.peer.node == nil })
}

// lose takes an instance out of those that have r. It returns false if the instance is none of them, or r
// has had a reply.
func (r *request) lose(i *instance) bool {
	at := slices.Index(r.takers, i)
	if at < 0 {
		return false
	}
	r.takers = slices.Delete(r.takers, at, at+1)
	return true
}

func newPending(limit func() int) *pending {
	return &pending{
		askers:    make(map[string]*asker),
		unsettled: make(map[envelope.Key]chain),
		limit:     limit,
		kept:      kept{all: new(atomic.Int64)},
	}
}

// add notes a request. It returns nil if the subscriber has too many unanswered ones, or if it has sparedRequests while all
// subscribers together have too many. A request id that is used again starts anew. The request before counts until it has a
// reply too, because the service has both.
func (p *pending) add(peer *Peer, key envelope.Key, deadline time.Time) *request {
	a := p.asker(peer)
	if a.open >= p.limit() || a.open >= sparedRequests && (p.crowded() || p.full()) {
		return nil
	}
	return p.enter(a, key, deadline)
}

// restore is add of a request that another process had. It goes by no limit.
func (p *pending) restore(peer *Peer, key envelope.Key, deadline time.Time) *request {
	return p.enter(p.asker(peer), key, deadline)
}

func (p *pending) enter(a *asker, key envelope.Key, deadline time.Time) *request {
	if old := a.requests[key]; old != nil {
		p.renew(old)
	}
	r := &request{key: key, asker: a, deadline: deadline}
	r.takers = r.first[:0]
	p.ages.push(byAge, r)
	if p.next == nil {
		p.next = r
	}
	a.requests[key] = r
	a.open++
	p.open++
	p.kept.all.Add(requestBytes)
	same := p.unsettled[key]
	same.push(byKey, r)
	p.unsettled[key] = same
	return r
}

// renew makes room for a request with the id of r.
func (p *pending) renew(r *request) {
	if r.answered() {
		p.remove(r)
		return
	}
	a := r.asker
	p.owedNoMore(r)
	delete(a.requests, r.key)
	p.drop(r) // nobody is told what becomes of it
	if a.renewed == nil {
		a.renewed = make(map[envelope.Key]chain)
	}
	same := a.renewed[r.key]
	same.push(byRenewal, r)
	a.renewed[r.key] = same
}

// asker returns the entry of a subscriber.
func (p *pending) asker(peer *Peer) *asker {
	a := p.askers[peer.ID]
	if a == nil {
		a = &asker{peer: peer, requests: make(map[envelope.Key]*request)}
		p.askers[peer.ID] = a
	}
	return a
}

// settle notes that r has a reply. If others with its id have none, it is taken for that of the oldest.
// Of the answered requests of one subscriber only so many are remembered as may be open.
func (p *pending) settle(r *request) {
	if p.settleRenewed(r) {
		return
	}
	p.taken = r
	if r.answered() {
		return
	}
	p.forgetUnsettled(r)
	a := r.asker
	a.open--
	p.open--
	a.answered.push(byAnswer, r)
	if a.answered.length > min(remembered, p.limit()) {
		p.remove(a.answered.first)
	}
}

// finish notes that r has its only reply, and forgets it. If others with its id have none, it is taken for
// that of the oldest.
func (p *pending) finish(r *request) {
	if !p.settleRenewed(r) {
		p.taken = r
		p.remove(r)
	}
}

// finishBy notes that by, one of those that have r, has given its only answer, and forgets r if nobody else has it. If
// by has others with the id of r, it is taken for the answer of the oldest. It returns false if by has none.
func (p *pending) finishBy(r *request, by *instance) bool {
	for old := r.asker.renewed[r.key].first; old != nil; old = old.links[byRenewal].next {
		if slices.Contains(old.takers, by) {
			r = old
			break
		}
	}
	if !r.lose(by) {
		return false
	}
	by.open--
	p.taken = r
	if len(r.takers) == 0 {
		p.remove(r)
	}
	return true
}

// settleRenewed forgets the oldest request that had no reply when its asker used the id of r again. It
// returns false if there is none.
func (p *pending) settleRenewed(r *request) bool {
	old := r.asker.renewed[r.key].first
	if old == nil {
		return false
	}
	p.taken = old
	p.remove(old)
	return true
}

// forgetUnsettled notes that nobody owes r a first reply any more.
func (p *pending) forgetUnsettled(r *request) {
	p.free(r)
	p.owedNoMore(r)
}

// free notes that the takers of r need not reply any more.
func (p *pending) free(r *request) {
	for _, taker := range r.takers {
		taker.open--
		if p.doubts {
			r.had = append(r.had, taker.number) // not the instance, which would be kept after its end
		}
	}
	r.takers, r.first = nil, [1]*instance{}
	p.drop(r)
}

// owedNoMore takes r out of those that a reply without resource_id may be for.
func (p *pending) owedNoMore(r *request) {
	same := p.unsettled[r.key]
	same.remove(byKey, r)
	if same.length == 0 {
		delete(p.unsettled, r.key)
		return
	}
	p.unsettled[r.key] = same
}

func (p *pending) remove(r *request) {
	if p.next == r {
		p.next = r.links[byAge].next
	}
	p.ages.remove(byAge, r)
	p.kept.all.Add(-requestBytes)
	a := r.asker
	switch {
	case r.answered():
		delete(a.requests, r.key)
		a.answered.remove(byAnswer, r)
		return
	case r.renewed():
		p.free(r)
		a.forgetRenewed(r)
	default:
		delete(a.requests, r.key)
		p.forgetUnsettled(r)
	}
	a.open--
	p.open--
	if a.left && a.open == 0 {
		delete(p.askers, a.peer.ID)
	}
}

// forgetRenewed takes r out of the requests whose id was used again.
func (a *asker) forgetRenewed(r *request) {
	same := a.renewed[r.key]
	same.remove(byRenewal, r)
	if same.length == 0 {
		delete(a.renewed, r.key)
		return
	}
	a.renewed[r.key] = same
}

// lost takes an instance that died out of all requests and returns those that nobody else has and
// somebody still waits for. It calls lost for each request that the instance had, and then forgotten for each that it
// removes although its asker is connected.
func (p *pending) lost(dead *instance, lost, forgotten func(*request)) []*request {
	var orphans []*request
	for r, next := p.ages.first, (*request)(nil); r != nil; r = next {
		next = r.links[byAge].next
		if !r.lose(dead) {
			continue
		}
		lost(r)
		switch {
		case len(r.takers) > 0:
		case r.asker.left:
			p.remove(r)
		case r.renewed():
			forgotten(r)
			p.remove(r)
		default:
			orphans = append(orphans, r)
		}
	}
	return orphans
}

// only returns the one unanswered request with this id; ambiguous is true when there are several.
func (p *pending) only(key envelope.Key) (r *request, ambiguous bool) {
	same := p.unsettled[key]
	if same.length > 1 {
		return nil, true
	}
	return same.first, false
}
