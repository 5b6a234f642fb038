package channels

import (
	"strings"
	"time"
)

// lately is how long after the last event of a channel others of it may come: the switch sends them from several threads.
const lately = 10 * time.Second

// Late are the channels that ended lately. It belongs to the goroutine of its service. The zero value is ready.
type Late struct {
	ended map[string]end
	order []string // from the one that ended first
}

// end says when a channel ended, and in which context.
type end struct {
	at      time.Time
	context string
}

// Add notes that a channel has ended. The context may be empty.
func (l *Late) Add(uuid, context string, now time.Time) {
	if l.ended == nil {
		l.ended = map[string]end{}
	}
	for len(l.order) > 0 && now.Sub(l.ended[l.order[0]].at) >= lately {
		delete(l.ended, l.order[0])
		l.order = l.order[1:]
	}
	uuid = strings.Clone(uuid) // what is kept must not hold the memory of the event
	l.ended[uuid] = end{now, strings.Clone(context)}
	l.order = append(l.order, uuid)
}

// Forget notes that a channel has begun anew.
func (l *Late) Forget(uuid string) { delete(l.ended, uuid) }

// Has reports whether the channel ended lately. An event in another context is that of another channel.
func (l *Late) Has(uuid, context string, now time.Time) bool {
	e, ok := l.ended[uuid]
	return ok && now.Sub(e.at) < lately && (context == "" || e.context == "" || context == e.context)
}
