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
// then waits for it. Down is a breaker that is open.
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
	// Restarts is how often Setup has run again.
	Restarts uint64
	// Reason is what the last crash said, empty if there was none. Clients are not told.
	Reason string
	// Open is how many requests wait for an answer, Queued how many the service has not looked at.
	Open, Queued int
}

// MarshalJSON writes what clients get: service, state, since as RFC 3339, and retry_after in
// seconds unless 0.
func (s State) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Service    string    `json:"service"`
		State      Condition `json:"state"`
		Since      string    `json:"since"`
		RetryAfter float64   `json:"retry_after,omitempty"`
	}{s.Service, s.Condition, s.Since.UTC().Format("2006-01-02T15:04:05.000Z07:00"), seconds(s.RetryAfter)})
}

// seconds rounds up to milliseconds, so that nobody comes too early.
func seconds(d time.Duration) float64 {
	return float64((d+time.Millisecond-1)/time.Millisecond) / 1000
}

// State is what the service does now.
func (i *Instance) State() State {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.now()
}

// now completes the state. i.mu is held.
func (i *Instance) now() State {
	s := i.state
	if !i.retry.IsZero() {
		s.RetryAfter = max(0, i.retry.Sub(i.o.Clock.Now()))
	}
	s.Open, s.Queued = i.table.len(), i.table.queued
	return s
}

// enter changes the condition and says so to all subscribers; after is the time until the next
// start, if that is known. What was not up before stays down since then. i.mu is held, so that the
// changes are said in order.
func (i *Instance) enter(c Condition, after time.Duration) {
	now := i.o.Clock.Now()
	if c == Up || i.state.Condition == Up {
		i.state.Since = now
	}
	i.state.Condition = c
	i.retry = time.Time{}
	if after > 0 {
		i.retry = now.Add(after)
	}
	i.log.Info("service state changed", "state", string(c), "retry_after", after, "restarts", i.state.Restarts)
	payload, err := encode(i.now())
	if err != nil {
		i.counters.Unencoded.Add(1)
		return
	}
	i.home.Say(i.broadcast(StateTopic, payload))
}

// retryAfter is the payload of a 503 while the service is down. i.mu is held.
func (i *Instance) retryAfter() []byte {
	if i.retry.IsZero() && i.state.Condition == Stopped {
		return nil
	}
	return retryAfter(i.now().RetryAfter)
}

func retryAfter(d time.Duration) []byte {
	payload, err := json.Marshal(struct {
		RetryAfter float64 `json:"retry_after"`
	}{seconds(d)})
	if err != nil {
		return nil
	}
	return payload
}
