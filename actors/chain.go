package actors

// The chains that a request can be in at the same time.
const (
	byAge     = iota // all of a service
	byKey            // those with the same id that have no reply yet, whoever asked
	byAnswer         // those of one subscriber that have a reply
	byRenewal        // those of one subscriber that had no reply when it used their id again
	chainCount
)

// chain is a list of requests, linked through the requests themselves: most of them live for a moment
// only and are worth no more than one allocation. The zero value is empty.
type chain struct {
	first, last *request
	length      int
}

type link struct {
	next, prev *request
	in         bool
}

// push puts r, which is not in the chain, at its end.
func (c *chain) push(which int, r *request) {
	r.links[which] = link{prev: c.last, in: true}
	if c.last == nil {
		c.first = r
	} else {
		c.last.links[which].next = r
	}
	c.last = r
	c.length++
}

// remove takes r, which is in the chain, out of it.
func (c *chain) remove(which int, r *request) {
	l := r.links[which]
	if l.prev == nil {
		c.first = l.next
	} else {
		l.prev.links[which].next = l.next
	}
	if l.next == nil {
		c.last = l.prev
	} else {
		l.next.links[which].prev = l.prev
	}
	r.links[which] = link{}
	c.length--
}
