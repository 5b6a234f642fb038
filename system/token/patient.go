package token

import (
	"errors"
	"syscall"
	"time"
)

// patient opens files again while no descriptor is free. That passes as connections end, and the
// holder of a good token should not suffer for it.
type patient struct {
	wait func(time.Duration) // nil: it does not wait but gives up
}

// Waits between attempts: each is twice the last, and together they are about a second.
const (
	firstWait = 5 * time.Millisecond
	lastWait  = 640 * time.Millisecond
)

// retry repeats a call that a signal interrupted, and for some time one that found no descriptor.
func (p patient) retry(call func() (int, error)) (int, error) {
	for pause := firstWait; ; pause *= 2 {
		n, err := retry(call)
		full := errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
		if !full || p.wait == nil || pause > lastWait {
			return n, err
		}
		p.wait(pause)
	}
}
