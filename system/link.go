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

// Database is FusionPBX's database, for the services that need it. It connects when it is first asked.
type Database interface {
	// Close disconnects. It is called once, after the services have stopped.
	Close()
	// Stats may be called at any time.
	Stats() introspect.Database
}

// Panel is the operator panel, if it runs in the daemon.
type Panel interface {
	// Refused returns how many calls operators could not begin, Unasked about how many calls the switch was not asked. Both
	// may be called at any time.
	Refused() int64
	Unasked() int64
}

// panelStats returns nil without an operator panel.
func (s *System) panelStats() *introspect.Panel {
	if s.panel == nil {
		return nil
	}
	return &introspect.Panel{Refused: s.panel.Refused(), Unasked: s.panel.Unasked()}
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
	if s.database != nil {
		s.database.Close()
	}
}

// databaseStats returns nil without a database.
func (s *System) databaseStats() *introspect.Database {
	if s.database == nil {
		return nil
	}
	stats := s.database.Stats()
	return &stats
}

// switchStats returns nil without a link.
func (s *System) switchStats() *introspect.Switch {
	if s.link == nil {
		return nil
	}
	stats := s.link.Stats()
	return &stats
}
