package transport

import (
	"cmp"
	"slices"
	"time"

	"strowger/actors"
	"strowger/actors/refusals"
)

// What waits for slow readers has two bounds besides those of each reader. A reader must take a least number of
// bytes in a second while something waits for it, and what waits for all readers together has a bound too. A message
// that many readers share counts once in this total, because it is in memory once.

// pace is how much a peer takes while something waits for it.
type pace struct {
	since int64  // seconds of the shard's clock
	from  uint64 // bytes that it had taken then
	took  uint64 // bytes since then, at the last tick
}

// relieve has the shard make room: what waits for all readers is over the bound.
type relieve struct{}

func (*relieve) toShard() {}

// common is the owed of a node whose frame goes to several sockets.
const common int32 = -1

// copies are the places in which one frame waits for sockets of the shard. It is in memory once, so the total has it once, as
// long as there is a place.
type copies struct {
	bytes  int64
	places int
}

// owe counts what waits for s of a node's frame. W is its place in the backlog, nil if it is in the queue.
func (sh *shard) owe(s *socket, w *waiter, n int32, bytes int) {
	node := &sh.nodes[n]
	if node.owed != common {
		sh.charge(s, int64(bytes))
		if w != nil {
			w.share = int64(bytes)
		}
		return
	}
	c := sh.copies[&node.frame[0]]
	if c == nil || c.places == 0 {
		c = &copies{bytes: int64(len(node.frame))}
		sh.copies[&node.frame[0]] = c
		sh.queued.Add(c.bytes)
	}
	c.places++
	if w != nil {
		w.copies = c
		return
	}
	s.shares(c)
}

// sharing has what waits for a socket of frames that others have too, but for its backlog.
type sharing struct {
	queued, flying []*copies // flying are being written
}

// shares notes a frame that is put into the queue; nil: it is for s alone.
func (s *socket) shares(c *copies) {
	if c == nil {
		return
	}
	if s.sharing == nil {
		s.sharing = new(sharing)
	}
	s.sharing.queued = append(s.sharing.queued, c)
}

// fly says that what is queued is being written.
func (s *sharing) fly() {
	if s != nil {
		s.queued, s.flying = nil, s.queued
	}
}

// land says that what was being written is queued again.
func (s *sharing) land() {
	if s != nil {
		s.queued, s.flying = append(s.flying, s.queued...), nil
	}
}

// vacate gives up a place; nil: there is none.
func (sh *shard) vacate(c *copies) {
	if c == nil {
		return
	}
	if c.places--; c.places == 0 {
		sh.queued.Add(-c.bytes)
	}
}

// flown gives up the places of what has been written for s.
func (sh *shard) flown(s *socket) {
	if s.sharing == nil {
		return
	}
	for _, c := range s.sharing.flying {
		sh.vacate(c)
	}
	s.sharing.flying = nil
	if len(s.sharing.queued) == 0 {
		s.sharing = nil
	}
}

// vacateAll gives up all places of s, which takes nothing any more.
func (sh *shard) vacateAll(s *socket) {
	if s.sharing != nil {
		s.sharing.land()
		s.sharing.fly()
		sh.flown(s)
	}
	if s.backlog != nil {
		for w := s.backlog.first; w != nil; w = w.next {
			sh.vacate(w.copies)
		}
	}
}

// charge notes in the total what waits for s alone, or has ceased to if bytes is negative.
func (sh *shard) charge(s *socket, bytes int64) {
	s.queued += bytes
	sh.queued.Add(bytes)
}

// QueuedBytes returns how many bytes wait for peers that read slowly. A message that several of them share counts once
// for each shard.
func (e *Egress) QueuedBytes() int64 {
	bytes := e.outside.bytes.Load()
	for _, sh := range e.shards {
		bytes += sh.queued.Load()
	}
	return bytes
}

// full reports whether what waits for all readers is over its bound.
func (e *Egress) full() bool {
	most := e.limits.Load().OutboundTotal
	return most > 0 && e.QueuedBytes() > most
}

// nearlyFull reports whether no request is to be added to what waits for a slow service.
func (sh *shard) nearlyFull() bool {
	most := sh.limits.Load().OutboundTotal
	return most > 0 && sh.egress.QueuedBytes() > enough(most)
}

// enough returns how much may still wait when slow readers have been cut off, so that not each further message cuts one off.
func enough(most int64) int64 { return most - most/8 }

