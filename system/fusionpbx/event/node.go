package event

import (
	"strowger/actors/envelope"
	"strowger/system/service"
)

// nodeName is the key with the name of the node of a cluster on whose switch a call or a conference is.
const nodeName = "node_name"

// seesNodes is the permission of those who are told. The policies say so of what is broadcast, and Node.Seen does of
// lists, into which policies do not look.
const seesNodes = "cluster_node_view"

// Node is the name of the node whose switch a service listens to. It is empty if there is no cluster.
type Node string

// Mark adds the name to a payload.
func (n Node) Mark(p *Payload) {
	if n != "" {
		p.Set(nodeName, string(n))
	}
}

// MarkJSON adds the name to an object that is not empty, and returns it.
func (n Node) MarkJSON(object envelope.Raw) envelope.Raw {
	if n == "" || len(object) < 2 || object[len(object)-1] != '}' {
		return object
	}
	marked := append(object[:len(object)-1:len(object)-1], `,"`+nodeName+`":`...)
	return append(envelope.AppendString(marked, string(n)), '}')
}

// Seen returns the name if the subscriber may see it, and else none.
func (n Node) Seen(by *service.Subscriber) Node {
	if n == "" || !by.Has(seesNodes) {
		return ""
	}
	return n
}
