package admin

import "strowger/system/internal/introspect"

// Source is the system that is shown. Its methods are called from many goroutines at once and answer
// from what is known: they wait neither for an actor nor for a disk.
type Source interface {
	// Tree returns the supervised actors.
	Tree() introspect.Node
	// Ready returns what keeps the system from serving; nothing means that it is ready.
	Ready() []introspect.Problem
	// Lost returns the parts without which the system cannot go on and which do not answer.
	Lost() []introspect.Problem
	// Notes returns what an operator should know although the system is ready.
	Notes() []introspect.Problem
	// Cluster returns the other routers that are one router with this one.
	Cluster() introspect.Cluster
	// Metrics returns the counters.
	Metrics() introspect.Metrics
	// Refusals returns what the log said last of each cause of a refusal.
	Refusals() []introspect.Refusal
	// DeadLetters returns those kept, the latest first.
	DeadLetters() []introspect.DeadLetter
}
