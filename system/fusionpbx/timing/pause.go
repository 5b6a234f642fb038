package timing

import (
	"errors"
	"time"

	"strowger/system/fusionpbx/eventsocket"
)

// shortest is the first pause.
const shortest = 200 * time.Millisecond

// Pause says how long to wait before a question that has failed is asked again. The zero value is ready. It is not for
// use by several goroutines.
type Pause struct{ last time.Duration }

// After returns how long to wait after the error: at first 200 ms, and then twice as long each time, up to most. While
// there is no connection to the switch it is always 200 ms, because nothing is sent then, and the answer is wanted as soon
// as there is one.
func (p *Pause) After(err error, most time.Duration) time.Duration {
	if errors.Is(err, eventsocket.ErrNotConnected) || errors.Is(err, eventsocket.ErrDisconnected) {
		return shortest
	}
	p.last = max(shortest, min(2*p.last, most))
	return p.last
}

// First reports whether no pause grows yet, so that a fault is logged once and not at each further question.
func (p *Pause) First() bool { return p.last == 0 }

// Shorten makes the next pause 400 ms at most, because another question was answered. First stays as it is.
func (p *Pause) Shorten() { p.last = min(p.last, shortest) }

// Reset makes the next pause short again.
func (p *Pause) Reset() { p.last = 0 }
