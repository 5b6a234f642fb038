package system

import "strowger/system/internal/introspect"

// Switch is a link to a telephone switch. Start is called once at most, and Stop once after it.
type Switch interface {
	// Start begins to connect and does not wait.
	Start()
	// Stop disconnects and waits for all that Start began.
	Stop()
	// Stats may be called at any time.
	Stats() introspect.Switch
}

func (s *System) connect() {
	if s.link != nil {
		s.link.Start()
	}
}

func (s *System) disconnect() {
	if s.link != nil {
		s.link.Stop()
	}
}

// switchStats returns nil without a link.
func (s *System) switchStats() *introspect.Switch {
	if s.link == nil {
		return nil
	}
	stats := s.link.Stats()
	return &stats
}
