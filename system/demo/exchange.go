package demo

import (
	"context"
	"slices"
	"sync"
	"time"

	"strowger/actors/clock"
	"strowger/system/service"
)

const (
	step      = 200 * time.Millisecond // how often the switch looks at its calls
	heartbeat = 20 * time.Second       // FreeSWITCH's interval
	opening   = 5                      // calls of a tenant when the show begins
	mostCalls = 10                     // calls of a tenant at once
	callGap   = 4 * time.Second        // mean time between two calls of a tenant

	shortestRing, longestRing = 3 * time.Second, 10 * time.Second
	shortestTalk, longestTalk = 8 * time.Second, time.Minute
	longestCall               = longestRing + longestTalk
)

// exchange stands in for a telephone switch with several tenants. Its methods may be called from
// any goroutine.
type exchange struct {
	random func() float64

	mu      sync.Mutex // Protects following.
	tenants []*tenant
	calls   []*call   // in the order in which they began
	at      time.Time // until when it has advanced
	beat    time.Time // when the next heartbeat is due
}

// tenant is one domain of the switch.
type tenant struct {
	domain string
	people []person // a small company; extensions count up from 1001
	next   time.Time
}

func newExchange(random func() float64, now time.Time) *exchange {
	x := &exchange{random: random, tenants: tenants(), at: now, beat: now.Add(heartbeat)}
	for _, t := range x.tenants {
		t.next = now
		for range opening {
			c := x.dial(t, now.Add(-x.between(10*time.Second, 90*time.Second)))
			c.phase, c.AnswerState, c.ChannelCallState = answered, "answered", "ACTIVE"
			c.next = now.Add(x.between(5*time.Second, 40*time.Second))
		}
	}
	return x
}

// run tells of everything that happens until ctx ends.
func (x *exchange) run(ctx context.Context, c clock.Clock, emit service.Emit) error {
	for {
		for _, e := range x.advance(c.Now()) {
			if err := emit(e); err != nil {
				return err
			}
		}
		if err := wait(ctx, c, step); err != nil {
			return err
		}
	}
}

// advance returns what has happened until now since the last time, but not more than the life of one
// call: whatever came and went before that is over.
func (x *exchange) advance(now time.Time) []event {
	x.mu.Lock()
	defer x.mu.Unlock()
	if oldest := now.Add(-longestCall); x.at.Before(oldest) {
		x.at = oldest
	}
	var events []event
	for x.at.Before(now) {
		x.at = x.at.Add(min(step, now.Sub(x.at)))
		events = append(events, x.happen()...)
	}
	if !now.Before(x.beat) {
		x.beat = now.Add(heartbeat)
		events = append(events, event{"HEARTBEAT", map[string]string{"event_name": "HEARTBEAT"}})
	}
	return events
}

// happen begins calls and takes calls on that are due. The caller holds the lock.
func (x *exchange) happen() []event {
	for _, t := range x.tenants {
		if x.at.Before(t.next) {
			continue
		}
		t.next = x.at.Add(x.between(callGap/2, callGap*3/2))
		if x.busy(t) < mostCalls {
			x.dial(t, x.at)
		}
	}
	var events []event
	for _, c := range x.calls {
		for c.phase != over && (c.phase == dialling || !x.at.Before(c.next)) {
			events = append(events, c.step()...)
		}
	}
	x.calls = slices.DeleteFunc(x.calls, func(c *call) bool { return c.phase == over })
	return events
}

// channels returns the calls as they are, each as a CHANNEL_CALLSTATE.
func (x *exchange) channels() []*channel {
	x.mu.Lock()
	defer x.mu.Unlock()
	var all []*channel
	for _, c := range x.calls {
		if c.phase == dialling {
			continue // will be told of
		}
		ch := c.channel
		ch.EventName = callState
		all = append(all, &ch)
	}
	return all
}

// hangup reports whether there is such a call and may allows to end it. It ends within a step.
func (x *exchange) hangup(id string, may func(ch *channel) bool) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range x.calls {
		if c.UniqueID == id && may(&c.channel) {
			c.missed, c.next = true, time.Time{}
			return true
		}
	}
	return false
}

func (x *exchange) busy(t *tenant) int {
	n := 0
	for _, c := range x.calls {
		if c.CallerContext == t.domain {
			n++
		}
	}
	return n
}

// between returns a random time of that range.
func (x *exchange) between(shortest, longest time.Duration) time.Duration {
	return shortest + time.Duration(x.random()*float64(longest-shortest))
}
