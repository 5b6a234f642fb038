package runner

import (
	"encoding/json"
	"time"

	"strowger/system/service"
)

// roundUp returns whole milliseconds, so that nobody comes too early.
func roundUp(d time.Duration) time.Duration {
	return (d + time.Millisecond - 1).Truncate(time.Millisecond)
}

// State is what the service does now.
func (i *Instance) State() service.State {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.now()
}

// now completes the state. i.mu is held.
func (i *Instance) now() service.State {
	s := i.state
	if !i.retry.IsZero() {
		s.RetryAfter = roundUp(max(0, i.retry.Sub(i.o.Clock.Now())))
	}
	s.Open, s.Queued, s.Abandoned = i.table.len(), i.table.line.length, i.remains()
	return s
}

// enter changes the condition and says so to all subscribers; after is the time until the next
// start, if that is known. What was not up before stays down since then. i.mu is held, so that the
// changes are said in order.
func (i *Instance) enter(c service.Condition, after time.Duration) {
	if c == service.Stopped && i.o.Standby != nil && i.o.Standby() {
		c = service.Standby
	}
	now := i.o.Clock.Now()
	if c == service.Up || i.state.Condition == service.Up {
		i.state.Since = now
	}
	i.state.Condition = c
	i.retry = time.Time{}
	if after > 0 {
		i.retry = now.Add(after)
	}
	if i.o.Inner {
		return
	}
	i.log.Info("service state changed", "state", string(c), "retry_after", after, "restarts", i.state.Restarts)
	if i.o.OnState != nil {
		defer i.o.OnState()
	}
	if c == service.Standby {
		return // the instance that another node has says what is so
	}
	payload, err := encode(i.now())
	if err != nil {
		i.counters.Unencoded.Add(1)
		return
	}
	i.home.Say(i.broadcast(service.StateTopic, 0, payload))
}

// ended reports whether the service is down, and no start is planned. i.mu is held.
func (i *Instance) ended() bool {
	return i.state.Condition == service.Stopped || i.state.Condition == service.Standby
}

// retryAfter is the payload of a 503 while the service is down. i.mu is held.
func (i *Instance) retryAfter() []byte {
	if i.retry.IsZero() && i.ended() {
		return nil
	}
	return retryAfter(i.now().RetryAfter)
}

func retryAfter(d time.Duration) []byte {
	payload, err := json.Marshal(struct {
		RetryAfter float64 `json:"retry_after"`
	}{roundUp(d).Seconds()})
	if err != nil {
		return nil
	}
	return payload
}
