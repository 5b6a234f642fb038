package cluster

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"strowger/actors"
)

// instanceKey names an instance of a service.
type instanceKey struct{ name, id string }

// table is what a node offers and watches.
type table struct {
	offered map[instanceKey]offeredRow
	watched map[string]bool
	rows    uint64 // counts what was ever offered
}

// offeredRow is an instance with its place among the others.
type offeredRow struct {
	place uint64
	actors.Offered
}

func (t *table) offer(o actors.Offered) {
	if t.offered == nil {
		t.offered = map[instanceKey]offeredRow{}
	}
	key := instanceKey{o.Name, o.ID}
	row, ok := t.offered[key]
	if !ok {
		t.rows++
		row.place = t.rows
	}
	row.Offered = o
	t.offered[key] = row
}

// withdraw returns false if there is no such instance.
func (t *table) withdraw(name, id string) bool {
	key := instanceKey{name, id}
	_, ok := t.offered[key]
	delete(t.offered, key)
	return ok
}

func (t *table) watch(name string) {
	if t.watched == nil {
		t.watched = map[string]bool{}
	}
	t.watched[name] = true
}

// unwatch returns false if the name is not watched.
func (t *table) unwatch(name string) bool {
	ok := t.watched[name]
	delete(t.watched, name)
	return ok
}

// instances returns what is offered in the order in which it was offered first.
func (t *table) instances() []actors.Offered {
	rows := slices.SortedFunc(maps.Values(t.offered), func(a, b offeredRow) int { return cmp.Compare(a.place, b.place) })
	all := make([]actors.Offered, len(rows))
	for i, row := range rows {
		all[i] = row.Offered
	}
	return all
}

// names returns what is watched, sorted.
func (t *table) names() []string { return slices.Sorted(maps.Keys(t.watched)) }

// Offered implements actors.Cluster.
func (l *Links) Offered(o actors.Offered, done func()) {
	// A name may be a part of a long message, which would be kept with it.
	o.Name, o.ID, o.Class = strings.Clone(o.Name), strings.Clone(o.ID), strings.Clone(o.Class)
	l.mu.Lock()
	defer l.unlock()
	l.table.offer(o)
	l.tell(done, func(number uint64) []byte { return appendOffered(nil, number, &o) })
	l.touch()
}

// Withdrawn implements actors.Cluster.
func (l *Links) Withdrawn(name, id string) {
	l.mu.Lock()
	defer l.unlock()
	if l.table.withdraw(name, id) {
		l.tell(nil, func(uint64) []byte { return appendWithdrawn(nil, name, id) })
		l.touch()
	}
}

// Watched implements actors.Cluster.
func (l *Links) Watched(name string, done func()) {
	name = strings.Clone(name)
	l.mu.Lock()
	defer l.unlock()
	l.table.watch(name)
	l.tell(done, func(number uint64) []byte { return appendNamed(nil, itemWatched, number, name) })
	l.touch()
}

// Unwatched implements actors.Cluster.
func (l *Links) Unwatched(name string) {
	l.mu.Lock()
	defer l.unlock()
	if l.table.unwatch(name) {
		l.tell(nil, func(uint64) []byte { return appendNamed(nil, itemUnwatched, 0, name) })
		l.touch()
	}
}

// Redeemed tells all nodes that tickets are used up.
func (l *Links) Redeemed(u actors.Redemption) {
	l.mu.Lock()
	defer l.unlock()
	l.tell(nil, func(uint64) []byte { return appendRedeemed(nil, u) })
}

// tell sends news to all nodes, and has done called when all have heard them.
func (l *Links) tell(done func(), encode func(number uint64) []byte) {
	number := l.acks.begin(done, l.o.Clock.Now())
	var news []byte
	for _, m := range l.members {
		s := m.session
		if s == nil || l.stage != running && l.stage != closing {
			continue
		}
		if news == nil {
			news = encode(number)
		}
		if l.post(s, entry{news: news, cost: len(news) + entryCost}) && s.open {
			l.acks.await(number, s)
		}
	}
	l.acks.begun(l, number)
}

// acks are the callers that wait until all nodes have heard their news.
type acks struct {
	last    uint64
	waiting map[uint64]*waiting
}

// waiting is one caller.
type waiting struct {
	done  func()
	nodes map[*session]bool // that have not answered
	until time.Time
}

// begin returns the number of the news, 0 if nobody waits for them.
func (a *acks) begin(done func(), now time.Time) uint64 {
	if done == nil {
		return 0
	}
	if a.waiting == nil {
		a.waiting = map[uint64]*waiting{}
	}
	a.last++
	a.waiting[a.last] = &waiting{done: done, nodes: map[*session]bool{}, until: now.Add(ackTimeout)}
	return a.last
}

// await adds a node to those that have to answer.
func (a *acks) await(number uint64, s *session) {
	if w := a.waiting[number]; w != nil {
		w.nodes[s] = true
	}
}

// begun is called when no more nodes are added.
func (a *acks) begun(l *Links, number uint64) { a.settle(l, number) }

// heard is called when the node of s has answered.
func (a *acks) heard(l *Links, number uint64, s *session) {
	if w := a.waiting[number]; w != nil && w.nodes[s] {
		delete(w.nodes, s)
		a.settle(l, number)
	}
}

// ended is called when s has ended.
func (a *acks) ended(l *Links, s *session) {
	for number, w := range a.waiting {
		if w.nodes[s] {
			delete(w.nodes, s)
			a.settle(l, number)
		}
	}
}

func (a *acks) settle(l *Links, number uint64) {
	if w := a.waiting[number]; w != nil && len(w.nodes) == 0 {
		delete(a.waiting, number)
		l.later(w.done)
	}
}

// expire gives up what has waited until now, and everything if now is zero.
func (a *acks) expire(l *Links, now time.Time) {
	for number, w := range a.waiting {
		if now.IsZero() || !now.Before(w.until) {
			delete(a.waiting, number)
			if !now.IsZero() {
				l.counts.AcksLate++
			}
			l.later(w.done)
		}
	}
}
