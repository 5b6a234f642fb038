package runtime

import (
	"runtime"
	"sync"
	"weak"
)

// Shared knows one value of each key in use, so that the many who have the same hold it together, and
// forgets those that nobody holds any more. Its zero value is ready; any goroutine may ask it.
type Shared[T any] struct {
	mu     sync.Mutex // Protects following.
	values map[string]weak.Pointer[T]
}

// Of returns the one value with this key, which is made if nobody has it.
func (s *Shared[T]) Of(key string, produce func() *T) *T {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.values[key].Value(); v != nil {
		return v
	}
	if s.values == nil {
		s.values = make(map[string]weak.Pointer[T])
	}
	v := produce()
	s.values[key] = weak.Make(v)
	runtime.AddCleanup(v, s.forget, key)
	return v
}

// forget takes a value out that nobody holds any more, unless it is back meanwhile.
func (s *Shared[T]) forget(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values[key].Value() == nil {
		delete(s.values, key)
	}
}
