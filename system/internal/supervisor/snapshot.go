package supervisor

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

type (
	// Inspect asks a supervisor for a Snapshot.
	Inspect struct{}
	// Snapshot is the state of all children, in their order, at one moment.
	Snapshot struct {
		Strategy Strategy
		Children []Child
	}
	// Child is the state of one child.
	Child struct {
		Name       string
		PID        *actor.PID // nil when it does not run
		Generation uint64     // starts so far, those of earlier incarnations of its supervisor included
		State      State
		Since      time.Time     // when it last came up
		Restarts   uint64        // in place and anew, for whatever reason
		Failures   uint64        // its own
		Last       Failure       // zero if there was none
		Remaining  time.Duration // of the backoff or the cool-down
		Breaker    BreakerState
		Possible   Deed // what an Order can have done now
	}
	// Failure is when a child failed last and why.
	Failure struct {
		At     time.Time
		Reason any
	}
)

// State is what a child does.
type State int

// The states. Restarting is the time between a decision and its being carried out, Waiting that of
// a backoff, a cool-down or another child's.
const (
	Running State = iota
	Restarting
	Waiting
	Stopping
	Finished
)

// String returns the state as a tree shows it.
func (s State) String() string {
	return [...]string{"running", "restarting", "waiting", "stopping", "finished"}[s]
}

func (s *supervisor) snapshot() *Snapshot {
	now := s.o.Clock.Now()
	snapshot := &Snapshot{Strategy: s.o.Strategy, Children: make([]Child, len(s.children))}
	for i, c := range s.children {
		child := Child{Name: c.spec.Name, PID: c.pid, Generation: c.generation, State: s.state(c),
			Since: c.since, Restarts: c.restarts, Failures: c.failures, Last: c.last, Breaker: c.breaker, Possible: s.possible(c)}
		if c.wait.pending() {
			child.Remaining = max(0, c.wait.due.Sub(now))
		}
		snapshot.Children[i] = child
	}
	return snapshot
}

func (s *supervisor) state(c *child) State {
	switch c.stage {
	case up:
		return Running
	case crashed:
		return Restarting
	case down:
		if s.ending {
			return Finished
		}
		return Waiting
	case finished:
		return Finished
	}
	if s.ending || c.final {
		return Stopping
	}
	return Restarting
}
