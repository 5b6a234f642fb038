package actors

import (
	"strowger/actors/envelope"
	"strowger/actors/runtime"
)

// DeadLetter is a request, a reply or a broadcast that nobody took. Those to whom it is told must copy what they keep.
// A broadcast that reaches nobody, because nobody watches the service, is none: that is how services speak. Neither is
// what a policy or the format of messages refuses. Those are counted, and told by refusals.
type DeadLetter struct {
	Reason   DeadReason
	Kind     LetterKind
	Envelope *envelope.Envelope
	From     *Peer // who asked or spoke
}

// LetterKind is what a dead letter was.
type LetterKind int

// The kinds.
const (
	RequestLetter LetterKind = iota
	ReplyLetter
	BroadcastLetter
)

// String returns the kind as a word.
func (k LetterKind) String() string { return [...]string{"request", "reply", "broadcast"}[k] }

// bury counts a dead letter and tells of it.
func (d *Deps) bury(reason DeadReason, kind LetterKind, e *envelope.Envelope, from *Peer) {
	d.Counters.Dead(reason)
	if d.OnDead != nil {
		d.OnDead(&DeadLetter{Reason: reason, Kind: kind, Envelope: e, From: from})
	}
}

// lettered is a message that is a dead letter when it is lost.
type lettered interface {
	letter() (LetterKind, *envelope.Envelope, *Peer)
}

func (m *ask) letter() (LetterKind, *envelope.Envelope, *Peer) {
	return RequestLetter, m.envelope, m.from
}

func (m *say) letter() (LetterKind, *envelope.Envelope, *Peer) {
	if envelope.IsEmpty(m.envelope.RequestID) {
		return BroadcastLetter, m.envelope, m.from
	}
	return ReplyLetter, m.envelope, m.from
}

func (m *broadcast) letter() (LetterKind, *envelope.Envelope, *Peer) {
	return BroadcastLetter, m.envelope, m.from
}

func (m *reply) letter() (LetterKind, *envelope.Envelope, *Peer) { return ReplyLetter, m.envelope, nil }

// LetterOf returns the dead letter that a crash has made, nil if the message was none.
func LetterOf(c *runtime.Crash) *DeadLetter {
	m, ok := c.Message.(lettered)
	if !ok {
		return nil
	}
	kind, e, from := m.letter()
	return &DeadLetter{Reason: ActorCrashed, Kind: kind, Envelope: e, From: from}
}

// lostLetter counts a message that is a dead letter. Of one at which an actor crashed OnCrash is told.
func (d *Deps) lostLetter(m lettered, why runtime.Loss) {
	if why == runtime.Panicked {
		d.Counters.Dead(ActorCrashed)
		return
	}
	kind, e, from := m.letter()
	if kind == BroadcastLetter {
		d.Counters.Dead(reason(why)) // nobody watches the name any more
		return
	}
	d.bury(reason(why), kind, e, from)
}

func (m *say) lost(d *Deps, why runtime.Loss)   { d.lostLetter(m, why) }
func (m *reply) lost(d *Deps, why runtime.Loss) { d.lostLetter(m, why) }

func (m *broadcast) lost(d *Deps, why runtime.Loss) {
	if m.timed {
		d.Counters.Delivery.Drop()
	}
	d.lostLetter(m, why)
}
