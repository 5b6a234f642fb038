package runner

import (
	"container/heap"
	"time"
)

// table is an instance's open requests, by deadline and by subscriber. Its owner's lock protects
// it and the entries.
type table struct {
	byDeadline deadlines
	bySender   map[string]*Request // the first of a list through next
	line       line[*Request]      // of those that no life has looked at, whatever has become of them
}

// entry is what the table knows of a request.
type entry struct {
	due            time.Time // when the deadline has come, by Instance.awake
	at             int       // in the heap; -1: not open
	next, previous *Request
	taker          *life // that has looked at it; nil: none yet
}

func newTable() table { return table{bySender: make(map[string]*Request)} }

func (t *table) len() int { return len(t.byDeadline) }

func (t *table) add(r *Request) {
	heap.Push(&t.byDeadline, r)
	r.next = t.bySender[r.sender]
	if r.next != nil {
		r.next.previous = r
	}
	t.bySender[r.sender] = r
	t.line.push(r.sender, r)
}

// remove takes a request out; it is no harm if it is not there.
func (t *table) remove(r *Request) {
	if r.at < 0 {
		return
	}
	heap.Remove(&t.byDeadline, r.at)
	if r.next != nil {
		r.next.previous = r.previous
	}
	switch {
	case r.previous != nil:
		r.previous.next = r.next
	case r.next != nil:
		t.bySender[r.sender] = r.next
	default:
		delete(t.bySender, r.sender)
	}
	r.next, r.previous = nil, nil
}

func (t *table) earliest() (time.Time, bool) {
	if len(t.byDeadline) == 0 {
		return time.Time{}, false
	}
	return t.byDeadline[0].due, true
}

// due takes out the requests whose deadline has come, in its order.
func (t *table) due(now time.Time) []*Request {
	var due []*Request
	for len(t.byDeadline) > 0 && !t.byDeadline[0].due.After(now) {
		r := t.byDeadline[0]
		due = append(due, r)
		t.remove(r)
	}
	return due
}

// of returns the requests of one subscriber.
func (t *table) of(sender string) []*Request {
	var found []*Request
	for r := t.bySender[sender]; r != nil; r = r.next {
		found = append(found, r)
	}
	return found
}

// all returns the requests that which picks.
func (t *table) all(which func(r *Request) bool) []*Request {
	var found []*Request
	for _, r := range t.byDeadline {
		if which(r) {
			found = append(found, r)
		}
	}
	return found
}

// deadlines is a heap, the earliest first.
type deadlines []*Request

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].due.Before(d[j].due) }

func (d deadlines) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].at, d[j].at = i, j
}

// Push is for package heap.
func (d *deadlines) Push(x any) {
	r := x.(*Request)
	r.at = len(*d)
	*d = append(*d, r)
}

// Pop is for package heap.
func (d *deadlines) Pop() any {
	last := len(*d) - 1
	r := (*d)[last]
	(*d)[last] = nil
	*d = (*d)[:last]
	r.at = -1
	return r
}
