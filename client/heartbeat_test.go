package client

import (
	"testing"
	"time"
)

// A router is lost when nothing came between two pings, and never for a pause of this process.
func TestHeartbeat(t *testing.T) {
	const s, never = time.Second, time.Hour
	// from returns when bytes last arrived if they come all the time from start on.
	from := func(start time.Duration) func(now time.Duration) time.Duration {
		return func(now time.Duration) time.Duration {
			if now < start {
				return 0
			}
			return now
		}
	}
	for name, test := range map[string]struct {
		pauses map[int]time.Duration // before which look the process did not run, and how long
		seen   func(now time.Duration) time.Duration
		lost   time.Duration // 0: never
	}{
		"it answers":                   {nil, from(0), 0},
		"it is silent":                 {nil, from(never), 16 * s},
		"silent after it had answered": {nil, func(now time.Duration) time.Duration { return min(now, 9*s) }, 24 * s},
		// What it sent in the pause is read only after the first look.
		"a pause after the ping":  {map[int]time.Duration{9: 100 * s}, from(110 * s), 0},
		"a pause before the look": {map[int]time.Duration{16: 100 * s}, from(118 * s), 0},
		"shorter than a ping":     {map[int]time.Duration{12: 4 * s}, from(18 * s), 0},
		"silent after a pause":    {map[int]time.Duration{9: 100 * s}, from(never), 117 * s},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHeartbeat(8 * s)
			now := time.Duration(0)
			for look := 1; look < 100; look++ {
				now += h.slice + test.pauses[look]
				ping, lost := h.look(now, test.seen(now))
				if ping {
					h.pinged = now
				}
				if lost {
					if now != test.lost {
						t.Errorf("lost after %v, want %v", now, test.lost)
					}
					return
				}
			}
			if test.lost != 0 {
				t.Errorf("not lost, want it after %v", test.lost)
			}
		})
	}
}
