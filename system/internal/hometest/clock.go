package hometest

import (
	"slices"
	"sync"
	"testing"
	"time"
)

// Clock stands still until it is advanced. Its methods may be called from any goroutine.
type Clock struct {
	mu      sync.Mutex // Protects following.
	now     time.Time
	timers  []*timer
	changed chan struct{} // closed when a timer is set
}

type timer struct {
	due time.Time
	f   func()
}

// NewClock returns a clock that shows a time in 2027.
func NewClock() *Clock {
	return &Clock{now: time.Unix(1_800_000_000, 0), changed: make(chan struct{})}
}

// Now is the time of the last Advance.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// AfterFunc has f called by the Advance that reaches d from now, at once if d is not positive.
func (c *Clock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d <= 0 {
		go f()
		return func() bool { return false }
	}
	t := &timer{c.now.Add(d), f}
	c.timers = append(c.timers, t)
	close(c.changed)
	c.changed = make(chan struct{})
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		before := len(c.timers)
		c.timers = slices.DeleteFunc(c.timers, func(other *timer) bool { return other == t })
		return len(c.timers) < before
	}
}

// Advance runs what becomes due within d, in the caller's goroutine and in order.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	var due []*timer
	c.timers = slices.DeleteFunc(c.timers, func(t *timer) bool {
		ready := !t.due.After(c.now)
		if ready {
			due = append(due, t)
		}
		return ready
	})
	c.mu.Unlock()
	slices.SortStableFunc(due, func(a, b *timer) int { return a.due.Compare(b.due) })
	for _, t := range due {
		t.f()
	}
}

// AwaitTimer waits until a timer is set that is due in d.
func (c *Clock) AwaitTimer(t testing.TB, d time.Duration) {
	t.Helper()
	patience := time.NewTimer(Patience)
	defer patience.Stop()
	for {
		set, changed := c.set(d)
		if set {
			return
		}
		select {
		case <-changed:
		case <-patience.C:
			t.Fatalf("no timer is set to %v from now", d)
		}
	}
}

// set reports whether a timer is due in exactly d; the channel is closed when the next one is set.
func (c *Clock) set(d time.Duration) (bool, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	want := c.now.Add(d)
	return slices.ContainsFunc(c.timers, func(t *timer) bool { return t.due.Equal(want) }), c.changed
}
