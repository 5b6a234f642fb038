package cluster

import (
	"encoding/binary"
	"slices"
)

// batchBytes is up to how many bytes of items go in one message, if more than one waits.
const batchBytes = 32 << 10

// keptBuffer is how long a buffer for messages may be between two of them.
const keptBuffer = 1 << 20

// publisher publishes all that is queued. It belongs to one goroutine.
type publisher struct {
	links *Links
	batch []entry
	buf   []byte
	item  []byte // the encoded items of the batch
	// refusing is true after the bus has returned an error.
	refusing bool
}

// publish runs until the Links are closed and the queues empty, or until they are stopped.
func (l *Links) publish() {
	defer close(l.published)
	p := &publisher{links: l}
	for p.next() {
	}
}

// next publishes one thing, or waits for one. It returns false when there will be none.
func (p *publisher) next() bool {
	l := p.links
	most := l.o.Conn.MaxBytes()
	l.mu.Lock()
	switch {
	case l.stage == stopped:
		l.unlock()
		return false
	case l.beat:
		l.beat = false
		beat := l.say(false)
		l.unlock()
		p.send(l.subject, beat)
	case len(l.ring) > 0:
		m := l.turn()
		p.take(m, most)
		l.unlock()
		p.batchOut(m, most)
	case l.stage == closing:
		bye := l.say(true)
		l.unlock()
		p.send(l.subject, bye)
		return false
	default:
		l.unlock()
		<-l.wake
	}
	return true
}

// turn returns the next node that has something to publish.
func (l *Links) turn() *member {
	m := l.ring[0]
	l.ring = slices.Delete(l.ring, 0, 1) // it is as short as the list of nodes
	return m
}

// take takes what goes in one message: one control message, or items whose numbers follow each other.
func (p *publisher) take(m *member, most int) {
	l, q := p.links, &m.out
	waiting := q.entries[q.head:]
	n, room := 0, min(batchBytes, most)-maxHeader
	for n < len(waiting) && n < maxItems {
		e := &waiting[n]
		// What an entry costs is more than what it has encoded.
		room -= e.cost
		if n > 0 && (room < 0 || e.control != 0 || waiting[0].control != 0 || e.number != waiting[n-1].number+1) {
			break
		}
		n++
	}
	p.batch = q.pop(p.batch[:0], n)
	if n > 0 && p.batch[0].control == kindMark {
		p.batch[0].mark()
	}
	if q.waits = q.len() > 0; q.waits {
		l.ring = append(l.ring, m)
	}
}

// mark has a mark say what holds now.
func (e *entry) mark() {
	s := e.of
	s.marked, s.owes = false, false
	e.heard, e.wants = s.received, s.acked < e.number
}

// sum is what was published.
type sum struct{ messages, bytes, parcels uint64 }

// batchOut publishes what take has taken.
func (p *publisher) batchOut(m *member, most int) {
	if len(p.batch) == 0 {
		return
	}
	var did sum
	if e := &p.batch[0]; e.control != 0 {
		h := header{kind: e.control, session: e.session, first: e.number, count: e.heard, more: e.wants}
		p.message(&did, m, &h, nil)
	} else {
		p.items(&did, m, most)
	}
	var cost int64
	for i := range p.batch {
		cost += int64(p.batch[i].cost)
		if parcel := p.batch[i].parcel; parcel != nil {
			did.parcels++
			parcel.Lease.Release()
		}
	}
	clear(p.batch)
	l := p.links
	l.mu.Lock()
	m.out.bytes -= cost
	m.stats.bytesSent += did.bytes
	m.stats.parcelsSent += did.parcels
	l.counts.MessagesSent += did.messages
	l.counts.BytesSent += did.bytes
	l.counts.ParcelsSent += did.parcels
	l.unlock()
}

// items publishes the items of the batch.
func (p *publisher) items(did *sum, m *member, most int) {
	p.item = p.item[:0]
	for i := range p.batch {
		begin := len(p.item)
		p.item = append(p.item, 0, 0, 0, 0)
		if e := &p.batch[i]; e.parcel != nil {
			p.item = appendParcel(p.item, e.parcel)
		} else {
			p.item = append(p.item, e.news...)
		}
		binary.BigEndian.PutUint32(p.item[begin:], uint32(len(p.item)-begin-4))
	}
	first := &p.batch[0]
	if len(p.item)+maxHeader <= most {
		h := header{kind: kindItems, session: first.session, first: first.number, count: uint64(len(p.batch))}
		p.message(did, m, &h, p.item)
	} else {
		// A batch is never longer than a message, so there is one item.
		p.fragments(did, m, first, most)
	}
	if cap(p.item) > keptBuffer {
		p.item, p.buf = nil, nil
	}
}

// fragments publishes an item that is longer than a message.
func (p *publisher) fragments(did *sum, m *member, e *entry, most int) {
	rest := p.item[4:]
	size := max(most-maxHeader, 1)
	h := header{kind: kindFragment, session: e.session, first: e.number, more: true}
	for h.more {
		n := min(size, len(rest))
		h.more = n < len(rest)
		p.message(did, m, &h, rest[:n])
		rest = rest[n:]
		h.count++
	}
}

// message publishes one message to a node.
func (p *publisher) message(did *sum, m *member, h *header, body []byte) {
	h.version, h.sender = byte(p.links.protocol), p.links.id
	p.buf = append(h.append(p.buf[:0]), body...)
	did.messages++
	did.bytes += uint64(len(p.buf))
	p.send(m.subject, p.buf)
}

// send publishes data. What is lost is noticed by the other node.
func (p *publisher) send(subject string, data []byte) {
	l := p.links
	err := l.o.Conn.Publish(subject, data)
	if err == nil && !p.refusing {
		return
	}
	l.mu.Lock()
	defer l.unlock()
	if err == nil {
		p.refusing = false
		l.later(func() { l.o.Log.Info("the bus takes messages again") })
		return
	}
	l.counts.PublishErrors++
	if !p.refusing {
		p.refusing = true
		l.later(func() { l.o.Log.Warn("the bus does not take messages", "err", err) })
	}
}
