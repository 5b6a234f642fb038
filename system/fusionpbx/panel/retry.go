package panel

import (
	"errors"
	"time"

	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/timing"
	"strowger/system/service"
)

// again is how long after an event that came during a comparison the switch is asked again.
const again = 500 * time.Millisecond

// retry makes a comparison with the switch again after a while. However often that is asked for, it has one timer, because a
// service has a limited number of them.
type retry struct {
	ctx    service.Context
	pause  timing.Pause  // after failures
	warned bool          // the log has the failure
	timer  service.Timer // nil: no comparison is to be made
	due    time.Time     // of timer
}

// after calls compare after that time. If a comparison is to be made already, the sooner of the two is made.
func (r *retry) after(wait time.Duration, compare func()) {
	due := r.ctx.Now().Add(wait)
	if r.waits() && !due.Before(r.due) {
		return
	}
	r.stop()
	r.due = due
	r.timer = r.ctx.After(wait, func(service.Context) {
		r.timer = nil
		compare()
	})
}

// waits reports whether a comparison is to be made.
func (r *retry) waits() bool { return r.timer != nil }

// stop takes back what after was asked for. It reports whether a comparison was to be made.
func (r *retry) stop() bool {
	if r.timer == nil {
		return false
	}
	r.timer.Stop()
	r.timer = nil
	return true
}

// succeeded notes that the switch has answered.
func (r *retry) succeeded() {
	r.warned = false
	r.pause.Reset()
}

// isNews reports whether the log should have a failure: the first in a row, but not that there is no connection, which the
// connection itself logs.
func (r *retry) isNews(err error) bool {
	if r.warned || errors.Is(err, eventsocket.ErrNotConnected) {
		return false
	}
	r.warned = true
	return true
}
