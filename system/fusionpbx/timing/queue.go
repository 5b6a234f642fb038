package timing

import (
	"slices"
	"time"

	"strowger/system/service"
)

// Queue calls functions when they are due. It needs one timer however many wait, because a service has a limited number of
// them. It belongs to the service's goroutine.
type Queue struct {
	ctx     service.Context
	waiting []call        // in the order in which they are due
	timer   service.Timer // for the first
}

type call struct {
	due time.Time
	f   func()
}

// NewQueue returns an empty queue.
func NewQueue(c service.Context) *Queue { return &Queue{ctx: c} }

// Add has f called after that time. Of two that are due at once the one that was added first is called first.
func (q *Queue) Add(wait time.Duration, f func()) {
	due := q.ctx.Now().Add(wait)
	at := len(q.waiting)
	for at > 0 && q.waiting[at-1].due.After(due) {
		at--
	}
	q.waiting = slices.Insert(q.waiting, at, call{due, f})
	if at == 0 {
		q.arm()
	}
}

// arm sets the timer for the first.
func (q *Queue) arm() {
	if q.timer != nil {
		q.timer.Stop()
		q.timer = nil
	}
	if len(q.waiting) == 0 {
		q.waiting = nil
		return
	}
	q.timer = q.ctx.After(q.waiting[0].due.Sub(q.ctx.Now()), func(service.Context) {
		q.timer = nil
		q.run()
	})
}

// run calls all that are due.
func (q *Queue) run() {
	now, due := q.ctx.Now(), 0
	for due < len(q.waiting) && !q.waiting[due].due.After(now) {
		due++
	}
	calls := slices.Clone(q.waiting[:due])
	q.waiting = slices.Delete(q.waiting, 0, due)
	q.arm()
	for _, c := range calls {
		c.f()
	}
}
