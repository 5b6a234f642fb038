package web

import (
	"container/list"
	"context"
	"crypto/sha256"
	"net/http"
	"sync"
	"time"

	"strowger/actors/refusals"
)

// keyHeader has the key under which an answer is kept.
const keyHeader = "Idempotency-Key"

// maxKey is how long a key may be, in bytes.
const maxKey = 255

// memory keeps answers for their keys, so that a request that is sent again is not carried out again.
type memory struct {
	mu     sync.Mutex // Protects following.
	all    map[memoryKey]*memorized
	aged   list.List // of *memorized with an answer, the oldest first
	bytes  int64     // of them
	owners map[memoryKey]*owner
}

// owner is a sender whose requests are remembered. When there is no room it is the one with the most that has its oldest
// answer forgotten, so one sender cannot have the answers of others forgotten.
type owner struct {
	key   memoryKey
	keys  int       // also of requests that are under way
	aged  list.List // of *memorized with an answer, the oldest first
	bytes int64     // of them
}

func (o *owner) first() *memorized { return o.aged.Front().Value.(*memorized) }

// memoryKey is a hash of an identity, or of one and its key, so that long ones take no memory.
type memoryKey [sha256.Size]byte

// memorized is a request with a key.
type memorized struct {
	key    memoryKey
	owner  *owner
	body   [sha256.Size]byte
	done   chan struct{} // closed when answer is set, or the request has got none
	answer *answer       // nil: it is being carried out, or could not be
	until  time.Time
	place  *list.Element // among all
	own    *list.Element // among those of its owner
}

// overhead is about what an answer takes besides its text, in bytes.
const overhead = 512

func (m *memory) init() {
	m.all, m.owners = make(map[memoryKey]*memorized), make(map[memoryKey]*owner)
}

// size returns how many answers are kept, and their bytes.
func (m *memory) size() (keys, bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return int64(len(m.all)), m.bytes
}

// begin returns the request of a sender that has the key. It is new if the caller is to carry it out, and then end follows.
// It is nil if there is no room.
func (m *memory) begin(who, key memoryKey, body [sha256.Size]byte, l *Limits, now time.Time) (r *memorized, isNew bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire(now)
	if r := m.all[key]; r != nil {
		return r, false
	}
	o := m.owners[who]
	for len(m.all) >= l.IdempotencyKeys {
		most := m.most(func(o *owner) int64 { return int64(o.keys) })
		if most == nil || o != nil && o.keys > most.keys {
			return nil, false
		}
		m.forget(most.first())
	}
	if o = m.owners[who]; o == nil {
		o = &owner{key: who}
		m.owners[who] = o
	}
	o.keys++
	r = &memorized{key: key, owner: o, body: body, done: make(chan struct{})}
	m.all[key] = r
	return r, true
}

// end keeps the answer to a request, or forgets the request if a is nil.
func (m *memory) end(r *memorized, a *answer, l *Limits, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer close(r.done)
	if a == nil {
		m.drop(r)
		return
	}
	r.answer, r.until = a, now.Add(l.IdempotencyLifetime)
	r.place, r.own = m.aged.PushBack(r), r.owner.aged.PushBack(r)
	m.bytes += r.size()
	r.owner.bytes += r.size()
	for m.bytes > l.IdempotencyBytes {
		m.forget(m.most(func(o *owner) int64 { return o.bytes }).first())
	}
}

// most returns the owner of which there is the most, out of those with an answer; nil: there is none. Out of several it is
// the one with the oldest answer.
func (m *memory) most(of func(*owner) int64) *owner {
	var most *owner
	for _, o := range m.owners {
		switch {
		case o.aged.Len() == 0:
		case most == nil || of(o) > of(most):
			most = o
		case of(o) == of(most) && o.first().until.Before(most.first().until):
			most = o
		}
	}
	return most
}

func (r *memorized) size() int64 { return overhead + int64(len(r.answer.text)) }

// expire forgets those whose time is over.
func (m *memory) expire(now time.Time) {
	for first := m.aged.Front(); first != nil && !first.Value.(*memorized).until.After(now); first = m.aged.Front() {
		m.forget(first.Value.(*memorized))
	}
}

func (m *memory) forget(r *memorized) {
	m.aged.Remove(r.place)
	r.owner.aged.Remove(r.own)
	m.bytes -= r.size()
	r.owner.bytes -= r.size()
	m.drop(r)
}

// drop forgets a request without an answer.
func (m *memory) drop(r *memorized) {
	delete(m.all, r.key)
	if r.owner.keys--; r.owner.keys == 0 {
		delete(m.owners, r.owner.key)
	}
}

// once has a request carried out, unless one with its key was before. Then it returns the answer to that one. Who is the
// sender, and scope says whose key it is. A request with a key goes on when its peer has gone, because the peer may come
// back for the answer.
func (h *Handler) once(r *http.Request, l *Limits, who, scope string, raw []byte, carry func(context.Context) (*answer, *problem)) (*answer, *problem) {
	ctx, key := r.Context(), r.Header.Get(keyHeader)
	if key == "" || l.IdempotencyLifetime == 0 {
		return carry(ctx)
	}
	if len(key) > maxKey {
		return nil, &problem{status: http.StatusBadRequest, text: keyHeader + " is too long"}
	}
	body := sha256.Sum256(raw)
	// A zero byte stands in no header and in no quoted text.
	known, isNew := h.memory.begin(sha256.Sum256([]byte(who)), sha256.Sum256([]byte(scope+"\x00"+key)), body, l, h.deps.Awake())
	switch {
	case known == nil:
		return nil, tooManyKeys
	case isNew:
		return h.carryOut(context.WithoutCancel(ctx), known, l, carry)
	case known.body != body:
		return nil, &problem{status: http.StatusUnprocessableEntity, text: "the key was used for another body"}
	}
	select {
	case <-known.done:
	case <-ctx.Done():
		return nil, &problem{status: http.StatusServiceUnavailable, text: "the request has ended", last: true}
	}
	if known.answer == nil {
		return nil, &problem{status: http.StatusConflict, text: "the request with this key has failed, and may have been carried out"}
	}
	h.counts.repeated.Add(1)
	return known.answer, nil
}

// carryOut has a request carried out and keeps its answer, whatever it is: nobody knows what a request has done that got
// none.
func (h *Handler) carryOut(ctx context.Context, r *memorized, l *Limits, carry func(context.Context) (*answer, *problem)) (*answer, *problem) {
	var done *answer // nil after a panic
	defer func() { h.memory.end(r, done, l, h.deps.Awake()) }()
	ctx, cancel := context.WithTimeout(ctx, h.deps.Settings.Load().RequestTimeout+2*grace)
	defer cancel()
	a, p := carry(ctx)
	if p != nil {
		a = &answer{p.status, p.json()}
	}
	done = a
	return a, p
}

var tooManyKeys = &problem{status: http.StatusServiceUnavailable, text: "too many requests with a key are under way, see http.idempotency_keys",
	setting: "http.idempotency_keys", cause: refusals.IdempotencyKeys, counted: true}
