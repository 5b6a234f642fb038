package transport

import (
	"container/list"
	"net"
	"sync"
	"time"
)

// firstWord is how long a connection may at least take to show a token before it gives way. PHP services
// write their token's file only when they are asked for it.
const firstWord = 250 * time.Millisecond

// door knows the connections that have not authenticated, so that the oldest can give way to new ones.
// Otherwise a peer that says nothing could take every place and keep the services out. Its methods may be
// called from any goroutine.
type door struct {
	mu      sync.Mutex // Protects following, and the places.
	waiting list.List  // of *place, the oldest first
}

// place is a connection's at the door.
type place struct {
	conn   net.Conn
	socket *socket       // nil until the handshake is done
	at     *list.Element // nil: it does not wait
	since  time.Time     // when it was put on the list
	gone   bool          // it was told to give way, or it is admitted
}

// enter puts a connection last.
func (d *door) enter(conn net.Conn) *place {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := &place{conn: conn, since: time.Now()}
	p.at = d.waiting.PushBack(p)
	return p
}

// open notes that the handshake is done. It returns false if the connection was closed to make room.
func (d *door) open(p *place, s *socket) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if p.gone {
		return false
	}
	p.socket = s
	s.place = p
	return true
}

// leave takes a connection off for good, because it is admitted or has ended. p may be nil.
func (d *door) leave(p *place) {
	if p == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	p.gone = true
	d.remove(p)
}

// spare takes a connection off for as long as its token is looked at, and puts it last after that.
func (d *door) spare(p *place, busy bool) {
	if p == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case busy:
		d.remove(p)
	case p.at == nil && !p.gone:
		p.since = time.Now()
		p.at = d.waiting.PushBack(p)
	}
}

// remove takes a connection off the list. The caller holds mu.
func (d *door) remove(p *place) {
	if p.at != nil {
		d.waiting.Remove(p.at)
		p.at = nil
	}
}

// makeRoom ends the connection that waits longest. It returns false if none waits.
func (d *door) makeRoom() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	first := d.waiting.Front()
	if first == nil {
		return false
	}
	p := first.Value.(*place)
	p.gone = true
	d.remove(p)
	if p.socket == nil {
		// The handshake's goroutine sees its connection closed.
		_ = p.conn.Close()
		return true
	}
	p.socket.shard.post(&giveWay{p.socket})
	return true
}

// shrink ends the oldest until no more than limit wait. It returns how many there were too many.
func (d *door) shrink(limit int) int {
	n := 0
	for d.len() > limit && d.makeRoom() {
		n++
	}
	return n
}

// early returns how long the next connection should wait so that the oldest, which will give way to it,
// has had its time. It is 0 as long as fewer than limit wait.
func (d *door) early(limit int, now time.Time) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if limit == 0 || d.waiting.Len() < limit {
		return 0
	}
	oldest := d.waiting.Front().Value.(*place)
	return max(firstWord-now.Sub(oldest.since), 0)
}

func (d *door) len() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.waiting.Len()
}
