package introspect

import "time"

// Heart is what the heart of a system has found: which parts of the core answer.
type Heart struct {
	// Silent are the parts that do not answer now, by kind; Silences those that did not at some time since the start. Every
	// kind is there.
	Silent, Silences map[string]int64
}

// Silence is a part of the core that does not answer.
type Silence struct {
	Kind  string
	Part  string // its name
	Actor string // its path in the tree; empty if it is not there
	Since time.Time
	For   time.Duration
	Grade Grade
}

// Grade is how bad it is that a part does not answer.
type Grade int

// The grades, from the least one on.
const (
	Amiss  Grade = iota // the router serves nevertheless
	Barred              // new peers are not let in
	Lost                // the core cannot go on
)
