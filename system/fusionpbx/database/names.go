package database

import (
	"container/list"
	"sync"
	"time"

	"strowger/actors/clock"
)

// names keeps what conferences are called. It forgets a name after a time and the one that was asked for
// least lately when there are too many, but has it still for when the database does not answer.
type names struct {
	clock clock.Clock
	age   time.Duration
	limit int

	mu     sync.Mutex // Protects following.
	known  map[nameKey]*list.Element
	latest *list.List // of *namedConference, the latest first
}

type nameKey struct{ key, domain string }

type namedConference struct {
	nameKey
	conference Conference
	until      time.Time
}

func newNames(o *Options) *names {
	return &names{clock: o.Clock, age: o.NameAge, limit: o.Names, known: make(map[nameKey]*list.Element), latest: list.New()}
}

// get returns what is known of a conference and whether it is still young enough.
func (n *names) get(k nameKey) (c Conference, known, fresh bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	at := n.known[k]
	if at == nil {
		return Conference{}, false, false
	}
	n.latest.MoveToFront(at)
	found := at.Value.(*namedConference)
	return found.conference, true, n.clock.Now().Before(found.until)
}

func (n *names) put(k nameKey, c Conference) {
	n.mu.Lock()
	defer n.mu.Unlock()
	until := n.clock.Now().Add(n.age)
	if at := n.known[k]; at != nil {
		found := at.Value.(*namedConference)
		found.conference, found.until = c, until
		n.latest.MoveToFront(at)
		return
	}
	n.known[k] = n.latest.PushFront(&namedConference{k, c, until})
	for len(n.known) > n.limit {
		last := n.latest.Back()
		delete(n.known, n.latest.Remove(last).(*namedConference).nameKey)
	}
}

func (n *names) size() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.known)
}
