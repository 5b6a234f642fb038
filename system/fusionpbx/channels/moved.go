package channels

import "strowger/system/fusionpbx/event"

// Moved is called with an event before pages are told of it. If the channel is of another tenant from now on, it returns the
// channel as pages know it: those who saw it must be told that it has ended, because they are told nothing more of it. Otherwise
// it returns nil. Those who see it from now on may not know it; see Arrived.
func (w *Watch) Moved(p *event.Payload) *Channel {
	if w.o.Tenant == nil {
		return nil
	}
	w.known.mu.Lock()
	defer w.known.mu.Unlock()
	ch := w.known.channels[p.Get(keyUUID)]
	if ch == nil {
		return nil
	}
	before, now := w.known.tenantOf(ch), w.o.Tenant(p.Get(keyContext), p.Get(keyPresence))
	if before == "" || before == now || !ch.shown || ch.ended {
		return nil
	}
	// A channel begins once. So this is another one, and the events that come are those of both.
	ch.twice = ch.twice || p.Name() == create
	if ch.twice {
		return nil
	}
	twin := *ch
	return &twin
}

// Arrived is called after Remember with an event for which Moved has returned a channel. It returns what those are told of the
// channel who know nothing of it, if the event has not told them. ok is false if nothing is to be told.
func (w *Watch) Arrived(p *event.Payload) (row event.Payload, ok bool) {
	if p.Name() == callState || p.Get(keyAnswer) == hungUp {
		return row, false
	}
	w.known.mu.Lock()
	defer w.known.mu.Unlock()
	ch := w.known.channels[p.Get(keyUUID)]
	if ch == nil || !ch.shown || ch.ended {
		return row, false
	}
	ch.unseen = false
	return ch.Payload(callState), true
}

// movedBy returns a channel as pages know it if the switch's list has it at another tenant, else nil.
func (w *Watch) movedBy(r *Row) *Channel {
	p := r.channel().Payload(callState)
	w.known.complete(&p)
	return w.Moved(&p)
}
