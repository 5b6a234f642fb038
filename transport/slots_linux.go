package transport

import (
	"sync"
	"sync/atomic"
)

// slots numbers the readers of a poller, for its events. The poller looks readers up without a lock, so that it
// never waits for those who enter one, of which there may be thousands.
type slots struct {
	pages atomic.Pointer[[]*page]

	mu   sync.Mutex // Protects following, and the growth of pages.
	made int32      // slots there are
	free []int32
}

// page has some of the slots. Pages stay where they are when there are more of them.
type page [pageSize]atomic.Pointer[reader]

const pageSize = 256

// get returns the reader of a slot, nil if it has none.
func (s *slots) get(slot int32) *reader { return s.at(slot).Load() }

func (s *slots) at(slot int32) *atomic.Pointer[reader] {
	return &(*s.pages.Load())[slot/pageSize][slot%pageSize]
}

// add gives r a slot, and returns its number. From then on r is the poller's, except that nothing tells it of r yet.
func (s *slots) add(r *reader) int32 {
	s.mu.Lock()
	if len(s.free) == 0 {
		s.grow()
	}
	slot := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	s.mu.Unlock()
	r.slot = slot
	s.at(slot).Store(r)
	return slot
}

// grow makes a page. The caller holds mu.
func (s *slots) grow() {
	var pages []*page
	if old := s.pages.Load(); old != nil {
		pages = append(pages, *old...)
	}
	pages = append(pages, new(page))
	for i := range int32(pageSize) {
		s.free = append(s.free, s.made+pageSize-1-i)
	}
	s.made += pageSize
	s.pages.Store(&pages)
}

// remove empties a slot. It may be given to another reader at once.
func (s *slots) remove(slot int32) {
	s.at(slot).Store(nil)
	s.mu.Lock()
	s.free = append(s.free, slot)
	s.mu.Unlock()
}

// all returns the readers of all slots.
func (s *slots) all() []*reader {
	pages := s.pages.Load()
	if pages == nil {
		return nil
	}
	var all []*reader
	for _, page := range *pages {
		for i := range page {
			if r := page[i].Load(); r != nil {
				all = append(all, r)
			}
		}
	}
	return all
}

// count returns how many slots have a reader.
func (s *slots) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int(s.made) - len(s.free)
}
