package supervisor

import (
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Reasons of failures that are no panic.
var (
	// ErrHung is the reason when a child did not answer a ping in time.
	ErrHung = errors.New("child hangs")
	// ErrExited is the reason when a child's goroutine ended within a call.
	ErrExited = errors.New("child's goroutine ended: runtime.Goexit was called")
	// ErrEnded is the reason when a permanent child stopped without being told to by its supervisor.
	ErrEnded = errors.New("permanent child ended")
)

// Event is something that happened to a child. Events arrive in the order in which they happened.
type Event interface{ event() }

type (
	// ChildStarted says that a child runs for the first time under this supervisor.
	ChildStarted struct {
		Child      string
		Generation uint64
		PID        *actor.PID
	}
	// ChildUp says that a child runs again. After a restart in place PID and Generation are the old
	// ones; otherwise the PID is new and replaces the old wherever that was published.
	ChildUp struct {
		Child      string
		Generation uint64
		PID        *actor.PID
		InPlace    bool
	}
	// ChildFailed says that a child panicked, hung, ended or could not be started. Message is what
	// it was handling and is lost, Sender who may wait for an answer; both may be nil.
	ChildFailed struct {
		Child      string
		Generation uint64
		Reason     any
		Message    any
		Sender     *actor.PID
	}
	// ChildRestarting says that a restart follows a failure after a pause.
	ChildRestarting struct {
		Child   string
		In      time.Duration
		InPlace bool
	}
	// ChildStopped says that a child is no more, on its supervisor's order or by its own decision.
	// What was in its mailbox is lost.
	ChildStopped struct {
		Child      string
		Generation uint64
		PID        *actor.PID
	}
	// ChildAbandoned says that a child did not answer a ping, did not stop in time, panicked while
	// stopping or ended its own goroutine. Its PID leads nowhere any more, but a goroutine of it may still run.
	ChildAbandoned struct {
		Child      string
		Generation uint64
		PID        *actor.PID
		Reason     any
	}
	// ChildRetired says that a child was told to stop and stays down until it is told to start.
	ChildRetired struct{ Child string }
	// ChildRemoved says that a child has stopped and is not a child any more. It is the last event of it.
	ChildRemoved struct{ Child string }
	// ChildGaveUp says that a child failed once too often: all children stop, and the supervisor
	// passes the failure on.
	ChildGaveUp struct {
		Child    string
		Failures int
		Reason   any
	}
	// BreakerOpened says that a child failed once too often, or must not be started, and stays down for a while. It comes
	// again after that while if the child still must not be started. Obstacle is why, nil if it failed once too often.
	BreakerOpened struct {
		Child    string
		For      time.Duration
		Obstacle error
	}
	// BreakerHalfOpened says that a probe is about to start.
	BreakerHalfOpened struct{ Child string }
	// BreakerClosed says that a probe ran long enough without a failure.
	BreakerClosed struct{ Child string }
	// MessageIgnored says that somebody sent the supervisor what it does not understand.
	MessageIgnored struct{ Type string }
)

func (*ChildStarted) event()      {}
func (*ChildUp) event()           {}
func (*ChildFailed) event()       {}
func (*ChildRestarting) event()   {}
func (*ChildStopped) event()      {}
func (*ChildAbandoned) event()    {}
func (*ChildRetired) event()      {}
func (*ChildRemoved) event()      {}
func (*ChildGaveUp) event()       {}
func (*BreakerOpened) event()     {}
func (*BreakerHalfOpened) event() {}
func (*BreakerClosed) event()     {}
func (*MessageIgnored) event()    {}

// GaveUp is the error with which a supervisor fails: which child failed how often within the
// period, and why it did the last time.
type GaveUp struct {
	Child    string
	Failures int
	Period   time.Duration
	Reason   any
}

// Error says all that the fields do.
func (g *GaveUp) Error() string {
	return fmt.Sprintf("child %q: failure %d within %s: %v", g.Child, g.Failures, g.Period, g.Reason)
}

// Unwrap returns the reason if that is an error.
func (g *GaveUp) Unwrap() error {
	err, _ := g.Reason.(error)
	return err
}

func (s *supervisor) tell(e Event) {
	if s.o.Observe != nil {
		s.o.Observe(e)
	}
	if s.o.Observer != nil {
		s.ctx.Send(s.o.Observer, e)
	}
}
