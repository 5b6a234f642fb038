package runner

import (
	"context"
	"sync"
	"time"

	"strowger/actors/clock"
)

// Beats come every second, and late on a busy machine: stretch is the longest time between two that
// counts as time in which the process ran.
const (
	everyBeat = time.Second
	stretch   = 2 * time.Second
)

// Pulse knows how long the process did not run, because a signal or a debugger stopped it or its virtual
// machine was paused. The service gets that time again for whatever it has to do in time.
type Pulse struct {
	clock clock.Clock

	mu    sync.Mutex // protects following
	last  time.Time  // of the last beat; zero before the first one
	total time.Duration
}

// NewPulse returns a Pulse that knows of no pause before Run is called.
func NewPulse() *Pulse { return &Pulse{clock: clock.Wall{}} }

// beat notes that the process runs.
func (p *Pulse) beat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	p.total = p.until(now)
	p.last = now
}

// Slept returns how long the process did not run in total. It knows of a pause at once, also before the
// next beat.
func (p *Pulse) Slept() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.until(p.clock.Now())
}

// until is called with mu held.
func (p *Pulse) until(now time.Time) time.Duration {
	if p.last.IsZero() {
		return 0
	}
	return p.total + max(now.Sub(p.last)-stretch, 0)
}

// Run beats until ctx ends.
func (p *Pulse) Run(ctx context.Context) {
	ticker := time.NewTicker(everyBeat)
	defer ticker.Stop()
	for p.beat(); ; p.beat() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}
