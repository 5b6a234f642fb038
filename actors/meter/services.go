package meter

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Service measures the requests for one name. Its methods may be called from any goroutine.
type Service struct {
	name       string
	outcomes   [Outcomes]atomic.Pointer[Histogram] // nil: there was none
	broadcasts atomic.Int64
}

// Observe counts a request that took d until its outcome.
func (s *Service) Observe(o Outcome, d time.Duration) {
	s.histogram(o).Observe(d)
}

// histogram returns the one of an outcome, which it makes the first time.
func (s *Service) histogram(o Outcome) *Histogram {
	h := s.outcomes[o].Load()
	if h == nil {
		s.outcomes[o].CompareAndSwap(nil, new(Histogram))
		h = s.outcomes[o].Load()
	}
	return h
}

// Broadcast counts a broadcast.
func (s *Service) Broadcast() { s.broadcasts.Add(1) }

// Name returns the name, Other for all that have no Service of their own.
func (s *Service) Name() string {
	if s.name == "" {
		return Other
	}
	return s.name
}

// Broadcasts returns how many broadcasts there were.
func (s *Service) Broadcasts() int64 { return s.broadcasts.Load() }

// Read returns what was measured for an outcome, nil if there was none.
func (s *Service) Read(o Outcome) *Reading {
	if h := s.outcomes[o].Load(); h != nil {
		return h.Read()
	}
	return nil
}

// Other is the name under which the services count that are too many to be told apart.
const Other = "other"

// Services measures the requests for all names. The zero value is ready, and its methods may be called from
// any goroutine.
type Services struct {
	other  Service
	mu     sync.Mutex // Protects following.
	byName map[string]*Service
}

// Of returns where requests for a name are measured. It returns Other for a new name if limit others are
// measured already. A name keeps its place until Drop, because a counter must not go back.
func (s *Services) Of(name string, limit int) *Service {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.byName[name]; known != nil {
		return known
	}
	if len(s.byName) >= limit || name == "" || name == Other {
		return &s.other
	}
	if s.byName == nil {
		s.byName = make(map[string]*Service)
	}
	made := &Service{name: strings.Clone(name)}
	s.byName[made.name] = made
	return made
}

// Drop forgets a name. What was measured of it counts as Other from now on, so that no sum goes back.
func (s *Services) Drop(name string) {
	s.mu.Lock()
	one := s.byName[name]
	delete(s.byName, name)
	s.mu.Unlock()
	if one == nil {
		return
	}
	s.other.broadcasts.Add(one.broadcasts.Load())
	for o := range one.outcomes {
		if h := one.outcomes[o].Load(); h != nil {
			s.other.histogram(Outcome(o)).add(h)
		}
	}
}

// Other returns where the requests for all other names are measured.
func (s *Services) Other() *Service { return &s.other }

// All returns all, sorted by name, and Other last.
func (s *Services) All() []*Service {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*Service, 0, len(s.byName)+1)
	for _, service := range s.byName {
		all = append(all, service)
	}
	slices.SortFunc(all, func(a, b *Service) int { return strings.Compare(a.name, b.name) })
	return append(all, &s.other)
}
