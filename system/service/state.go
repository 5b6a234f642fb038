package service

import (
	"encoding/json"
	"time"
)

// StateTopic is the topic under which changes of a service's State are broadcast, and of the
// request that asks for it, which is answered also while the service is down.
const StateTopic = "service_state"

// Condition is whether a service answers.
type Condition string

// The conditions. A service that is Starting, or Restarting in place, has its mailbox: what is asked
// then waits for it. Down is a breaker that is open. On Standby is a Singleton that this node would run, while another node
// has it; it is not broadcast.
const (
	Starting   Condition = "starting"
	Up         Condition = "up"
	Restarting Condition = "restarting"
	Down       Condition = "down"
	Stopped    Condition = "stopped"
	Standby    Condition = "standby"
)

// State is what a service does at one moment.
type State struct {
	Service   string
	Condition Condition
	// Since is when it came up, or when it went down and has not been up after.
	Since time.Time
	// RetryAfter is how long it is until the next attempt to start, in whole milliseconds; 0 if none is
	// planned.
	RetryAfter time.Duration
	// Restarts is how often Setup has run again.
	Restarts uint64
	// Reason is what the last crash said, empty if there was none. Clients are not told.
	Reason string
	// Open is how many requests wait for an answer, Queued how many the service has not looked at.
	Open, Queued int
	// Abandoned is how many goroutines of earlier lives of the service still run, because they hang or take no notice
	// that their context has ended. They keep their memory, and the processor if they spin.
	Abandoned int
}

// MarshalJSON writes what clients get: service, state, since as RFC 3339, and retry_after in
// seconds unless 0.
func (s State) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Service    string    `json:"service"`
		State      Condition `json:"state"`
		Since      string    `json:"since"`
		RetryAfter float64   `json:"retry_after,omitempty"`
	}{s.Service, s.Condition, s.Since.UTC().Format("2006-01-02T15:04:05.000Z07:00"), s.RetryAfter.Seconds()})
}
