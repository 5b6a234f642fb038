package cluster

import (
	"slices"

	"strowger/actors"
)

// entryCost is what an entry counts besides its bytes.
const entryCost = 128

// entry is one thing to be published to one node.
type entry struct {
	session uint64
	number  uint64 // the sequence number; of a mark, the last one before it
	cost    int
	control kind           // begin, reset or mark; 0: it is an item
	of      *session       // of a mark
	heard   uint64         // of a mark, see header.count
	wants   bool           // of a mark, see header.more
	parcel  *actors.Parcel // an item, or
	news    []byte         // an item that is encoded already
}

// queue is what waits to be published to one node.
type queue struct {
	entries []entry
	head    int   // of entries, those before it are gone
	bytes   int64 // with what is being published
	waits   bool  // it has its turn in the ring
}

func (q *queue) len() int { return len(q.entries) - q.head }

// pop removes the first n entries and appends them to dst.
func (q *queue) pop(dst []entry, n int) []entry {
	dst = append(dst, q.entries[q.head:q.head+n]...)
	clear(q.entries[q.head : q.head+n])
	q.head += n
	switch {
	case q.head == len(q.entries):
		q.entries, q.head = q.entries[:0], 0
		if cap(q.entries) > keptEntries {
			q.entries = nil
		}
	case q.head > len(q.entries)/2:
		q.entries = slices.Delete(q.entries, 0, q.head)
		q.head = 0
	}
	return dst
}

// keptEntries is how many entries an empty queue keeps room for.
const keptEntries = 1024

// push adds an entry to the queue of a node.
func (l *Links) push(m *member, e entry) {
	m.out.entries = append(m.out.entries, e)
	m.out.bytes += int64(e.cost)
	if !m.out.waits {
		m.out.waits = true
		l.ring = append(l.ring, m)
		signal(l.wake)
	}
}

// discard drops all that waits for a node.
func (l *Links) discard(m *member) {
	dropped := m.out.pop(nil, m.out.len())
	for i := range dropped {
		m.out.bytes -= int64(dropped[i].cost)
		if p := dropped[i].parcel; p != nil {
			l.counts.ParcelsDropped++
			m.stats.dropped++
			l.later(p.Lease.Release)
		}
	}
}
