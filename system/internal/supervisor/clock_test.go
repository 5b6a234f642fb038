package supervisor

import (
	"slices"
	"sync"
	"time"
)

// manualClock stands still until it is advanced.
type manualClock struct {
	mu     sync.Mutex // Protects following.
	now    time.Time
	timers []*manualTimer
}

type manualTimer struct {
	due time.Time
	f   func()
}

func newManualClock() *manualClock {
	return &manualClock{now: time.Unix(1_800_000_000, 0)}
}

func (m *manualClock) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *manualClock) AfterFunc(d time.Duration, f func()) func() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := &manualTimer{m.now.Add(d), f}
	m.timers = append(m.timers, t)
	return func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		before := len(m.timers)
		m.timers = slices.DeleteFunc(m.timers, func(other *manualTimer) bool { return other == t })
		return len(m.timers) < before
	}
}

// waiting returns how many timers are set.
func (m *manualClock) waiting() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.timers)
}

// advance runs what becomes due within d, in the caller's goroutine and in order.
func (m *manualClock) advance(d time.Duration) {
	m.mu.Lock()
	m.now = m.now.Add(d)
	var due []*manualTimer
	m.timers = slices.DeleteFunc(m.timers, func(t *manualTimer) bool {
		ready := !t.due.After(m.now)
		if ready {
			due = append(due, t)
		}
		return ready
	})
	m.mu.Unlock()
	slices.SortStableFunc(due, func(a, b *manualTimer) int { return a.due.Compare(b.due) })
	for _, t := range due {
		t.f()
	}
}
