package introspect

import (
	"errors"
	"slices"
	"sync"
)

// RingOptions bounds a Ring.
type RingOptions struct {
	Letters      int // kept; 0 means 256, negative none
	Bytes        int // that all letters kept may take together; 0 means 1 MiB
	PayloadBytes int // kept of each payload; 0 means 4 KiB, negative none
	StackBytes   int // kept of each stack; 0 means 8 KiB, negative none
}

// Ring keeps the latest dead letters. Its methods may be used from any goroutine. The lock is held for as long as it
// takes to add a letter or to copy them.
type Ring struct {
	o RingOptions

	mu      sync.Mutex // Protects following.
	count   uint64     // letters added
	changes uint64
	letters []*DeadLetter // the oldest first
	bytes   int           // of letters
}

// NewRing returns an empty ring. A negative number of bytes is an error.
func NewRing(o RingOptions) (*Ring, error) {
	if o.Bytes < 0 {
		return nil, errors.New("dead letters: a negative number of bytes cannot be kept")
	}
	setDefault(&o.Letters, 256)
	setDefault(&o.Bytes, 1<<20)
	setDefault(&o.PayloadBytes, 4<<10)
	setDefault(&o.StackBytes, 8<<10)
	return &Ring{o: o}, nil
}

// setDefault fills in a bound: 0 is the default, a negative one 0.
func setDefault(bound *int, value int) {
	if *bound == 0 {
		*bound = value
	}
	*bound = max(0, *bound)
}

// Add numbers the letter and keeps a copy of it. The oldest ones give way. A letter that is larger than all may be
// together is not kept.
func (r *Ring) Add(letter DeadLetter) {
	kept := letter.bound(r.o)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count++
	r.changes++
	kept.Number = r.count
	r.letters = append(r.letters, kept)
	r.bytes += kept.size()
	gone := 0
	for len(r.letters)-gone > r.o.Letters || r.bytes > r.o.Bytes {
		r.bytes -= r.letters[gone].size()
		r.letters[gone] = nil
		gone++
	}
	r.letters = r.letters[gone:]
}

// Count returns how many letters were added since the start.
func (r *Ring) Count() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// Revision returns a number that grows whenever a letter is added or changed.
func (r *Ring) Revision() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changes
}

// Letters returns the letters kept, the latest first. Their payloads must not be changed.
func (r *Ring) Letters() []DeadLetter {
	r.mu.Lock()
	defer r.mu.Unlock()
	letters := make([]DeadLetter, 0, len(r.letters))
	for _, letter := range slices.Backward(r.letters) {
		letters = append(letters, *letter)
	}
	return letters
}

// Change has f change the letter of that number, and reports whether it is kept. The change must not make it larger.
func (r *Ring) Change(number uint64, f func(letter *DeadLetter)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, letter := range r.letters {
		if letter.Number == number {
			changed := *letter
			f(&changed)
			r.letters[i] = &changed
			r.changes++
			return true
		}
	}
	return false
}
