package actors

import (
	"sync/atomic"

	"strowger/actors/meter"
)

// DeadReason says why a message reached nobody.
type DeadReason int

// The reasons. String gives the label used in logs and metrics.
const (
	NotEnvelope       DeadReason = iota // not JSON, not an object, too deep, empty
	UnknownService                      // nobody offers the service asked for
	UnknownSubscriber                   // a reply to an id that nobody has, or has any more
	UnsolicitedReply                    // a reply nobody asked for
	LateReply                           // a reply behind the request's deadline
	AmbiguousReply                      // a reply without resource_id that could be for several
	ForeignName                         // a service spoke under a name that is not its own
	TooManyRequests                     // over limits.pending_requests
	NotSendable                         // holds a number that no float64 can hold
	Expired                             // sent by a connection whose token has expired
	SocketClosed                        // the connection it was for is closing
	ActorStopped                        // the actor it was for has stopped
	ActorCrashed                        // the actor it was for panicked at it
	UnknownMessage                      // an actor got a message it has no case for
	Forbidden                           // a request that a policy refuses
	Filtered                            // a reply of which a policy gives nothing to whoever asked
	NodeGone                            // the node that it was for is gone, or too much waits for it
	InstancesEjected                    // all instances that might answer it are ejected
	deadReasons
)

var deadNames = [deadReasons]string{
	"not_envelope", "unknown_service", "unknown_subscriber", "unsolicited_reply", "late_reply",
	"ambiguous_reply", "foreign_name", "too_many_requests", "not_sendable", "expired", "socket_closed",
	"actor_stopped", "actor_crashed", "unknown_message", "forbidden", "filtered", "node_gone",
	"instances_ejected",
}

// String returns the reason as a metric label.
func (r DeadReason) String() string { return deadNames[r] }

// Counters count what happened since the start. All methods and fields may be used from any
// goroutine.
type Counters struct {
	HistoryCounters
	PresenceCounters
	Panics        atomic.Int64 // panics in actors
	Authentic     atomic.Int64 // tokens accepted
	Refused       atomic.Int64 // tokens refused
	Renewed       atomic.Int64 // tokens that moved the end of their connection
	NotRenewed    atomic.Int64 // tokens that did not
	TokensIgnored atomic.Int64 // tokens of peers that were authenticated already
	Reclaimed     atomic.Int64 // of the accepted tokens, those that were used up and whose holder has come back
	Forgotten     atomic.Int64 // tokens that were not kept for their holder because there were too many
	Reclaimable   atomic.Int64 // tokens that are kept now; not a count since the start
	Sessions      atomic.Int64 // connections now whose clients have asked for tickets; not a count since the start
	TakenOver     atomic.Int64 // connections that ended because their client came back over another one
	Waiting       atomic.Int64 // clients without a connection whose requests are kept now; not a count since the start
	Returned      atomic.Int64 // clients that came back to requests that were kept
	Unreturned    atomic.Int64 // clients whose requests were kept and given up
	Requests      atomic.Int64 // requests handed to a service
	Replies       atomic.Int64 // replies handed to a subscriber, and the 403 in place of a filtered one
	Broadcasts    atomic.Int64 // broadcasts handed to a topic
	Failovers     atomic.Int64 // requests handed to another instance because the first died or was ejected
	Ejections     atomic.Int64 // instances ejected
	Ejected       atomic.Int64 // instances that are ejected now; not a count since the start
	Kept          atomic.Int64 // bytes that open requests take now; not a count since the start
	SlowConsumers atomic.Int64 // connections ended because they read too slowly
	Narrowed      atomic.Int64 // broadcasts that one client did not get because it asked for less
	Dropped       atomic.Int64 // broadcasts dropped for one slow reader, as their policy says
	Replaced      atomic.Int64 // those of them in whose place a newer one of the same key came
	GapsTold      atomic.Int64 // times that a slow reader was told of a gap
	LossesTold    atomic.Int64 // times that a client was told that something another node has said may be missing
	Visitors      atomic.Int64 // clients of other nodes that services of this one know now; not a count since the start
	TooManyVisits atomic.Int64 // requests of other nodes that were handed back because they had too many visitors
	Wills         atomic.Int64 // wills of other nodes that are kept now; not a count since the start
	deadByReason  [deadReasons]atomic.Int64

	Services   meter.Services  // how long requests took, by service
	Delivery   *meter.Sampler  // how long broadcasts took to the sockets; Supervise makes it
	Handshakes meter.Histogram // from accept to the answer of a handshake that went well
	Admission  meter.Histogram // from a good token to its 200
	Rejection  meter.Histogram // from a token that is refused to its 401
}

// Dead counts a message that reached nobody.
func (c *Counters) Dead(reason DeadReason) { c.deadByReason[reason].Add(1) }

// DeadLetters returns the count of each reason that occurred.
func (c *Counters) DeadLetters() map[DeadReason]int64 {
	counts := make(map[DeadReason]int64)
	for r := range c.deadByReason {
		if n := c.deadByReason[r].Load(); n > 0 {
			counts[DeadReason(r)] = n
		}
	}
	return counts
}
