// Package clocktest has the clock of tests: it stands still until the test moves it.
package clocktest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"strowger/actors/clock"
)

// patience is how long Await waits for what must come. Only a failing test waits that long.
const patience = 2 * time.Minute

// Clock stands still until it is moved. Its methods may be called from any goroutine, and a function that a
// timer calls may call them too.
type Clock struct {
	mu      sync.Mutex // Protects following.
	now     time.Time
	timers  []*timer      // in the order in which they were set
	changed chan struct{} // closed when a timer is set or stopped
}

type timer struct {
	due time.Time
	f   func()
}

var _ clock.Clock = (*Clock)(nil)

// New returns a clock that shows a time in 2027, in UTC.
func New() *Clock {
	return &Clock{now: time.Unix(1_800_000_000, 0).UTC(), changed: make(chan struct{})}
}

// Now returns the time to which the clock was moved last.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// AfterFunc sets a timer: the Advance that reaches d from now calls f. If d is not positive, AfterFunc itself
// calls f, on a goroutine of its own.
func (c *Clock) AfterFunc(d time.Duration, f func()) func() bool {
	if d <= 0 {
		go f()
		return func() bool { return false }
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &timer{c.now.Add(d), f}
	c.timers = append(c.timers, t)
	c.change()
	return func() bool { return c.stop(t) }
}

func (c *Clock) stop(t *timer) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.timers, t)
	if i < 0 {
		return false
	}
	c.timers = slices.Delete(c.timers, i, i+1)
	c.change()
	return true
}

// change wakes those that wait for timers. The caller holds mu.
func (c *Clock) change() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// Advance moves the clock by d and then calls the functions of the timers that are due, one after the other on
// the caller's goroutine: those that are due first come first, and of those that are due together the one that
// was set first. A timer that is set meanwhile counts from the new time, so what one Advance calls does not
// depend on how fast an actor answers the first call.
func (c *Clock) Advance(d time.Duration) {
	for _, f := range c.move(d) {
		f()
	}
}

// move sets the time and removes the timers that are due. It returns their functions in order.
func (c *Clock) move(d time.Duration) []func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	var due, later []*timer
	for _, t := range c.timers {
		if t.due.After(c.now) {
			later = append(later, t)
		} else {
			due = append(due, t)
		}
	}
	c.timers = later
	slices.SortStableFunc(due, func(a, b *timer) int { return a.due.Compare(b.due) })
	calls := make([]func(), len(due))
	for i, t := range due {
		calls[i] = t.f
	}
	return calls
}

// Set moves the clock without calling anything. A timer that has become due is called by the next Advance, as
// on a machine that is late with its timers.
func (c *Clock) Set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// Timers returns how many timers are set.
func (c *Clock) Timers() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.timers)
}

// Due reports whether a timer is due in exactly d. The channel is closed when a timer is set or stopped after
// that.
func (c *Clock) Due(d time.Duration) (due bool, changed <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	want := c.now.Add(d)
	return slices.ContainsFunc(c.timers, func(t *timer) bool { return t.due.Equal(want) }), c.changed
}

// AwaitTimer waits until a timer is set that is due in exactly d.
func (c *Clock) AwaitTimer(t testing.TB, d time.Duration) {
	t.Helper()
	c.await(t, fmt.Sprintf("one due in %v", d), func() (bool, <-chan struct{}) { return c.Due(d) })
}

// AwaitTimers waits until exactly n timers are set.
func (c *Clock) AwaitTimers(t testing.TB, n int) {
	t.Helper()
	c.await(t, fmt.Sprintf("%d of them", n), func() (bool, <-chan struct{}) {
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.timers) == n, c.changed
	})
}

// await waits until holds reports true, and looks again when its channel is closed.
func (c *Clock) await(t testing.TB, what string, holds func() (bool, <-chan struct{})) {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		ok, changed := holds()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-late.C:
			t.Fatalf("waited for timers, %s; set are %v", what, c.remaining())
		}
	}
}

// remaining returns how long each timer still has to run.
func (c *Clock) remaining() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []time.Duration
	for _, t := range c.timers {
		all = append(all, t.due.Sub(c.now))
	}
	return all
}
