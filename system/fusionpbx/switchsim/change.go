package switchsim

import "time"

// Change puts another recording in, at its beginning, and forgets the commands of clients. Neither Play nor Flood may be
// under way.
func (s *Simulator) Change(r *Recording) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recording, s.start, s.at, s.commands = r, time.Time{}, 0, nil
}

// Leave closes all connections and refuses new ones for a time.
func (s *Simulator) Leave(d time.Duration) {
	s.mu.Lock()
	s.refuse = time.Now().Add(d)
	s.mu.Unlock()
	s.Drop()
}

// plays returns the recording that is in.
func (s *Simulator) plays() *Recording {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.recording
}
