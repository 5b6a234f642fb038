package channels

import (
	"testing"
	"time"
)

// TestLate wants a channel to be taken for one that ended lately for so long and no longer, and in the same context alone.
func TestLate(t *testing.T) {
	start := time.Now()
	var l Late
	l.Add(one, "a", start)
	l.Add("", "", start)
	for after, want := range map[time.Duration]bool{0: true, lately - 1: true, lately: false, time.Hour: false} {
		for context, same := range map[string]bool{"": true, "a": true, "b": false} {
			if got := l.Has(one, context, start.Add(after)); got != (want && same) {
				t.Errorf("%s after its end, in %q: %t", after, context, got)
			}
		}
	}
	l.Forget(one)
	if l.Has(one, "a", start) || l.Has(two, "", start) {
		t.Error("a channel that has not ended is taken for one that has")
	}
	l.Add(three, "", start)
	l.Add(one, "a", start.Add(lately))
	if len(l.ended) != 1 || len(l.order) != 1 {
		t.Errorf("the channels that ended long ago are kept: %v", l.order)
	}
}
