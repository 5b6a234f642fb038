package runtime

// Pulse tells from outside whether one actor gets on. Its methods may be called from any goroutine. The zero Pulse is
// that of no actor, which is idle.
type Pulse struct{ mailbox *mailbox }

// heartbeat is a system message that the mailbox answers itself.
type heartbeat struct{ done func() }

// Pulse returns the pulse of the actor.
func (r Ref[M]) Pulse() Pulse { return Pulse{r.mailbox} }

// Pulse returns the pulse of the actor that g watches.
func (g *Gauge) Pulse() Pulse { return Pulse{g.mailbox.Load()} }

// Pulse returns the pulse of the actor that takes what is in b.
func (b *Inbox[M]) Pulse() Pulse { return Pulse{b.mailbox} }

// Idle reports whether the actor is at work on nothing and has nothing to do, so that it cannot hang.
func (p Pulse) Idle() bool {
	m := p.mailbox
	if m == nil {
		return true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.urgent.Load()
	return !m.running && len(m.user) == 0 && int(m.at) == len(m.taken) && (u == nil || len(u.system) == 0)
}

// Beat has done called as soon as the actor is done with the message that it is at, before those that wait. So an actor
// that has much to do answers, and one that hangs does not. An actor that has stopped answers too. Done is called on the
// goroutine of the actor, or on that of the caller if the actor does not run yet.
func (p Pulse) Beat(done func()) {
	m := p.mailbox
	if m == nil || !m.registered() {
		done()
		return
	}
	m.PostSystemMessage(&heartbeat{done})
}

// registered reports whether the mailbox has an actor.
func (m *mailbox) registered() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dispatcher != nil
}
