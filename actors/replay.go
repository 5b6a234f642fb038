package actors

import (
	"fmt"

	"strowger/actors/envelope"
)

// Replay is a request that is asked once more, for an operator.
type Replay struct {
	Route    *Route
	Asker    *Identity // as who it is asked: what it may is what it may of that
	Remote   fmt.Stringer
	Envelope *envelope.Envelope // with a request id
	Answer   Outlet             // gets the answers
}

// Ask asks. Stop, which is called once, says that no more answers are awaited. The asker has another id than before, so
// no answer reaches whoever asked first.
func (r *Replay) Ask() (stop func()) {
	who := *r.Asker
	who.ID = envelope.NewID()
	who.resourceID = envelope.QuoteString(who.ID)
	peer := &Peer{Identity: who, Outlet: r.Answer, Remote: r.Remote}
	r.Route.Service.Send(&ask{envelope: r.Envelope, size: len(r.Envelope.Payload), from: peer})
	return func() { r.Route.Service.Send(&askerGone{id: who.ID}) }
}
