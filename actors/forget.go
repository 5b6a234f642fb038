package actors

import (
	"slices"
	"time"

	"strowger/actors/envelope"
)

// gone forgets a subscriber, once nothing of what it asked is without a reply: until then a reply may
// come that must not be taken for somebody else's, nor for a broadcast.
// It calls left for each of its requests.
func (p *pending) gone(id string, left func(*request)) {
	a := p.askers[id]
	if a == nil {
		return
	}
	a.left = true
	for _, same := range a.renewed {
		for r, next := same.first, (*request)(nil); r != nil; r = next {
			next = r.links[byRenewal].next
			left(r)
			if r.unanswerable() {
				p.remove(r)
			}
		}
	}
	for _, r := range a.requests {
		left(r)
		if r.answered() || r.unanswerable() {
			p.remove(r)
			continue
		}
		p.drop(r)
	}
	if a.open == 0 {
		delete(p.askers, id)
		return
	}
	p.kept.left = append(p.kept.left, a)
}

// expire removes what is older than its deadline by grace. Until then an unanswered request still
// makes a reply without resource_id ambiguous, so that a late one cannot reach somebody else. It calls over for
// each request that it removes.
func (p *pending) expire(now time.Time, grace time.Duration, over func(*request)) {
	defer p.kept.trim()
	for r := p.ages.first; r != nil; r = p.ages.first {
		if now.Before(r.deadline.Add(grace)) {
			return
		}
		over(r)
		p.remove(r)
	}
}

// forgetLeft forgets the requests of those who left, to make room. Replies to them have a resource_id that is nobody's. For
// as long as one without resource_id may come, all such replies count as ambiguous. A request without an id stays, because
// without it the reply would be a broadcast.
func (p *pending) forgetLeft() {
	for _, a := range p.kept.left {
		if !a.left {
			continue // a visitor that has come back
		}
		for _, same := range a.renewed {
			for r, next := same.first, (*request)(nil); r != nil; r = next {
				next = r.links[byRenewal].next
				p.forget(r)
			}
		}
		for key, r := range a.requests {
			if key != (envelope.Key{}) {
				p.forget(r)
			}
		}
	}
	p.kept.left = nil
}

func (p *pending) forget(r *request) {
	if until := r.deadline.Add(r.allowed); until.After(p.kept.blind) {
		p.kept.blind = until
	}
	p.remove(r)
}

// trim drops those who left and have no request in the table any more.
func (k *kept) trim() {
	k.left = slices.DeleteFunc(k.left, func(a *asker) bool { return !a.left || a.open == 0 })
}
