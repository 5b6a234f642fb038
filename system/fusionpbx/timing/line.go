package timing

import (
	"slices"
	"time"

	"strowger/system/service"
)

// Line calls functions when they are due. It needs one timer however many wait, because a service has a limited number of
// them. It belongs to the service's goroutine.
type Line struct {
	ctx     service.Context
	waiting []call        // in the order in which they are due
	timer   service.Timer // for the first
}

type call struct {
	due time.Time
	f   func()
}

// NewLine returns an empty line.
func NewLine(c service.Context) *Line { return &Line{ctx: c} }

// Add has f called after that time. Of two that are due at once the one that was added first is called first.
func (l *Line) Add(wait time.Duration, f func()) {
	due := l.ctx.Now().Add(wait)
	at := len(l.waiting)
	for at > 0 && l.waiting[at-1].due.After(due) {
		at--
	}
	l.waiting = slices.Insert(l.waiting, at, call{due, f})
	if at == 0 {
		l.arm()
	}
}

// arm sets the timer for the first.
func (l *Line) arm() {
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	if len(l.waiting) == 0 {
		l.waiting = nil
		return
	}
	l.timer = l.ctx.After(l.waiting[0].due.Sub(l.ctx.Now()), func(service.Context) {
		l.timer = nil
		l.run()
	})
}

// run calls all that are due.
func (l *Line) run() {
	now, due := l.ctx.Now(), 0
	for due < len(l.waiting) && !l.waiting[due].due.After(now) {
		due++
	}
	calls := slices.Clone(l.waiting[:due])
	l.waiting = slices.Delete(l.waiting, 0, due)
	l.arm()
	for _, c := range calls {
		c.f()
	}
}
