package runtime

import (
	"runtime"
	"sync"
	"weak"
)

// Shared knows one value of each key in use, so that the many who have the same hold it together, and
// forgets those that nobody holds any more. Its zero value is ready; any goroutine may ask it. A value that
// is held does not keep what the Shared is a part of.
type Shared[T any] struct {
	once  sync.Once
	table *table[T]
}

// table has an allocation of its own, because the cleanup of each value holds it.
type table[T any] struct {
	mu     sync.Mutex // Protects following.
	values map[string]weak.Pointer[T]
}

// Of returns the one value with this key, which is made if nobody has it.
func (s *Shared[T]) Of(key string, produce func() *T) *T {
	s.once.Do(func() { s.table = &table[T]{values: make(map[string]weak.Pointer[T])} })
	return s.table.of(key, produce)
}

func (t *table[T]) of(key string, produce func() *T) *T {
	t.mu.Lock()
	defer t.mu.Unlock()
	if v := t.values[key].Value(); v != nil {
		return v
	}
	v := produce()
	t.values[key] = weak.Make(v)
	runtime.AddCleanup(v, t.forget, key)
	return v
}

// forget takes a value out that nobody holds any more, unless it is back meanwhile.
func (t *table[T]) forget(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.values[key].Value() == nil {
		delete(t.values, key)
	}
}
