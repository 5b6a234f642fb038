package actors

import (
	"slices"

	"strowger/actors/envelope"
	"strowger/actors/refusals"
	"strowger/actors/runtime"
)

// leavingTopic is the topic of the message by which a service says that it takes no more requests
// (protocol 5.9).
const leavingTopic = "leaving"

// instanceLeaving says that an instance takes no more requests. The service's actor answers it, so that
// the answer follows the last request.
type instanceLeaving struct {
	counted
	runtime.Held
	peer     *Peer
	envelope *envelope.Envelope
}

func (*instanceLeaving) toService() {}

// leaves reports whether a message says that the service takes no more requests.
func (c *connection) leaves(m *envelope.Message) bool {
	if !m.Authentication || c.peer.Role != Service || len(m.TokenName) > 0 || len(m.TokenHash) > 0 {
		return false
	}
	topic, _ := envelope.View(m.Topic)
	return topic == leavingTopic
}

// leave passes the news on to the service's actor.
func (c *connection) leave(m *envelope.Message, held *runtime.Held) {
	route := c.deps.Registry.Lookup(c.peer.Name)
	if route == nil {
		// The router stops, and closes this connection next.
		return
	}
	route.Service.Send(&instanceLeaving{Held: held.Pass(), peer: c.peer, envelope: &m.Envelope})
}

func (s *service) instanceLeaving(m *instanceLeaving) {
	if i := s.instance(m.peer); i != nil && !i.leaving {
		i.leaving = true
		s.tell(i)
		s.deps.Log.Info("service takes no more requests", "service", refusals.Clip(s.name), "class", refusals.Clip(m.peer.Class), "open", i.open)
	}
	s.deps.answer(m.peer.Outlet, envelope.Authenticated, withServiceName(m.envelope))
}

// instance returns the instance that a peer is, nil if it has left.
func (s *service) instance(peer *Peer) *instance {
	at := slices.IndexFunc(s.instances, func(i *instance) bool { return i.peer == peer })
	if at < 0 {
		return nil
	}
	return s.instances[at]
}

// handsBack reports whether a message is the 503 of a leaving instance to a request that has no answer
// yet. The asker does not get it: another instance may still answer, and a request that no other instance
// has is treated like one that a dead instance leaves.
func (s *service) handsBack(m *say) bool {
	if string(m.envelope.StatusCode) != "503" {
		return false
	}
	by := s.instance(m.from)
	if by == nil || !by.leaving {
		return false
	}
	r := s.requestOf(m.envelope)
	if r == nil || !r.lose(by) {
		return false
	}
	by.open--
	s.takeBack(r, by)
	return true
}

// requestOf returns the request that a reply is meant for, nil if there is none.
func (s *service) requestOf(e *envelope.Envelope) *request {
	key := requestKey(e)
	if id, ok := envelope.View(e.ResourceID); ok && id != "" {
		if a := s.pending.askers[id]; a != nil {
			return a.requests[key]
		}
		return nil
	}
	if !s.deps.settings().RepliesWithoutResource {
		return nil
	}
	r, _ := s.pending.only(key)
	return r
}
