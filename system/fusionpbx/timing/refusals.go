package timing

import (
	"time"

	"strowger/system/service"
)

// longest is the longest pause after a refusal.
const longest = 10 * time.Second

// Refusals has pages told everything after some were refused. It waits before that, at first 200 ms and then twice as long
// each time, up to 10 s, because what pages are told is work for a service that refuses for having too much of it. It belongs
// to the service's goroutine. Tell must be set.
type Refusals struct {
	Tell  func() // tells pages
	pause time.Duration
	timer service.Timer // nil: Tell is not to be called
}

// Add notes a refusal. Tell is called after the pause, once for all refusals until then.
func (r *Refusals) Add(c service.Context) {
	if r.timer != nil {
		return
	}
	r.pause = max(shortest, min(2*r.pause, longest))
	r.timer = c.After(r.pause, func(service.Context) {
		r.timer = nil
		r.Tell()
	})
}

// Cancel takes back the call of Tell, and makes the next pause short. It reports whether Tell was to be called.
func (r *Refusals) Cancel() bool {
	r.pause = 0
	if r.timer == nil {
		return false
	}
	r.timer.Stop()
	r.timer = nil
	return true
}

// Rest makes the next pause short again, unless one is under way.
func (r *Refusals) Rest() {
	if r.timer == nil {
		r.pause = 0
	}
}
