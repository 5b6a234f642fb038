package introspect

import (
	"cmp"
	"errors"
	"slices"
	"sync/atomic"
)

// RingOptions bounds a Ring. Its memory is at most Letters times the other two and 3 KiB.
type RingOptions struct {
	Letters      int // kept; 0 means 256
	PayloadBytes int // kept of each payload; 0 means 4 KiB, negative none
	StackBytes   int // kept of each stack; 0 means 8 KiB, negative none
}

// Ring keeps the latest dead letters. Its methods may be used from any goroutine and never wait.
type Ring struct {
	o     RingOptions
	count atomic.Uint64 // letters added
	slots []atomic.Pointer[DeadLetter]
}

// NewRing returns an empty ring. Fewer than no letters are an error.
func NewRing(o RingOptions) (*Ring, error) {
	if o.Letters < 0 {
		return nil, errors.New("dead letters: a negative number cannot be kept")
	}
	setDefault(&o.Letters, 256)
	setDefault(&o.PayloadBytes, 4<<10)
	setDefault(&o.StackBytes, 8<<10)
	return &Ring{o: o, slots: make([]atomic.Pointer[DeadLetter], o.Letters)}, nil
}

// setDefault fills in a bound: 0 is the default, a negative one 0.
func setDefault(bound *int, value int) {
	if *bound == 0 {
		*bound = value
	}
	*bound = max(0, *bound)
}

// Add numbers the letter and keeps a copy of it in place of the oldest.
func (r *Ring) Add(letter DeadLetter) {
	kept := letter.bound(r.o)
	kept.Number = r.count.Add(1)
	slot := &r.slots[kept.Number%uint64(len(r.slots))]
	for {
		old := slot.Load()
		// Whoever was slow must not overwrite a later letter.
		if old != nil && old.Number > kept.Number || slot.CompareAndSwap(old, kept) {
			return
		}
	}
}

// Count returns how many letters were added since the start.
func (r *Ring) Count() uint64 { return r.count.Load() }

// Letters returns the letters kept, the latest first. Their payloads must not be changed.
func (r *Ring) Letters() []DeadLetter {
	letters := make([]DeadLetter, 0, len(r.slots))
	for i := range r.slots {
		if letter := r.slots[i].Load(); letter != nil {
			letters = append(letters, *letter)
		}
	}
	slices.SortFunc(letters, func(a, b DeadLetter) int { return cmp.Compare(b.Number, a.Number) })
	return letters
}
