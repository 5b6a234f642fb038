package transport

import (
	"cmp"
	"slices"
	"sync/atomic"

	"strowger/actors"
	"strowger/actors/refusals"
)

// What clients send has a bound for all of them together: messages that are not complete, and those that are under way. Short
// messages do not count, because the window of each connection lets few of them in. Services do not count either: they are
// few, and a flood of clients must not take one down.

// inbound is what clients have sent that is in memory.
type inbound struct {
	bytes     atomic.Int64
	relieving atomic.Int32 // shards that have been told to cut clients off and have not
}

// dropped is in held of a reader whose peer was cut off: it counts no more.
const dropped = -1

// unburden has the shard cut off the clients that hold most of what is in memory.
type unburden struct{}

func (*unburden) toShard() {}

// InboundBytes returns how many bytes of long messages of clients are not complete or under way.
func (e *Egress) InboundBytes() int64 { return e.inbound.bytes.Load() }

// burdened reports whether clients have sent more than may be in memory.
func (e *Egress) burdened() bool {
	most := e.limits.Load().InboundTotal
	return most > 0 && e.inbound.bytes.Load() > most
}

// keep notes that so many more bytes of the peer are in memory, or fewer if n is negative.
func (r *reader) keep(n int64) {
	e := r.socket.shard.egress
	for {
		held := r.held.Load()
		if held == dropped {
			return
		}
		if r.held.CompareAndSwap(held, held+n) {
			break
		}
	}
	e.inbound.bytes.Add(n)
	if n > 0 && e.burdened() && e.inbound.relieving.CompareAndSwap(0, int32(len(e.shards))) {
		for _, sh := range e.shards {
			sh.post(&unburden{})
		}
	}
}

// drop has what the peer has sent count no more, and returns how much that was. It is given back a moment later.
func (r *reader) drop() int64 {
	held := max(r.held.Swap(dropped), 0)
	r.socket.shard.egress.inbound.bytes.Add(-held)
	return held
}

// keepPart notes how many bytes of a message there are that is not complete.
func (r *reader) keepPart(bytes int) {
	part := int64(0)
	if bytes > short && r.socket.mayDoNow() == actors.Client {
		part = int64(bytes)
	}
	if part != r.part {
		n := part - r.part
		r.part = part
		r.keep(n)
	}
}

// keepWhole notes that a message is complete. It counts until the function is called that keepWhole returns, nil if it does
// not count.
func (r *reader) keepWhole(bytes int) (done func()) {
	if bytes <= short || r.socket.mayDoNow() != actors.Client {
		return nil
	}
	n := int64(bytes)
	r.keepPart(0)
	r.keep(n)
	return func() { r.keep(-n) }
}

// unburden cuts off the clients of the shard that hold most, until enough is left, or until the shard has no more than its
// part of that.
func (sh *shard) unburden() {
	e := sh.egress
	defer e.inbound.relieving.Add(-1)
	if !e.burdened() {
		return
	}
	limit := sh.limits.Load().InboundTotal
	left := enough(limit)
	most, own := sh.heaviest()
	for _, s := range most {
		if e.inbound.bytes.Load() <= left || own <= left/int64(len(e.shards)) {
			return
		}
		held := s.reader.drop()
		own -= held
		s.cutOff(&refusals.Event{Cause: refusals.InboundTotal, More: []any{"bytes", held, "limit", limit}})
		sh.abort(s)
	}
}

// heaviest returns the sockets that hold something of what they have sent, first the one that holds most, and how much all
// of them hold.
func (sh *shard) heaviest() (all []*socket, bytes int64) {
	for s := range sh.sockets {
		if held := s.reader.held.Load(); held > 0 && !s.finished && !s.withheld {
			all = append(all, s)
			bytes += held
		}
	}
	slices.SortFunc(all, func(a, b *socket) int { return cmp.Compare(b.reader.held.Load(), a.reader.held.Load()) })
	return all, bytes
}
