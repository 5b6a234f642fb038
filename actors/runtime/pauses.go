package runtime

import (
	"sync/atomic"
	"time"
)

// stretch is the longest time between two beats that counts as time in which the process ran. Beats
// come every second, and late on a busy machine.
const stretch = 2 * time.Second

// pauses knows how long the process did not run, because a signal or a debugger stopped it or its virtual
// machine was moved. What peers sent meanwhile waits to be read, so their deadlines leave that time out.
// Otherwise all of them would have passed before anything is read.
type pauses struct{ last atomic.Pointer[beat] }

type beat struct {
	at    time.Time
	slept time.Duration // in total, until then
}

func (p *pauses) until(now time.Time) time.Duration {
	last := p.last.Load()
	if last == nil {
		return 0
	}
	return last.slept + max(now.Sub(last.at)-stretch, 0)
}
