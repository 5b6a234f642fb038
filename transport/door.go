package transport

import (
	"container/list"
	"net"
	"sync"
	"time"

	"strowger/actors"
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
	clients int        // places that clients have
	leaving int        // connections that were told to give way and still have their descriptors
	fewer   sync.Cond  // signalled when leaving becomes smaller or the door stops; it has its lock from calm
	stopped bool
}

// place is a connection's at the door.
type place struct {
	conn       net.Conn
	socket     *socket       // nil until the handshake is done
	at         *list.Element // nil: it does not wait
	since      time.Time     // when it was put on the list
	gone       bool          // it was told to give way, or it is admitted
	leaving    bool          // it was told to give way and counts in leaving
	client     bool          // it has one of the places for clients
	turnedAway bool          // it found none, and is being closed
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

// take gives away one of the places for clients, whether there is one or not. A call of end gives it back.
func (d *door) take() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clients++
}

// stays returns actors.ErrGivenWay if a connection was told to give way or has ended. p may be nil.
func (d *door) stays(p *place) error {
	if p == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if p.gone {
		return actors.ErrGivenWay
	}
	return nil
}

// seat gives a connection one of the places for clients, of which there are limit. If all are taken it
// returns actors.ErrNoPlace, and the connection will be the next to give way. p may be nil.
func (d *door) seat(p *place, limit int) error {
	if p == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case p.gone:
		return actors.ErrGivenWay
	case p.client:
		return nil
	case d.clients >= limit:
		p.turnedAway = true
		return actors.ErrNoPlace
	}
	p.client = true
	d.clients++
	return nil
}

// admit takes a connection off for good, because it is admitted. It reports whether the connection has one of
// the places for clients, which it keeps until end. p may be nil.
func (d *door) admit(p *place) (client bool) {
	if p == nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	client, p.client = p.client, false
	p.gone = true
	d.remove(p)
	d.left(p)
	return client
}

// end takes a connection off that is closed. Client is what admit said, and p is nil after an admit.
func (d *door) end(p *place, client bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if client || p != nil && p.client {
		d.clients--
	}
	if p == nil {
		return
	}
	p.client, p.gone = false, true
	d.remove(p)
	d.left(p)
}

// left notes that a connection does not leave any more: it is closed, or it was admitted just before it would have
// given way. The caller holds mu.
func (d *door) left(p *place) {
	if p.leaving {
		p.leaving = false
		d.leaving--
		d.fewer.Signal()
	}
}

// calm waits until fewer than limit connections are leaving, or the door stops. Each of those still has a
// descriptor. It is for one goroutine.
func (d *door) calm(limit int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fewer.L = &d.mu
	for d.leaving >= limit && !d.stopped {
		d.fewer.Wait()
	}
}

// stop has calm return, from now on without waiting.
func (d *door) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
	d.fewer.Signal()
}

// seated returns how many places clients have.
func (d *door) seated() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.clients
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
	case p.at == nil && !p.gone && p.turnedAway:
		p.since = time.Time{}
		p.at = d.waiting.PushFront(p)
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
	p.gone, p.leaving = true, true
	d.leaving++
	d.remove(p)
	if p.socket == nil {
		// Whoever shakes hands sees the connection end.
		dismiss(p.conn)
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
