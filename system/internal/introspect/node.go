package introspect

import (
	"iter"
	"time"
)

// State is what an actor of the tree does, as a word for people and for JSON.
type State string

// The states. Restarting is the moment between a failure and what follows at once, Waiting the
// pause before a new start: a backoff or a breaker's cool-down.
const (
	Starting   State = "starting" // named in the tree and not seen yet
	Running    State = "running"
	Restarting State = "restarting"
	Waiting    State = "waiting"
	Stopped    State = "stopped"
	Failed     State = "failed" // and not coming back by itself
)

// Breaker is what a child's breaker lets through.
type Breaker string

// The states of a breaker. A child without one is always closed.
const (
	Closed   Breaker = "closed"
	HalfOpen Breaker = "half-open" // one probe runs
	Open     Breaker = "open"      // the child stays down
)

// Node is one actor of the tree at one moment, with all that are below it.
type Node struct {
	Name       string    `json:"name"`
	Kind       string    `json:"kind"` // what sort of actor it is, "supervisor" for instance
	State      State     `json:"state"`
	Since      time.Time `json:"since,omitzero"` // when it came into that state
	Generation uint64    `json:"generation"`     // starts, without those in place
	Restarts   uint64    `json:"restarts"`       // in place and anew
	Failures   uint64    `json:"failures"`
	Abandoned  uint64    `json:"abandoned"`              // generations that would not stop
	Last       *Failure  `json:"last_failure,omitempty"` // nil if there was none
	// Backoff is how long it still waits for its start, in milliseconds.
	Backoff int64 `json:"backoff_remaining_ms"`
	// Silent is for how long it has not answered the heartbeat, in milliseconds; 0 if it answers.
	Silent   int64   `json:"silent_ms,omitempty"`
	Breaker  Breaker `json:"breaker"`
	Mailbox  *int    `json:"mailbox_depth,omitempty"` // messages that wait; nil if that is not known
	Children []Node  `json:"children,omitempty"`
}

// Failure is when an actor failed last and why, in one short text.
type Failure struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
	Stack  string    `json:"-"` // empty if it is not known
}

// All returns the node and all below it with their paths, parents first.
func (n *Node) All() iter.Seq2[string, *Node] {
	return func(yield func(string, *Node) bool) { n.walk(n.Name, yield) }
}

func (n *Node) walk(path string, yield func(string, *Node) bool) bool {
	if !yield(path, n) {
		return false
	}
	for i := range n.Children {
		if !n.Children[i].walk(path+"/"+n.Children[i].Name, yield) {
			return false
		}
	}
	return true
}
