package actors

import (
	"encoding/json"
	"slices"

	"strowger/actors/envelope"
	"strowger/actors/runtime"
)

// The name and the topic by which a client asks the router whether somebody offers a service (protocol
// 5.10). Under the name strowger all other topics are requests to a service of that name.
const (
	routerName   = "strowger"
	offeredTopic = "offered"
)

// inquiry is a client's question whether anybody takes the requests for a name. The service's actor
// answers it, so that the answer follows what the client has asked the service before.
type inquiry struct {
	runtime.Held
	envelope *envelope.Envelope
	from     *Peer
}

func (*inquiry) toService() {}

// lost answers the client: a service that has stopped is not offered.
func (m *inquiry) lost(d *Deps, why runtime.Loss) {
	if why == runtime.Stopped {
		d.answerOffered(m.from, m.envelope, false)
		return
	}
	d.Counters.Dead(reason(why))
	d.answer(m.from.Outlet, envelope.InternalError, m.envelope)
}

// inquires reports whether a request for name is such a question.
func inquires(name string, e *envelope.Envelope) bool {
	if name != routerName {
		return false
	}
	topic, _ := envelope.View(e.Topic)
	return topic == offeredTopic
}

// inquire passes the question on to the actor of the service that it is about.
func (c *connection) inquire(e *envelope.Envelope, held *runtime.Held) {
	var about struct {
		Service json.RawMessage `json:"service"`
	}
	// A payload of another shape names no service.
	_ = json.Unmarshal(e.Payload, &about)
	name, ok := envelope.Name(about.Service)
	if !ok {
		c.deps.Counters.Dead(NotSendable)
		c.deps.answer(c.socket, envelope.BadRequest, e)
		return
	}
	route := c.deps.Registry.Lookup(name)
	if route == nil {
		c.deps.answerOffered(c.peer, e, false)
		return
	}
	route.Service.Send(&inquiry{Held: held.Pass(), envelope: e, from: c.peer})
}

// inquiry answers whether an instance is there that takes requests, whatever its policy refuses.
func (s *service) inquiry(m *inquiry) {
	s.deps.answerOffered(m.from, m.envelope, slices.ContainsFunc(s.instances, s.takes))
}

// answerOffered is the router's answer. It has a payload, which a router without this question never
// sends, so whoever asks can tell an answer from a refusal.
func (d *Deps) answerOffered(to *Peer, e *envelope.Envelope, offered bool) {
	a := envelope.Offered.Answer(e)
	a.Payload = envelope.Raw(`{"offered":false}`)
	if offered {
		a.Payload = envelope.Raw(`{"offered":true}`)
	}
	d.own(to.Outlet, a, to.Outlet.Send)
}
