package runtime

import "time"

// Clock tells the time and runs a function later, on a goroutine of its own.
type Clock interface {
	Now() time.Time
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}
