package actors

import "sync/atomic"

// Countdown returns a function that calls done when it has been called n times. Any goroutine may call it. If n is 0
// Countdown calls done itself.
func Countdown(n int, done func()) (one func()) {
	if n == 0 {
		done()
		return func() {}
	}
	left := new(atomic.Int64)
	left.Store(int64(n))
	return func() {
		if left.Add(-1) == 0 {
			done()
		}
	}
}
