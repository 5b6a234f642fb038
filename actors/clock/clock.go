// Package clock has the clock that everything in the router, and in the services beside it, goes by. Tests
// pass the clock of package clocktest, which they move by hand.
package clock

import "time"

// Clock tells the time and calls functions later. Its methods may be called from any goroutine.
type Clock interface {
	// Now returns the current time.
	Now() time.Time
	// AfterFunc calls f on a goroutine of its own once d has passed. The function that it returns cancels
	// the call and reports whether it came in time to do so.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// Wall is the clock of the machine. Its times have a monotonic reading, so the time between two of them is
// right even if somebody sets the machine's clock.
type Wall struct{}

var _ Clock = Wall{}

// Now returns time.Now().
func (Wall) Now() time.Time { return time.Now() }

// AfterFunc starts a timer of package time. Nothing holds f after stop has returned true. Package time may
// keep a stopped timer until it would have been due, and with it whatever its function holds.
func (Wall) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	timer := time.AfterFunc(d, func() { f() })
	return func() bool {
		stopped := timer.Stop()
		if stopped {
			f = nil // nobody calls it any more
		}
		return stopped
	}
}
