package runtime

import "sync"

// Set is a set that one goroutine adds to and others look into. From time to time it drops what is not alive any
// more, so that it does not grow with what comes and goes. The zero value is empty.
type Set[T comparable] struct {
	mu     sync.Mutex // Protects following.
	values map[T]struct{}
	limit  int // number of values at which those that are not alive are dropped
}

// fewest is the number of values that a set may hold without looking which are alive.
const fewest = 16

// Add adds v.
func (s *Set[T]) Add(v T, alive func(v T) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, again := s.values[v]; again {
		return
	}
	if s.values == nil {
		s.values, s.limit = make(map[T]struct{}), fewest
	}
	if len(s.values) >= s.limit {
		s.tidy(alive)
	}
	s.values[v] = struct{}{}
}

// tidy drops what is not alive. It makes a new map, because a map does not shrink. The caller holds mu.
func (s *Set[T]) tidy(alive func(v T) bool) {
	left := make(map[T]struct{})
	for v := range s.values {
		if alive(v) {
			left[v] = struct{}{}
		}
	}
	s.values, s.limit = left, max(fewest, 2*len(left))
}

// Remove removes v and returns how many values are left.
func (s *Set[T]) Remove(v T) (left int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.values, v)
	return len(s.values)
}

// Has reports whether v was added and not dropped.
func (s *Set[T]) Has(v T) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, has := s.values[v]
	return has
}

// All returns the values in no order.
func (s *Set[T]) All() []T {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]T, 0, len(s.values))
	for v := range s.values {
		all = append(all, v)
	}
	return all
}
