package actors

import (
	"runtime"
	"slices"
	"sync"
	"weak"

	"strowger/transport/wire"
)

// grants are the permissions of all who have the same: a group of users holds one list of hundreds
// of names, not a list each.
type grants struct {
	names []string // sorted, unique
	wire  wire.Raw // {"name":true,...}; [] where there are none
}

// grantSets knows the grants in use. Its zero value is ready; any goroutine may ask it.
type grantSets struct {
	mu   sync.Mutex // Protects following.
	sets map[string]weak.Pointer[grants]
}

// of returns the one value for these names.
func (s *grantSets) of(names []string) *grants {
	key := permissionMap(names)
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.sets[key].Value(); g != nil {
		return g
	}
	if s.sets == nil {
		s.sets = make(map[string]weak.Pointer[grants])
	}
	g := &grants{names: slices.Clone(names), wire: wire.Raw(key)}
	s.sets[key] = weak.Make(g)
	runtime.AddCleanup(g, s.forget, key)
	return g
}

// forget takes a set out that nobody holds any more, unless it is back meanwhile.
func (s *grantSets) forget(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sets[key].Value() == nil {
		delete(s.sets, key)
	}
}

// permissionMap spells the permissions as requests carry them: [] where there are none.
func permissionMap(names []string) string {
	if len(names) == 0 {
		return "[]"
	}
	b := []byte{'{'}
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(wire.AppendString(b, name), ":true"...)
	}
	return string(append(b, '}'))
}
