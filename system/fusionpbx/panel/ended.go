package panel

import (
	"strings"
	"time"
)

// lately is how long after the last event of a channel others of it may come: the switch sends them from several threads.
const lately = 10 * time.Second

// ended are the channels whose last event came lately. It belongs to the service's goroutine.
type ended struct {
	at    map[string]time.Time
	order []string // from the one that ended first
}

// add notes that the last event of a channel came.
func (e *ended) add(uuid string, now time.Time) {
	for len(e.order) > 0 && now.Sub(e.at[e.order[0]]) >= lately {
		delete(e.at, e.order[0])
		e.order = e.order[1:]
	}
	uuid = strings.Clone(uuid) // what is kept must not hold the memory of the event
	e.at[uuid] = now
	e.order = append(e.order, uuid)
}

// forget notes that a channel has begun anew.
func (e *ended) forget(uuid string) { delete(e.at, uuid) }

// has reports whether the last event of the channel came lately.
func (e *ended) has(uuid string, now time.Time) bool {
	at, ok := e.at[uuid]
	return ok && now.Sub(at) < lately
}
