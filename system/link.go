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
