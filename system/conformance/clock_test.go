package conformance

import "time"

// pause lets the time pass that a scenario asks for between two steps. It is part of what the
// scenario does and the only sleep here; nothing is awaited with it.
func pause(d time.Duration) { time.Sleep(d) }

// untilNextSecond is how long now is from the next whole second.
func untilNextSecond(now time.Time) time.Duration {
	return now.Truncate(time.Second).Add(time.Second).Sub(now)
}
