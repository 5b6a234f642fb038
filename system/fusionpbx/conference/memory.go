package conference

import "sync"

// Memory hands what pages know of conferences from one life of a service to the next. Its zero value is that of a
// service that has not lived yet.
type Memory struct {
	mu    sync.Mutex // Protects following.
	known *Known
}

// Take returns a copy of what pages knew in the life before, since a life that hangs may still use its own. again is false for
// the first life: pages know nothing yet, so they have missed nothing.
func (m *Memory) Take() (known *Known, again bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	again = m.known != nil
	if again {
		m.known = m.known.Clone()
	} else {
		m.known = NewKnown()
	}
	return m.known, again
}
