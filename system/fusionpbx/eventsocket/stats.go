package eventsocket

import (
	"sync/atomic"
	"time"
)

// Stats are counters since the client was made, and the state now.
type Stats struct {
	Connected bool
	// Connects counts connections that were set up, Failures attempts that failed and connections that
	// ended with an error, of which Refused had a wrong password or address.
	Connects, Failures, Refused uint64
	// Events counts events that were read, Bytes everything that was read.
	Events, Bytes uint64
	// Lost counts events that subscriptions lost, each time for each subscription.
	Lost uint64
	// TooLarge counts events and replies that were skipped, Malformed those that made no sense, and
	// Truncated events that ended early.
	TooLarge, Malformed, Truncated uint64
	// Replies counts replies, of which Late came after their command's deadline.
	Replies, Late uint64
	// LastEvent is when the last event was read; zero if there was none.
	LastEvent time.Time
}

// counters are Stats while they change.
type counters struct {
	connected                                            atomic.Bool
	connects, failures, refused, events, bytes, lost     atomic.Uint64
	tooLarge, malformed, truncated, replies, lateReplies atomic.Uint64
	lastEvent                                            atomic.Int64 // nanoseconds since 1970; 0: none
}

func (c *counters) stats() Stats {
	var last time.Time
	if at := c.lastEvent.Load(); at != 0 {
		last = time.Unix(0, at)
	}
	return Stats{
		LastEvent: last,
		Connected: c.connected.Load(),
		Connects:  c.connects.Load(), Failures: c.failures.Load(), Refused: c.refused.Load(),
		Events: c.events.Load(), Bytes: c.bytes.Load(), Lost: c.lost.Load(),
		TooLarge: c.tooLarge.Load(), Malformed: c.malformed.Load(), Truncated: c.truncated.Load(),
		Replies: c.replies.Load(), Late: c.lateReplies.Load(),
	}
}
