package transport

import (
	"cmp"
	"maps"
	"slices"

	"strowger/actors"
	"strowger/actors/runtime"
)

// backlog is what waits for a slow reader since a broadcast came that may be dropped for it (actors.Loss). What
// comes behind such a broadcast waits here too, so that all keeps its order. It belongs to the socket's shard.
type backlog struct {
	first, last *waiter
	came        uint64 // frames so far
	share       int64  // of what waits here in the total of all readers
	services    map[string]*shedding

	// Of the frames that may be dropped.
	messages int
	bytes    int64
}

// waiter is one frame that waits.
type waiter struct {
	frame      []byte
	share      int64          // of it in the total of all readers
	copies     *copies        // nil: it is for this reader alone
	lease      *runtime.Lease // that it holds until it is written; nil: none
	next, prev *waiter

	// Of one that may be dropped.
	of           *shedding // nil: it may not
	key          string
	number       uint64 // of those that came
	turn         uint64 // number of the first whose place it has taken, or its own
	missed       int    // of its service, dropped right before it
	newer, older *waiter
}

// shedding is what may be dropped of one service.
type shedding struct {
	service     string
	loss        actors.Loss
	first, last *waiter
	newest      map[string]*waiter // of each key
	messages    int
	bytes       int64
	told        bool // that something of it is dropped
	missed      int  // dropped, and nothing of the service waits behind it
}

// of returns what waits of the service that a broadcast is of.
func (b *backlog) of(r *actors.Recorded) *shedding {
	of := b.services[r.Service]
	if of == nil {
		of = &shedding{service: r.Service, newest: make(map[string]*waiter)}
		b.services[r.Service] = of
	}
	of.loss = r.Loss
	return of
}

// push adds a frame. It takes the place of replaced, which was dropped, unless that is nil.
func (b *backlog) push(w, replaced *waiter) {
	b.came++
	b.share += w.share
	w.number, w.turn = b.came, b.came
	if replaced != nil {
		w.turn = replaced.turn
	}
	if w.prev = b.last; w.prev != nil {
		w.prev.next = w
	} else {
		b.first = w
	}
	b.last = w
	of := w.of
	if of == nil {
		return
	}
	b.count(w, 1)
	w.missed, of.missed = of.missed, 0
	if w.older = of.last; w.older != nil {
		w.older.newer = w
	} else {
		of.first = w
	}
	of.last = w
	if w.key != "" {
		of.newest[w.key] = w
	}
}

func (b *backlog) count(w *waiter, n int) {
	size := int64(n * len(w.frame))
	b.messages += n
	b.bytes += size
	w.of.messages += n
	w.of.bytes += size
}

// remove takes a frame out.
func (b *backlog) remove(w *waiter) {
	b.share -= w.share
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		b.first = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		b.last = w.prev
	}
	of := w.of
	if of == nil {
		return
	}
	b.count(w, -1)
	if w.older != nil {
		w.older.newer = w.newer
	} else {
		of.first = w.newer
	}
	if w.newer != nil {
		w.newer.older = w.older
	} else {
		of.last = w.older
	}
	if of.newest[w.key] == w {
		delete(of.newest, w.key)
	}
}

// drop takes a frame out and leaves a gap in its place.
func (b *backlog) drop(w *waiter) {
	b.remove(w)
	if w.newer != nil {
		w.newer.missed += w.missed + 1
	} else {
		w.of.missed += w.missed + 1
	}
}

// victim returns what is dropped to make room for a broadcast, nil if there is nothing: with LoseOlder what the broadcast or
// another that waits takes the place of, or else the oldest of the service of which most waits. ByBytes says of
// what there is too much. Replaced says that the broadcast takes the victim's place.
func (b *backlog) victim(of *shedding, key string, byBytes bool) (w *waiter, replaced bool) {
	if of.loss == actors.LoseOlder {
		if older := of.newest[key]; older != nil && !b.had(older) {
			return older, true
		}
		if older := b.superseded(of); older != nil {
			return older, false
		}
	}
	if most := b.most(of, byBytes); most != nil {
		return most.first, false
	}
	return nil, false
}

// had reports whether a frame has waited its turn, so that it is not dropped for a newer one of its key. Otherwise a
// reader that is always slow would never hear of what changes most often.
func (b *backlog) had(w *waiter) bool { return w.turn < b.first.number }

// superseded returns the oldest frame of a service whose key a newer one has.
func (b *backlog) superseded(of *shedding) *waiter {
	for w := of.first; w != nil; w = w.newer {
		if w.key != "" && of.newest[w.key] != w && !b.had(w) {
			return w
		}
	}
	return nil
}

// most returns the service of which most waits, if need be that of the newcomer; nil if nothing may be dropped.
func (b *backlog) most(newcomer *shedding, byBytes bool) *shedding {
	most := newcomer
	for _, of := range b.services {
		more := cmp.Compare(of.messages, most.messages)
		if byBytes {
			more = cmp.Compare(of.bytes, most.bytes)
		}
		if more > 0 || more == 0 && most != newcomer && of.service < most.service {
			most = of
		}
	}
	if most.first == nil {
		return nil
	}
	return most
}

// sorted returns the services by their names.
func (b *backlog) sorted() []*shedding {
	return slices.SortedFunc(maps.Values(b.services), func(x, y *shedding) int { return cmp.Compare(x.service, y.service) })
}

// each calls f with all that is to be written, in its order: frames, and before them how many broadcasts of their
// service are missing, if any are. A gap at the end has no frame.
func (b *backlog) each(f func(service string, missed int, w *waiter)) {
	for w := b.first; w != nil; w = w.next {
		if w.missed > 0 {
			f(w.of.service, w.missed, w)
		} else {
			f("", 0, w)
		}
	}
	for _, of := range b.sorted() {
		if of.missed > 0 {
			f(of.service, of.missed, nil)
		}
	}
}
