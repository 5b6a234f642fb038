package runtime

// Held is embedded in messages that hold a share of their sender's window. After an actor has handled such a
// message, or when no actor will, the runtime gives the share back. An actor that sends what it got on in
// another message passes the share to that one.
type Held struct{ lease *Lease }

// Hold returns what holds l. A nil lease is no share.
func Hold(l *Lease) Held { return Held{l} }

// Holding is a Held with room for the lease, which saves an allocation for each message.
type Holding struct {
	Held
	lease Lease
}

// Begin makes h hold a new lease of cost bytes that w has already granted. It is called once.
func (h *Holding) Begin(w *Window, cost int64) {
	h.lease.begin(w, cost)
	h.Held = Held{&h.lease}
}

// Lease returns the share, for an encoded form that is to hold it as well; nil if there is none.
func (h *Held) Lease() *Lease { return h.lease }

// Pass returns the share and leaves h without one.
func (h *Held) Pass() Held {
	passed := *h
	h.lease = nil
	return passed
}

// Share returns one more holder of the share, which must be released.
func (h *Held) Share() Held {
	h.lease.Retain()
	return *h
}

// Release gives the share back. The runtime does it for messages in mailboxes. Others call it once for what
// they got from Share.
func (h *Held) Release() { h.lease.Release() }

func (h *Held) held() *Held { return h }

// holding is a message with a Held.
type holding interface{ held() *Held }

// Stash keeps messages that an actor wants to handle later, with their shares. The zero value is empty.
type Stash[M holding] struct{ kept []kept[M] }

type kept[M holding] struct {
	message M
	share   Held
}

// Keep adds the message that is being handled.
func (s *Stash[M]) Keep(m M) { s.kept = append(s.kept, kept[M]{m, m.held().Pass()}) }

// Replay has the messages handled in their order as long as more is true, and gives back the share of each
// that was not passed on. Handle may not keep a message again.
func (s *Stash[M]) Replay(more func() bool, handle func(m M)) {
	for len(s.kept) > 0 && more() {
		k := s.kept[0]
		s.kept[0] = kept[M]{}
		s.kept = s.kept[1:]
		*k.message.held() = k.share
		handle(k.message)
		k.message.held().Release()
	}
	if len(s.kept) == 0 {
		s.kept = nil
	}
}

// Each calls f with each message that is kept.
func (s *Stash[M]) Each(f func(m M)) {
	for i := range s.kept {
		f(s.kept[i].message)
	}
}

// Drop forgets the messages and gives back their shares.
func (s *Stash[M]) Drop() {
	for i := range s.kept {
		s.kept[i].share.Release()
	}
	s.kept = nil
}
