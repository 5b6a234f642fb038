package supervisor

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/clock"
)

// Strategy says who is restarted together with a child that failed.
type Strategy int

// The strategies: the child alone, the child and those after it, all children.
const (
	OneForOne Strategy = iota
	RestForOne
	AllForOne
)

// String returns the strategy's name; OTP calls the last one one_for_all.
func (s Strategy) String() string {
	return [...]string{"one_for_one", "rest_for_one", "all_for_one"}[s]
}

// Restart says which ends of a child are followed by a new start.
type Restart int

// The restart types: after every end, after a failure, never. A temporary child that its group
// takes down is not started again either.
const (
	Permanent Restart = iota
	Transient
	Temporary
)

// String returns the restart type as OTP spells it.
func (r Restart) String() string {
	return [...]string{"permanent", "transient", "temporary"}[r]
}

// Options describes one supervisor. The zero value of every field but Children is usable.
type Options struct {
	Strategy Strategy
	// Groups are the strategies of groups of children, by the name that Spec.Group has. A group is restarted for itself:
	// its strategy stands in for Strategy, and no other child is concerned.
	Groups map[string]Strategy
	// Children are started in this order and stopped in the reverse.
	Children []Spec
	// Together stops all children at once when the supervisor is told to shut down. It is for children that do not need
	// each other, with one_for_one.
	Together bool
	// Intensity is how many failures within Period are followed by a restart; one more and the
	// supervisor gives up. 0 means 3, negative none. A child with a breaker or a pace of its own is
	// counted by itself.
	Intensity int
	// Period is the window of Intensity, and how long a child must have been up for its next
	// failure to count as isolated. 0 means 10 s.
	Period time.Duration
	// Backoff is the longest pause before the first respawn; it doubles with every further one up
	// to BackoffCap. The pause itself is random between 0 and that. 0 means 100 ms and 30 s.
	Backoff    time.Duration
	BackoffCap time.Duration
	// Observe is called with every event by the supervisor itself; it must not block or panic.
	Observe func(Event)
	// Observer is sent every event.
	Observer *actor.PID
	// Failed gets a *GaveUp when the supervisor gives up, which then stops. It is for the root of a
	// tree and must be buffered; a value that finds it full is dropped, as one is there already.
	// Nil means that giving up is a failure for the parent to handle; without a parent the library
	// restarts the supervisor.
	Failed chan<- error
	// Clock is the machine's if nil.
	Clock clock.Clock
	// Slept returns how long the process did not run in total, as when a signal stopped it. Children get
	// that time again for their answers to pings. Nil: it runs always.
	Slept func() time.Duration
	// Random returns a number in [0, 1); nil means math/rand/v2.
	Random func() float64
}

// Spec describes one child. Name and one of Props and Produce are needed.
type Spec struct {
	// Name is unique among the children and has no slash.
	Name  string
	Props *actor.Props
	// Produce returns the props of a generation; they count from 1 and are never used twice, not
	// even after the supervisor itself was restarted. It runs in the supervisor and must not block;
	// if it panics, the start has failed.
	Produce func(generation uint64) *actor.Props
	Restart Restart
	// After has the names of children before this one that it needs. With Together they are stopped after it.
	After []string
	// Group is the name of the group that the child belongs to; empty: none.
	Group string
	// Down has the child stay down until an Order starts it.
	Down bool
	// InPlace restarts the child in place after every failure, a pause included, as long as it can
	// be: PID and mailbox are kept, only the message that crashed it is lost. It is for an actor
	// whose PID others keep.
	InPlace bool
	// Nested says that the child is a supervisor of this package, which is told to Shutdown.
	Nested bool
	// Drain lets the child handle what is in its mailbox before it stops.
	Drain bool
	// StopTimeout is how long the child may take to stop before it is abandoned. 0 means 5 s, or no
	// limit for a nested one; negative means no limit.
	StopTimeout time.Duration
	// PingEvery is how long after its start or its last answer a child is pinged, PingTimeout how
	// long an answer may take before the child is abandoned as hung. A ping queues behind what is
	// in the mailbox. 0 means no pings, and 5 s.
	PingEvery   time.Duration
	PingTimeout time.Duration
	// Call returns a number of the call that the child is in, another one for each call, or 0 if it is in none. With it
	// a child that does not answer a ping hangs only if it has been in the same call for PingTimeout. So one that has
	// much in its mailbox may take as long as it needs. It is called by the supervisor and must not block. Nil means that
	// a child hangs if it does not answer in time.
	Call func() uint64
	// HangPeriod is the window in which hangs count among the failures. It is longer than Period, because a hang is
	// noticed late. 0 means 10 min, or longer if the hangs that Intensity allows take longer to be noticed.
	HangPeriod time.Duration
	// Breaker, unless nil, stands in for giving up.
	Breaker *Breaker
	// Obstacle returns why the child must not be started after a failure, or nil. As long as there is an obstacle the
	// breaker stays open. It is called by the supervisor and must not block. It needs a breaker. Nil: there is none.
	Obstacle func() error
	// Pace is the child's own, and then the child is counted by itself. Its zero fields are the
	// supervisor's. Without a breaker Period must be longer than Intensity pauses of BackoffCap. Otherwise the
	// pauses could become so long that a child that fails at every start is never given up.
	Pace Pace

	alone bool // it has a breaker or a pace of its own, and is counted by itself
}

// Pace is how often a child may fail and how long the pauses are; its fields are as in Options.
type Pace struct {
	Intensity  int
	Period     time.Duration
	Backoff    time.Duration
	BackoffCap time.Duration
}

