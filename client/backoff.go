package client

import (
	"context"
	"time"
)

// backoff is a row of waits: capped, exponential, fully jittered, so that the
// clients of a restarted router do not come back all at once.
type backoff struct {
	cfg   Reconnect
	bound time.Duration // of the next wait
}

func newBackoff(cfg Reconnect) *backoff {
	b := &backoff{cfg: cfg}
	b.reset()
	return b
}

func (b *backoff) reset() {
	b.bound = min(b.cfg.Min, b.cfg.Max)
}

// next returns the next wait.
func (b *backoff) next() time.Duration {
	d := b.cfg.spread(b.bound)
	if b.bound > b.cfg.Max/2 {
		b.bound = b.cfg.Max
	} else {
		b.bound *= 2
	}
	return d
}

// wait spends the next wait. It returns early, with the cause, when ctx ends.
func (b *backoff) wait(ctx context.Context) error {
	timer := time.NewTimer(b.next())
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
