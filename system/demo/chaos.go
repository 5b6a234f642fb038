package demo

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"strowger/actors/clock"
)

// ChaosOptions says what breaks the services and when. The zero value serves.
type ChaosOptions struct {
	// Interval is the mean time between two faults, each of one service. 0 means 5 s.
	Interval time.Duration
	// Clock is the machine's if nil.
	Clock clock.Clock
	// Random returns a number in [0, 1); nil means math/rand/v2.
	Random func() float64
	// Log is told of each fault, as a warning. Nil means no log.
	Log *slog.Logger
}

// Chaos breaks the services that were made with it, on order of a request and, while Run runs, by
// schedule.
type Chaos struct {
	o       ChaosOptions
	victims []*victim
}

// NewChaos returns chaos that has no victims yet.
func NewChaos(o ChaosOptions) *Chaos {
	if o.Interval == 0 {
		o.Interval = 5 * time.Second
	}
	if o.Clock == nil {
		o.Clock = clock.Wall{}
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Chaos{o: o}
}

// victim adds a service to those that are broken. It is called before Run and by one goroutine;
// without chaos it returns nil, which is a victim that nothing happens to.
func (c *Chaos) victim(name string) *victim {
	if c == nil {
		return nil
	}
	v := &victim{chaos: c, service: name, orders: make(chan Fault, 1)}
	c.victims = append(c.victims, v)
	return v
}

// Run breaks one service after the other until ctx ends. A service that is still busy with its
// last fault is spared; without services there is nothing to do.
func (c *Chaos) Run(ctx context.Context) {
	if len(c.victims) == 0 {
		return
	}
	for wait(ctx, c.o.Clock, c.pause()) == nil {
		v, fault := c.choose()
		select {
		case v.orders <- fault:
		default:
		}
	}
}

// pause returns half to one and a half times the interval.
func (c *Chaos) pause() time.Duration {
	return c.o.Interval/2 + time.Duration(c.o.Random()*float64(c.o.Interval))
}

func (c *Chaos) choose() (*victim, Fault) {
	faults := Faults()
	v := c.victims[int(c.o.Random()*float64(len(c.victims)))]
	return v, faults[int(c.o.Random()*float64(len(faults)))]
}