// makeRoom has all shards cut off slow readers if what waits for all of them is over the bound.
func (sh *shard) makeRoom() {
	if !sh.egress.full() {
		return
	}
	sh.egress.relieveOutside()
	sh.egress.relieveShards(sh)
	sh.relieve()
}

// relieveShards has all shards but one make room, unless some of them have been told to and have not.
func (e *Egress) relieveShards(but *shard) {
	others := len(e.shards)
	if but != nil {
		others--
	}
	if !e.relieving.CompareAndSwap(0, int32(others)) {
		return
	}
	for _, sh := range e.shards {
		if sh != but {
			sh.post(&relieve{})
		}
	}
}

// part returns how much of what may wait each shard may have, and each server for requests that ask for no socket.
func (e *Egress) part(left int64) int64 {
	parts := int64(len(e.shards))
	if e.outside.bytes.Load() > 0 {
		parts++
	}
	return left / parts
}

// relieved makes room after relieveShards has asked for it.
func (sh *shard) relieved() {
	defer sh.egress.relieving.Add(-1)
	sh.relieve()
}

// relieve cuts off the slowest readers of the shard until enough is left, or until those that may be cut off have no more
// than the shard's part of that. Requests do not take a service down, so services stay.
func (sh *shard) relieve() {
	if !sh.egress.full() {
		return
	}
	limit := sh.limits.Load().OutboundTotal
	left := enough(limit)
	slow, stays := sh.slowest()
	for _, s := range slow {
		if sh.egress.QueuedBytes() <= left || sh.queued.Load()-stays <= sh.egress.part(left) {
			return
		}
		sh.deps.Counters.SlowConsumers.Add(1)
		s.cutOff(&refusals.Event{Cause: refusals.OutboundTotal, More: []any{"messages", s.waiting, "bytes", s.bytes, "limit", limit}})
		sh.abort(s)
	}
}

// slowest returns the sockets for which something waits and that may be cut off: first the one that would need the longest
// time for what waits for it. It also returns how many bytes wait for the others alone.
func (sh *shard) slowest() (slow []*socket, stays int64) {
	for s := range sh.sockets {
		if s.withheld || s.finished || s.mayDoNow() == actors.Service {
			stays += s.queued
		} else if s.bytes > 0 {
			slow = append(slow, s)
		}
	}
	slices.SortFunc(slow, func(a, b *socket) int {
		return cmp.Or(cmp.Compare(sh.needs(b), sh.needs(a)), cmp.Compare(b.bytes, a.bytes))
	})
	return slow, stays
}

// needs returns how many seconds s would need for what waits for it at its pace. One whose pace is not known yet is taken
// for fast.
func (sh *shard) needs(s *socket) float64 {
	p := sh.paces[s]
	if p == nil {
		return 0
	}
	return float64(s.bytes) * float64(max(sh.now.Load()-p.since, 1)) / float64(p.took+1)
}

// lags cuts a socket off, and returns true, if it has taken less than limits.outbound_rate says over the time of
// limits.write_timeout while something waited for it all the time. It is called every second. Slept says that the process
// did not run for a while.
func (sh *shard) lags(s *socket, seconds int64, slept bool, l *Limits) bool {
	if s.waiting == 0 || s.withheld || s.finished {
		return false
	}
	took := sh.taken(s)
	p := sh.paces[s]
	if p == nil || slept || took < p.from {
		sh.paces[s] = &pace{since: seconds, from: took}
		return false
	}
	p.took = took - p.from
	period := max(int64(l.WriteTimeout/time.Second), 1)
	if seconds-p.since < period {
		return false
	}
	if l.OutboundRate > 0 && int64(p.took)/(seconds-p.since) < l.OutboundRate {
		sh.deps.Counters.SlowConsumers.Add(1)
		s.cutOff(&refusals.Event{Cause: refusals.OutboundRate, More: []any{"messages", s.waiting, "bytes", s.bytes, "rate", int64(p.took) / (seconds - p.since), "limit", l.OutboundRate}})
		sh.abort(s)
		return true
	}
	*p = pace{since: seconds, from: took}
	return false
}

// taken returns how many bytes the peer of s has taken: what it has acknowledged, or what was written where the system does
// not tell.
func (sh *shard) taken(s *socket) uint64 {
	if bytes, known := sh.acked(s.conn); known {
		return bytes
	}
	return uint64(s.out + s.draining.Load())
}
