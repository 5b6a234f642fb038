package runtime

import (
	"testing"
	"time"

	"strowger/actors/clock/clocktest"
)

// TestPauses: only what is longer than a beat may take is a pause, and a pause is known before the next beat.
func TestPauses(t *testing.T) {
	clock := clocktest.New()
	d := &Runtime{Clock: clock}
	begin := clock.Now()
	pass := clock.Advance
	check := func(when string, awake, slept time.Duration) {
		t.Helper()
		if got := d.Awake().Sub(begin); got != awake {
			t.Errorf("%s: awake for %v, want %v", when, got, awake)
		}
		if got := d.Slept(); got != slept {
			t.Errorf("%s: slept for %v, want %v", when, got, slept)
		}
	}
	pass(time.Hour)
	check("without beats", time.Hour, 0)
	if got := d.Beat(); got != 0 {
		t.Errorf("first beat: slept for %v, want nothing", got)
	}
	pass(stretch)
	check("a late beat", time.Hour+stretch, 0)
	d.Beat()
	pass(10 * time.Minute)
	check("before the beat after a pause", time.Hour+2*stretch, 10*time.Minute-stretch)
	if got := d.Beat(); got != 10*time.Minute-stretch {
		t.Errorf("beat after a pause: slept for %v, want %v", got, 10*time.Minute-stretch)
	}
	check("after the beat", time.Hour+2*stretch, 10*time.Minute-stretch)
	pass(time.Second)
	if got := d.Beat(); got != 0 {
		t.Errorf("next beat: slept for %v, want nothing", got)
	}
	check("later", time.Hour+2*stretch+time.Second, 10*time.Minute-stretch)
}
