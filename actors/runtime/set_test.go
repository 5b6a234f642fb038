package runtime

import "testing"

// What has ended does not stay in a set for ever, and what is alive is never dropped.
func TestSetDropsWhatHasEnded(t *testing.T) {
	var s Set[int]
	alive := func(v int) bool { return v < 20 || v%1000 == 999 }
	for i := range 10_000 {
		s.Add(i, alive)
		s.Add(i, alive)
		if !s.Has(i) {
			t.Fatalf("%d was added and is not there", i)
		}
	}
	if got := len(s.All()); got > 4*30 {
		t.Errorf("%d values for 30 that are alive", got)
	}
	for i := range 20 {
		if !s.Has(i) {
			t.Errorf("%d is alive and was dropped", i)
		}
	}
}
