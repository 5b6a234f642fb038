package transport

import (
	"slices"
	"strconv"

	"strowger/actors"
	"strowger/actors/envelope"
	"strowger/actors/refusals"
)

// A service's policy may choose that its broadcasts are dropped for a reader that is too slow. Such broadcasts may use half
// of what may wait for one reader, and a goroutine writes an eighth of it at a time, so there is room for the rest
// whatever the service says. What is being written, and what came when nothing waited, is not dropped.

// The shares, as divisors, of what may wait for a reader.
const (
	dropsFrom = 2 // for broadcasts that may be dropped
	unloads   = 8 // of the backlog that are written next
)

// putDroppable is put of a broadcast that may be dropped.
func (sh *shard) putDroppable(s *socket, frame []byte, r *actors.Recorded, owed int32) {
	if s.closing {
		return
	}
	sh.chain(s, frame, owed)
	n := len(sh.nodes) - 1
	sh.drops = slices.Grow(sh.drops, n+1-len(sh.drops))[:n+1]
	sh.drops[n] = r
}

// droppable returns what is known of a node's frame if it may be dropped.
func (sh *shard) droppable(n int32) *actors.Recorded {
	if int(n) < len(sh.drops) {
		return sh.drops[n]
	}
	return nil
}

// pends reports whether something waits that no goroutine writes.
func (s *socket) pends() bool { return len(s.queue) > 0 || s.backlog != nil }

// forget lets go of all that waits.
func (s *socket) forget() {
	releaseAll(s.owed)
	if s.backlog != nil {
		for w := s.backlog.first; w != nil; w = w.next {
			w.lease.Release()
		}
	}
	s.queue, s.owed, s.backlog = nil, nil, nil
}

// charged returns what waits in the total of all readers.
func (b *backlog) charged() int64 {
	if b == nil {
		return 0
	}
	return b.share
}

// wait puts a node's frame behind all that waits for s. A frame that may be dropped may drop others, or not find room.
func (sh *shard) wait(s *socket, n int32, r *actors.Recorded) {
	if s.backlog == nil {
		s.backlog = &backlog{services: make(map[string]*shedding)}
	}
	b := s.backlog
	frame := sh.nodes[n].frame
	w := &waiter{frame: frame}
	if at := sh.nodes[n].owed; at > 0 {
		w.lease = sh.leases[at-1]
		sh.leases[at-1] = nil // not this batch's any more
	}
	var replaced *waiter
	if r != nil {
		w.of, w.key = b.of(r), r.Key
		var room bool
		if replaced, room = sh.room(s, w); !room {
			w.of.missed++
			sh.unsent++
			sh.deps.Counters.Dropped.Add(1)
			return
		}
		sh.count(s, 1, len(frame))
	}
	sh.owe(s, w, n, len(frame))
	b.push(w, replaced)
}

// room drops what must make room for a broadcast, and reports whether there is some. Replaced is what it takes the place of.
func (sh *shard) room(s *socket, newcomer *waiter) (replaced *waiter, room bool) {
	b, l := s.backlog, sh.limits.Load()
	messages, bytes := max(l.OutboundMessages/dropsFrom, 1), l.OutboundBytes/dropsFrom
	for {
		tooMany := b.messages >= messages
		over := sh.over(s, len(newcomer.frame), 0)
		if !over && (b.messages == 0 || !tooMany && b.bytes+int64(len(newcomer.frame)) <= bytes) {
			return replaced, true
		}
		w, replaces := b.victim(newcomer.of, newcomer.key, !tooMany)
		if w == nil {
			sh.tellDrops(s, newcomer.of.service)
			return nil, false
		}
		if replaces {
			replaced = w
			sh.deps.Counters.Replaced.Add(1)
		}
		sh.tellDrops(s, w.of.service)
		sh.drop(s, w)
	}
}

func (sh *shard) drop(s *socket, w *waiter) {
	s.backlog.drop(w)
	sh.count(s, -1, -len(w.frame))
	sh.charge(s, -w.share)
	sh.vacate(w.copies)
	s.free, s.freeBytes = min(s.free, s.waiting), min(s.freeBytes, s.bytes)
	sh.unsent++
	sh.deps.Counters.Dropped.Add(1)
}

// tellDrops logs once for each time of being slow that broadcasts of a service are dropped for s.
func (sh *shard) tellDrops(s *socket, service string) {
	of := s.backlog.services[service]
	if of.told {
		return
	}
	of.told = true
	s.cutOff(&refusals.Event{Cause: refusals.BroadcastsDropped, Kind: service,
		More: []any{"service", service, "messages", s.waiting, "bytes", s.bytes, "told", s.peer.Load().HearsGaps()}})
}

// unload moves a piece of the backlog into the queue, which is empty. What is left may still be dropped.
func (sh *shard) unload(s *socket) {
	b, l := s.backlog, sh.limits.Load()
	messages, bytes := max(l.OutboundMessages/unloads, 1), min(l.OutboundBytes/unloads, maxPiece)
	for size := int64(0); size < bytes && messages > 0 && b.first != nil; messages-- {
		w := b.first
		b.remove(w)
		size += int64(len(w.frame))
		if w.missed > 0 {
			sh.tellGap(s, w.of.service, w.missed)
		}
		s.queue = append(s.queue, w.frame)
		s.shares(w.copies)
		if w.lease != nil {
			s.owed = append(s.owed, w.lease)
		}
	}
	if b.first != nil {
		return
	}
	for _, of := range b.sorted() {
		if of.missed > 0 {
			sh.tellGap(s, of.service, of.missed)
		}
	}
	s.backlog = nil
}

// tellGap has the peer told how many broadcasts of a service are missing, if it has asked for that.
func (sh *shard) tellGap(s *socket, service string, missed int) {
	if !s.peer.Load().HearsGaps() {
		return
	}
	frame := sh.gap(service, missed)
	s.queue = append(s.queue, frame)
	sh.count(s, 1, len(frame))
	sh.unsent--
	sh.deps.Counters.GapsTold.Add(1)
}

// gap returns the frame that tells of missing broadcasts (protocol 14). No service can send its last key.
func (sh *shard) gap(service string, missed int) []byte {
	e := &envelope.Envelope{ServiceName: envelope.QuoteString(service)}
	return sh.egress.Encode(e, strconv.AppendInt(envelope.Raw(`,"gap":`), int64(missed), 10)).Form
}

// allOf returns all that waits for s as frames that are not dropped any more.
func (sh *shard) allOf(s *socket) [][]byte {
	if s.backlog == nil {
		return s.queue
	}
	all := slices.Clone(s.queue)
	s.backlog.each(func(service string, missed int, w *waiter) {
		if missed > 0 && s.peer.Load().HearsGaps() {
			all = append(all, sh.gap(service, missed))
		}
		if w != nil {
			all = append(all, w.frame)
		}
	})
	return all
}
