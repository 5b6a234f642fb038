package actors

import "sync"

// notice is something about a service that the log says once.
type notice struct {
	name, class string // of an instance
	rule        string // that caused it
}

// notices remembers what the log has said. Its zero value is empty. It may be used from any goroutine.
type notices struct {
	mu   sync.Mutex // Protects following.
	said map[notice]struct{}
}

// mostNotices bounds what is remembered: helper connections may have a name of their own each. When it
// is reached, all is forgotten and may be said again.
const mostNotices = 4096

// again reports whether n was said before, and remembers it.
func (s *notices) again(n notice) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, again := s.said[n]; again {
		return true
	}
	if s.said == nil || len(s.said) >= mostNotices {
		s.said = make(map[notice]struct{})
	}
	s.said[n] = struct{}{}
	return false
}
