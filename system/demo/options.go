package demo

import (
	"context"
	"math/rand/v2"
	"time"

	"strowger/actors/clock"
	"strowger/system/service"
)

// Options is what the services are made of. The zero value serves.
type Options struct {
	// Clock is the machine's if nil.
	Clock clock.Clock
	// Random returns a number in [0, 1); nil means math/rand/v2. It may be called from any goroutine.
	Random func() float64
	// Chaos is what breaks the services, nil if nothing does.
	Chaos *Chaos
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = clock.Wall{}
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	return o
}

// supervision has pauses that can be watched: long enough to be seen, short enough to wait for.
func supervision() service.Supervision {
	return service.Supervision{
		Intensity:   stormStarts,
		Period:      10 * time.Second,
		Backoff:     400 * time.Millisecond,
		BackoffCap:  2 * time.Second,
		CoolDown:    6 * time.Second,
		Quiet:       3 * time.Second,
		PingEvery:   500 * time.Millisecond,
		PingTimeout: 1500 * time.Millisecond,
		StopTimeout: time.Second,
	}
}

// wait returns nil after d, or ctx's error.
func wait(ctx context.Context, c clock.Clock, d time.Duration) error {
	over := make(chan struct{})
	stop := c.AfterFunc(d, func() { close(over) })
	defer stop()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
