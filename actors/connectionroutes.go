package actors

import (
	"weak"

	"strowger/actors/envelope"
	"strowger/actors/meter"
)

// ask routes a client's request (protocol 5.2, 5.3).
func (c *connection) ask(m *envelope.Message, received *Received) {
	name, ok := envelope.Name(m.ServiceName)
	if !ok || m.Overflow {
		c.deps.Counters.Dead(NotSendable)
		c.deps.answer(c.socket, envelope.BadRequest, &m.Envelope)
		return
	}
	if inquires(name, &m.Envelope) {
		c.inquire(&m.Envelope, &received.Held)
		return
	}
	last := c.last.Value()
	route := c.deps.Registry.Again(last, name)
	if route == nil {
		c.deps.Counters.Services.Other().Observe(meter.Unserved, 0)
		c.deps.unavailable(c.peer, &m.Envelope)
		return
	}
	if route != last {
		c.last = weak.Make(route)
		c.noteAsked(route.Name)
	}
	received.ask = ask{Held: received.Pass(), envelope: &m.Envelope, size: len(received.Data), from: c.peer}
	route.Service.Send(&received.ask)
}

// noteAsked has the service of that name told when this peer has left.
func (c *connection) noteAsked(name string) {
	if c.asked == nil {
		c.asked = c.deps.askers.add(c.peer)
	}
	c.asked.add(name, c.deps.Registry)
}

// say passes on what a service wrote, if it spoke under its own name or one that its class serves
// (protocol 11.15).
func (c *connection) say(m *envelope.Message, received *Received) {
	name, _ := envelope.Name(m.ServiceName)
	last := c.last.Value()
	route := c.deps.Registry.Again(last, c.peer.Name)
	if route != last {
		c.last = weak.Make(route)
	}
	switch {
	case c.help(name, m, received):
	case name != c.peer.Name || route == nil:
		why := "its class is not declared"
		if name == "" {
			why = "the message has no service name"
		}
		c.deps.spokeForeign(c.peer, name, why)
	case m.Overflow:
		c.deps.Counters.Dead(NotSendable)
	default:
		c.tell(route, received, c.peer, false)
	}
}

// tell sends what a service has said on, under the name of from.
func (c *connection) tell(route *Route, m *Received, from *Peer, helper bool) {
	s := &m.say
	s.Held, s.envelope, s.from, s.helper = m.Pass(), &m.decoded.Envelope, from, helper
	route.Service.Send(s)
}
