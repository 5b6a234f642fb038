package refusals

import "testing"

// Services may come under ever new names. Those that have no policy are remembered up to a bound.
func TestSeenIsBounded(t *testing.T) {
	var s Seen[int]
	for i := range 3 * mostSeen {
		if !s.First(i) || s.First(i) {
			t.Fatalf("value %d is not new exactly once", i)
		}
		if len(s.seen) > mostSeen {
			t.Fatalf("%d values are remembered, want at most %d", len(s.seen), mostSeen)
		}
	}
	s.Forget(3*mostSeen - 1)
	if !s.First(3*mostSeen - 1) {
		t.Error("a value that was forgotten is not new")
	}
}
