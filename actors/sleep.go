package actors

import (
	"sync/atomic"
	"time"
)

// stretch is the longest time between two beats that counts as time in which the process ran. Beats
// come every second, and late on a busy machine.
const stretch = 2 * time.Second

// sleep knows how long the process did not run, because a signal or a debugger stopped it or its virtual
// machine was moved. What peers sent meanwhile waits to be read, so their deadlines leave that time out.
// Otherwise all of them would have passed before anything is read.
type sleep struct{ last atomic.Pointer[beat] }

type beat struct {
	at    time.Time
	slept time.Duration // in total, until then
}

// Beat notes that the process runs, and returns how long it did not run since the last call. One
// goroutine calls it, every second. Where nobody does, the process is taken to run always.
func (d *Deps) Beat() (slept time.Duration) {
	now := d.Clock.Now()
	total := d.sleep.until(now)
	if last := d.sleep.last.Load(); last != nil {
		slept = total - last.slept
	}
	d.sleep.last.Store(&beat{now, total})
	return slept
}

func (s *sleep) until(now time.Time) time.Duration {
	last := s.last.Load()
	if last == nil {
		return 0
	}
	return last.slept + max(now.Sub(last.at)-stretch, 0)
}

// Slept returns how long the process did not run in total. It knows of a pause at once, also before the
// next beat.
func (d *Deps) Slept() time.Duration { return d.sleep.until(d.Clock.Now()) }

// Awake returns the time on a clock that stands still while the process does not run. It is for
// deadlines of peers, and only to be compared with itself.
func (d *Deps) Awake() time.Time {
	now := d.Clock.Now()
	return now.Add(-d.sleep.until(now))
}
