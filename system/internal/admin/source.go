package admin

import "strowger/system/internal/introspect"

// Source is the system that is shown. Its methods are called from many goroutines at once and answer
// from what is known: they wait neither for an actor nor for a disk.
type Source interface {
	// Tree returns the supervised actors.
	Tree() introspect.Node
	// Ready returns what keeps the system from serving; nothing means that it is ready.
	Ready() []introspect.Problem
	// Metrics returns the counters.
	Metrics() introspect.Metrics
	// DeadLetters returns those kept, the latest first.
	DeadLetters() []introspect.DeadLetter
}
