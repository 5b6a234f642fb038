package actors

import (
	"math"
	"slices"
	"sync/atomic"
	"time"

	"strowger/actors/envelope"
	"strowger/actors/refusals"
)

// Open requests take memory: each has an entry in the table of its service, and keeps its message or a part of it. The
// messages of one asker have a bound in each table, and what all tables take together has one too.

const (
	// smallRequest is up to which size a message may be kept with its request.
	smallRequest = 4 << 10
	// requestBytes is what a request takes besides what it keeps of its message.
	requestBytes = 512
	// sparedRequests is how many requests an asker may have open at a service whatever the others have.
	sparedRequests = 16
)

// kept bounds what the requests of a table take.
type kept struct {
	all  *atomic.Int64 // bytes of all tables
	most func() int64  // for all tables; nil: no bound
	left []*asker      // that have left and may have requests in the table
	// blind is until when a reply without resource_id may be for somebody who was forgotten, by Deps.Awake.
	blind time.Time
}

// bound returns how many bytes all tables may take, 0 for any number.
func (k *kept) bound() int64 {
	if k.most == nil {
		return 0
	}
	return k.most()
}

// full reports whether all tables take so much that there is no room for another request, even if those who left are
// forgotten.
func (p *pending) full() bool {
	most := p.kept.bound()
	if most == 0 || p.kept.all.Load()+requestBytes <= most {
		return false
	}
	p.forgetLeft()
	return p.kept.all.Load()+requestBytes > most
}

// crowded reports whether all askers together have as many unanswered requests as they may, even if those who left are
// forgotten.
func (p *pending) crowded() bool {
	if p.most == nil {
		return false
	}
	most := p.most()
	if most == 0 || p.open < most {
		return false
	}
	p.forgetLeft()
	return p.open >= most
}

// holds reports whether there is room to keep a message of so many bytes whole. Messages have half of what all tables may
// take, so that they leave room for requests.
func (p *pending) holds(a *asker, bytes int, most int64) bool {
	all := p.kept.bound()
	return (most == 0 || a.bytes+int64(bytes) <= most) && (all == 0 || p.kept.all.Load()+int64(bytes) <= all/2)
}

// keep has r keep its message whole, or what an answer to it needs. Size is that of the whole message.
func (p *pending) keep(r *request, e *envelope.Envelope, size int, whole bool) {
	if !whole {
		if e = answerable(e); e == nil {
			return
		}
		size = e.Size()
	}
	r.envelope, r.whole, r.bytes = e, whole, int32(min(size, math.MaxInt32))
	r.asker.bytes += int64(r.bytes)
	p.kept.all.Add(int64(r.bytes))
}

// drop forgets the message of r.
func (p *pending) drop(r *request) {
	r.asker.bytes -= int64(r.bytes)
	p.kept.all.Add(-int64(r.bytes))
	r.envelope, r.bytes = nil, 0
}

// clear gives back what the table takes, when it is not needed any more.
func (p *pending) clear() {
	for r := p.ages.first; r != nil; r = r.links[byAge].next {
		p.drop(r)
		p.kept.all.Add(-requestBytes)
	}
}

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

// keep has a request keep of its message what it may need. Everywhere says that several nodes know a part of what is
// asked, so that the request may go to another one.
func (s *service) keep(r *request, m *ask, set *Settings, everywhere bool) {
	whole := everywhere || m.size <= smallRequest || set.Instances == Failover
	if whole && !everywhere && !s.pending.holds(r.asker, m.size, set.PendingBytes) {
		whole = false
		if set.Instances == Failover {
			s.refuse(refusals.Unkept, m.from)
		}
	}
	s.pending.keep(r, m.envelope, m.size, whole)
}
