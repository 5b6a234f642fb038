package refusals

import "sync"

// mostSeen is how many values a Seen remembers. Names may be made anew for each connection, so there is no
// end to them.
const mostSeen = 1024

// Seen is of which values the log has told already. Its zero value is ready, and any goroutine may use it.
type Seen[T comparable] struct {
	mu   sync.Mutex // Protects following.
	seen map[T]struct{}
}

// Forget lets the log tell of v again.
func (s *Seen[T]) Forget(v T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.seen, v)
}

// First remembers v and reports whether it was not remembered. When there is no room it forgets all, so that
// the log may tell of some a second time.
func (s *Seen[T]) First(v T) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, again := s.seen[v]; again {
		return false
	}
	if s.seen == nil || len(s.seen) >= mostSeen {
		s.seen = make(map[T]struct{})
	}
	s.seen[v] = struct{}{}
	return true
}
