package actors

import "strowger/actors/refusals"

// wait waits for a client, unless too many are waited for.
func (s *sessions) wait(w *suspension) {
	set, d := s.deps.settings(), s.deps
	left := w.until.Sub(d.Clock.Now())
	s.waiting[w.session.ID] = w
	d.Counters.Waiting.Store(int64(len(s.waiting)))
	w.stop = d.sessions.After(d.Clock, left, &waitOver{of: w})
	switch {
	case w.spilled.Load() != nil:
		s.spilled(w)
	case set.ResumeCount > 0 && len(s.waiting) > set.ResumeCount:
		s.waitNoLonger(s.crowd(), "too many clients are waited for", "tokens.resume_count")
	}
}

// tooMuchKept is why a client is not waited for whose keepers had no room for a reply.
const tooMuchKept = "too much is kept for it"

// spilled gives up a client for which too much is kept.
func (s *sessions) spilled(w *suspension) {
	s.waitNoLonger(w, tooMuchKept, *w.spilled.Load())
}

// crowd returns the client that has been waited for longest of the address with the most, so that one address does not
// take the places of others.
func (s *sessions) crowd() *suspension {
	count := make(map[string]int)
	most := 0
	for _, w := range s.waiting {
		count[w.address]++
		most = max(most, count[w.address])
	}
	var first *suspension
	for _, w := range s.waiting {
		if count[w.address] == most && (first == nil || w.until.Before(first.until)) {
			first = w
		}
	}
	return first
}

// forgo takes a suspension out of those that are waited for.
func (s *sessions) forgo(w *suspension) bool {
	if s.waiting[w.session.ID] != w {
		return false
	}
	delete(s.waiting, w.session.ID)
	s.deps.Counters.Waiting.Store(int64(len(s.waiting))) // before the client can be back
	w.stop()
	return true
}

// waitNoLonger gives up a client that is waited for because of a setting.
func (s *sessions) waitNoLonger(w *suspension, why, setting string) {
	if s.forgo(w) {
		s.giveUp(w, why, setting)
	}
}

// giveUp ends a suspension because of a setting.
func (s *sessions) giveUp(w *suspension, why, setting string) {
	s.deps.refusals.Add(refusals.Event{
		Cause: refusals.Waiting, Kind: why, Setting: setting, Remote: w.remote, Role: Client.String(),
		More: []any{"subscriber", w.id, "why", why, "kept", w.end()},
	})
}

// abandon gives up a client.
func (s *sessions) abandon(w *suspension, why string) {
	if s.forgo(w) {
		s.deps.Log.Info("client not waited for any longer: its open requests are lost", "subscriber", w.id, "remote", w.remote,
			"why", why, "kept", w.end())
	}
}

// returning returns the suspension of a session; nil if its client is not waited for.
func (s *sessions) returning(id SessionID) *suspension {
	w := s.waiting[id]
	if w == nil {
		return nil
	}
	s.forgo(w)
	return w
}

// abandonAll gives up all clients.
func (s *sessions) abandonAll(why string) {
	if n := len(s.waiting); n > 0 {
		s.deps.Log.Info("clients not waited for any longer: their open requests are lost", "clients", n, "why", why)
	}
	for _, w := range s.waiting {
		s.forgo(w)
		w.end()
	}
}
