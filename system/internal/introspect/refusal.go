package introspect

import "time"

// Refusal is the last event with a line in the log of one cause for which the router refuses or cuts off a peer.
type Refusal struct {
	Cause      string            `json:"cause"` // one of a fixed set
	Count      int64             `json:"count"` // of all events of the cause since the start
	Message    string            `json:"message"`
	At         time.Time         `json:"at,omitzero"` // zero if log.level leaves out lines of this cause
	Attributes map[string]string `json:"attributes"`
}
