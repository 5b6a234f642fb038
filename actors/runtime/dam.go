package runtime

import "sync"

// Dam holds values back until it is opened, and keeps their order. Its functions are called one at a time, and must not
// call the Dam. The zero value is closed and empty. Its methods may be called from any goroutine.
type Dam[T any] struct {
	mu     sync.Mutex // Protects following.
	held   []T
	to     func(T) // nil: it is closed
	broken bool
}

// Put holds v back if room is true, or passes it on if the Dam is open. It returns false if it does neither, because
// there is no room or the Dam is broken.
func (d *Dam[T]) Put(v T, room func(v T) bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.broken:
		return false
	case d.to != nil:
		d.to(v)
		return true
	case !room(v):
		return false
	}
	d.held = append(d.held, v)
	return true
}

// Drain gives the first values to a function, as long as early is true of them.
func (d *Dam[T]) Drain(early func(v T) bool, to func(T)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drain(early, to)
}

func (d *Dam[T]) drain(early func(v T) bool, to func(T)) {
	var zero T
	n := 0
	for ; n < len(d.held) && early(d.held[n]); n++ {
		to(d.held[n])
		d.held[n] = zero
	}
	d.held = d.held[n:]
}

// Open gives all values that are held back to held, and has those that come go to the function to. Only the first call
// does something, and none after Break.
func (d *Dam[T]) Open(held, to func(T)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.to != nil || d.broken {
		return
	}
	d.drain(func(T) bool { return true }, held)
	d.held, d.to = nil, to
}

// Break returns what is held back. What comes after it is not taken.
func (d *Dam[T]) Break() []T {
	d.mu.Lock()
	defer d.mu.Unlock()
	held := d.held
	d.held, d.to, d.broken = nil, nil, true
	return held
}