// Breaker says what happens to a child in place of giving up when it failed more than Intensity
// times within Period.
type Breaker struct {
	// CoolDown is how long the child stays down before one probe is started. 0 means 30 s.
	CoolDown time.Duration
	// Quiet is how long a probe must run without a failure for the breaker to close. 0 means 30 s.
	Quiet time.Duration
}

// withDefaults returns a copy with the zero values filled in, or all that is wrong.
func (o Options) withDefaults() (Options, error) {
	var problems []error
	if o.Strategy < OneForOne || o.Strategy > AllForOne {
		problems = append(problems, fmt.Errorf("strategy %d is unknown", int(o.Strategy)))
	}
	if o.Together && o.Strategy != OneForOne {
		problems = append(problems, errors.New("children that are restarted together must be stopped in order"))
	}
	if o.Failed != nil && cap(o.Failed) == 0 {
		problems = append(problems, errors.New("failed must be a buffered channel"))
	}
	o.Intensity = intensity(o.Intensity, 3)
	setDefault(&o.Period, 10*time.Second)
	setDefault(&o.Backoff, 100*time.Millisecond)
	setDefault(&o.BackoffCap, 30*time.Second)
	if o.Period < 0 || o.Backoff < 0 || o.BackoffCap < 0 {
		problems = append(problems, errors.New("period, backoff and its cap must not be negative"))
	}
	if o.Clock == nil {
		o.Clock = clock.Wall{}
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.Slept == nil {
		o.Slept = func() time.Duration { return 0 }
	}
	specs := make([]Spec, len(o.Children))
	names := make(map[string]bool, len(specs))
	for i, spec := range o.Children {
		if names[spec.Name] {
			problems = append(problems, fmt.Errorf("child %d %q: name is taken", i, spec.Name))
		}
		names[spec.Name] = true
		var err error
		if specs[i], err = o.complete(spec); err != nil {
			problems = append(problems, fmt.Errorf("child %d %q: %w", i, spec.Name, err))
		}
	}
	o.Children = specs
	return o, errors.Join(problems...)
}

// complete returns a child with the zero values filled in, or all that is wrong with it. The options are complete but for
// the children.
func (o *Options) complete(spec Spec) (Spec, error) {
	problems := []error{spec.check()}
	if _, known := o.Groups[spec.Group]; spec.Group != "" && !known {
		problems = append(problems, fmt.Errorf("group %q is unknown", spec.Group))
	}
	filled := spec.withDefaults(o)
	p := filled.Pace
	if longest := time.Duration(p.Intensity) * p.BackoffCap; filled.alone && spec.Breaker == nil && p.Period <= longest {
		problems = append(problems, fmt.Errorf("the period %s of a pace without a breaker must be longer than %s, its backoff cap times its intensity",
			p.Period, longest))
	}
	return filled, errors.Join(problems...)
}

func (s Spec) check() error {
	switch {
	case s.Name == "" || strings.Contains(s.Name, "/"):
		return errors.New("name is empty or has a slash")
	case (s.Props == nil) == (s.Produce == nil):
		return errors.New("exactly one of props and produce is needed")
	case s.Restart < Permanent || s.Restart > Temporary:
		return fmt.Errorf("restart type %d is unknown", int(s.Restart))
	case s.Restart == Temporary && s.Breaker != nil:
		return errors.New("a temporary child has no use for a breaker")
	case s.PingEvery < 0 || s.PingTimeout < 0:
		return errors.New("ping times must not be negative")
	case s.HangPeriod < 0:
		return errors.New("hang period must not be negative")
	case s.Obstacle != nil && s.Breaker == nil:
		return errors.New("an obstacle needs a breaker")
	case s.Breaker != nil && (s.Breaker.CoolDown < 0 || s.Breaker.Quiet < 0):
		return errors.New("breaker times must not be negative")
	case s.Pace.Period < 0 || s.Pace.Backoff < 0 || s.Pace.BackoffCap < 0:
		return errors.New("period, backoff and its cap must not be negative")
	}
	return nil
}

func (s Spec) withDefaults(o *Options) Spec {
	if !s.Nested {
		setDefault(&s.StopTimeout, 5*time.Second)
	}
	setDefault(&s.PingTimeout, 5*time.Second)
	if s.Breaker != nil {
		b := *s.Breaker
		setDefault(&b.CoolDown, 30*time.Second)
		setDefault(&b.Quiet, 30*time.Second)
		s.Breaker = &b
	}
	s.alone = s.Breaker != nil || s.Pace != Pace{}
	s.Pace.Intensity = intensity(s.Pace.Intensity, o.Intensity)
	setDefault(&s.Pace.Period, o.Period)
	setDefault(&s.Pace.Backoff, o.Backoff)
	setDefault(&s.Pace.BackoffCap, o.BackoffCap)
	setDefault(&s.HangPeriod, max(10*time.Minute, time.Duration(s.Pace.Intensity+1)*(s.noticed()+s.Pace.BackoffCap)))
	s.HangPeriod = max(s.HangPeriod, s.Pace.Period)
	return s
}

// noticed returns after how long a hang is noticed at the latest.
func (s *Spec) noticed() time.Duration { return s.PingEvery + 2*s.PingTimeout }

// quiet returns how long a probe must run for the breaker to close: long enough for a hang to be noticed.
func (s *Spec) quiet() time.Duration {
	if s.PingEvery == 0 {
		return s.Breaker.Quiet
	}
	return max(s.Breaker.Quiet, s.noticed())
}

// intensity returns the number that a setting means.
func intensity(setting, zero int) int {
	switch {
	case setting == 0:
		return zero
	case setting < 0:
		return 0
	}
	return setting
}

func setDefault(d *time.Duration, value time.Duration) {
	if *d == 0 {
		*d = value
	}
}
