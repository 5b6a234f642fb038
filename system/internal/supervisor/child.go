package supervisor

import (
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// stage is where a child is between two decisions. settle moves children from one to the next.
type stage int

const (
	down     stage = iota // not running, to be started as soon as it may
	up                    // running
	crashed               // suspended by its panic, to be restarted in place
	halting               // running or suspended, to be stopped in its turn
	stopping              // told to stop
	finished              // not running and not coming back
)

// child is one child of one incarnation of a supervisor.
type child struct {
	spec        Spec
	generations *atomic.Uint64 // outlives the supervisor's restarts
	generation  uint64
	pid         *actor.PID // nil when not running
	stage       stage
	final       bool       // finished, not down, once it has stopped
	hurt        bool       // suspended: only system messages reach it
	removed     bool       // to be forgotten once it has stopped
	remover     *actor.PID // waits for that; nil: nobody

	since    time.Time // when it last came up
	well     time.Time // when it last came up or answered a ping
	attempt  int       // failures in a row, the last included
	restarts uint64
	failures uint64
	started  bool
	last     Failure

	breaker BreakerState
	window  []counted // failures within their period, if it is counted by itself

	wait     *timer    // until it may start: backoff or cool-down
	told     time.Time // when it was told to stop
	deadline *timer    // until it must have stopped
	quiet    *timer    // until the breaker closes
	pinger   *timer    // until the next ping, or its answer
	ping     *Ping     // under way
}

// rest stops what only goes on while the child is up.
func (c *child) rest() {
	c.quiet.cancel()
	c.pinger.cancel()
	c.ping = nil
}

// gone notes that the child does not run any more.
func (c *child) gone() {
	c.rest()
	c.deadline.cancel()
	c.pid, c.hurt, c.stage = nil, false, down
	if c.final {
		c.stage = finished
	}
}

// halt has a child stopped that runs; what comes then is decided by final and wait.
func (c *child) halt() {
	c.rest()
	if c.stage == up || c.stage == crashed {
		c.stage = halting
	}
}

// timer is a delayed call in the supervisor's own goroutine.
type timer struct {
	due  time.Time
	do   func()
	stop func() bool
	over bool
}

// fired tells a supervisor that a timer is due. A later incarnation is not meant.
type fired struct {
	owner *supervisor
	timer *timer
}

// pending says whether the timer is still to fire; a nil one is not.
func (t *timer) pending() bool { return t != nil && !t.over }

func (t *timer) cancel() {
	if t.pending() {
		t.over = true
		t.stop()
	}
}

func (s *supervisor) after(d time.Duration, do func()) *timer {
	t := &timer{due: s.o.Clock.Now().Add(d), do: do}
	root, self, message := s.ctx.ActorSystem().Root, s.ctx.Self(), &fired{s, t}
	t.stop = s.o.Clock.AfterFunc(d, func() { root.Send(self, message) })
	return t
}

func (s *supervisor) fire(m *fired) {
	if m.owner != s || m.timer.over {
		return
	}
	m.timer.over = true
	m.timer.do()
}
