package introspect

import "time"

// Refusal is what the log said last of one cause for which the router refuses or cuts off a peer.
type Refusal struct {
	Cause      string            `json:"cause"` // one of a fixed set
	Count      int64             `json:"count"` // of all events of the cause since the start
	At         time.Time         `json:"at"`
	Message    string            `json:"message"`
	Attributes map[string]string `json:"attributes"`
}
