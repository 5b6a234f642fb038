package runner

// line is what waits for a service, by asker. Those who wait take turns: each has its oldest served, and what one asker has
// waits in its order. So nobody waits for more than about one of each other asker. The zero value is empty.
type line[T any] struct {
	next    *place[T] // whose turn it is, in a ring of those for whom something waits; nil: nobody's
	askers  int       // in the ring
	length  int
	indexed bool // byAsker has the ring
	byAsker map[string]*place[T]
	spare   []*place[T] // to be used again
}

// place is what waits of one asker.
type place[T any] struct {
	asker         string
	waiting       []T
	served        int // of waiting
	before, after *place[T]
}

const (
	scanned    = 8  // so many askers are found without an index
	spared     = 64 // so many places are kept to be used again
	sparedRoom = 64 // with so much room
	weighed    = 64 // so many askers are looked at to find who has most
)

func (p *place[T]) length() int { return len(p.waiting) - p.served }

// push adds something behind what waits of the same asker.
func (l *line[T]) push(asker string, x T) {
	p := l.find(asker)
	if p == nil {
		p = l.enter(asker)
	}
	p.waiting = append(p.waiting, x)
	l.length++
}

// pop takes out what is served next. It is not ok if nothing waits.
func (l *line[T]) pop() (x T, ok bool) {
	p := l.next
	if p == nil {
		return x, false
	}
	var none T
	x, p.waiting[p.served] = p.waiting[p.served], none
	p.served++
	l.length--
	l.next = p.after
	switch {
	case p.length() == 0:
		l.leave(p)
	case p.served > len(p.waiting)/2:
		p.waiting = append(p.waiting[:0], p.waiting[p.served:]...)
		clear(p.waiting[len(p.waiting):cap(p.waiting)][:p.served])
		p.served = 0
	}
	return x, true
}

// yield takes out the newest of the asker who has most, of those whose turn comes first. It is not ok if none of them has
// more than one more than asker.
func (l *line[T]) yield(asker string) (x T, ok bool) {
	most, heaviest := 1, (*place[T])(nil)
	if own := l.find(asker); own != nil {
		most += own.length()
	}
	for n, p := 0, l.next; n < min(l.askers, weighed); n, p = n+1, p.after {
		if p.length() > most {
			most, heaviest = p.length(), p
		}
	}
	if heaviest == nil {
		return x, false
	}
	var none T
	last := len(heaviest.waiting) - 1
	x, heaviest.waiting[last] = heaviest.waiting[last], none
	heaviest.waiting = heaviest.waiting[:last]
	l.length--
	return x, true
}

// clear forgets all.
func (l *line[T]) clear() { *l = line[T]{} }

// find returns the place of an asker, nil if nothing waits of it.
func (l *line[T]) find(asker string) *place[T] {
	if l.indexed {
		return l.byAsker[asker]
	}
	for n, p := 0, l.next; n < l.askers; n, p = n+1, p.after {
		if p.asker == asker {
			return p
		}
	}
	return nil
}

// enter makes a place behind all others.
func (l *line[T]) enter(asker string) *place[T] {
	p := l.vacant()
	p.asker = asker
	if l.next == nil {
		p.before, p.after, l.next = p, p, p
	} else {
		p.before, p.after = l.next.before, l.next
		p.before.after, p.after.before = p, p
	}
	l.askers++
	switch {
	case l.indexed:
		l.byAsker[asker] = p
	case l.askers > scanned:
		l.index()
	}
	return p
}

// vacant returns a place that nobody has.
func (l *line[T]) vacant() *place[T] {
	last := len(l.spare) - 1
	if last < 0 {
		return new(place[T])
	}
	p := l.spare[last]
	l.spare[last] = nil
	l.spare = l.spare[:last]
	return p
}

// index has find use the index as long as anything waits.
func (l *line[T]) index() {
	l.byAsker, l.indexed = make(map[string]*place[T]), true
	for n, p := 0, l.next; n < l.askers; n, p = n+1, p.after {
		l.byAsker[p.asker] = p
	}
}

// leave takes an empty place out.
func (l *line[T]) leave(p *place[T]) {
	l.askers--
	p.before.after, p.after.before = p.after, p.before
	if l.next == p {
		l.next = p.after
	}
	if l.indexed {
		delete(l.byAsker, p.asker)
	}
	if l.askers == 0 {
		l.next, l.byAsker, l.indexed = nil, nil, false
	}
	if len(l.spare) < spared && cap(p.waiting) <= sparedRoom {
		*p = place[T]{waiting: p.waiting[:0]}
		l.spare = append(l.spare, p)
	}
}
