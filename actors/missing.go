package actors

import "strowger/actors/envelope"

// missing says that another node, which this one now hears, may have said something before that this one has not heard.
type missing struct{ unmissed }

func (*missing) toTopic() {}

// Known is called when the node has told all that it offered and watched when the link began. What its services say comes
// after that. What they have said before is missing here.
func (r *Remote) Known() {
	told := make(map[string]bool)
	for key := range r.offers {
		if told[key.name] {
			continue
		}
		told[key.name] = true
		if route := r.deps.Registry.Lookup(key.name); route != nil {
			route.Topic.Send(&missing{})
		}
	}
}

// missed tells the members that ask to hear of gaps that something of the service may be missing, and that nobody knows
// how much (protocol 14.5).
func (t *topic) missed() {
	var gap *Message
	for p := range t.members {
		if !p.HearsGaps() {
			continue
		}
		if gap == nil {
			m := t.deps.Egress.Encode(&envelope.Envelope{ServiceName: envelope.QuoteString(t.name)}, envelope.Raw(`,"gap":0`))
			gap = &m
		}
		p.Outlet.Send(*gap)
		t.deps.Counters.LossesTold.Add(1)
	}
}

// speaks reports whether an instance of a node is known.
func (t *topic) speaks(n Node) bool {
	for p := range t.speakers {
		if p.node == n {
			return true
		}
	}
	return false
}
