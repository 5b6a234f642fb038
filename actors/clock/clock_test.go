package clock

import (
	"runtime"
	"testing"
	"time"
	"weak"
)

// A timer that was stopped holds nothing, however long it would have run. A history of a day would otherwise keep a
// router in memory that has stopped.
func TestStoppedTimerHoldsNothing(t *testing.T) {
	// Package time drops stopped timers at both ends of its heap, and where they are many.
	others := func(d time.Duration) {
		for range 100 {
			timer := time.AfterFunc(d, func() {})
			t.Cleanup(func() { timer.Stop() })
		}
	}
	owner := new([64]byte)
	gone := weak.Make(owner)
	others(time.Hour)
	stop := Wall{}.AfterFunc(2*time.Hour, func() { owner[0]++ })
	others(3 * time.Hour)
	if !stop() || stop() {
		t.Error("stop does not say that it came in time, or says so twice")
	}
	for tries := 0; gone.Value() != nil; tries++ {
		if tries == 50 {
			t.Fatal("a stopped timer holds what its function does")
		}
		runtime.GC()
	}
}

// A timer that is due calls its function, and cannot be stopped any more.
func TestTimerIsDue(t *testing.T) {
	due := make(chan struct{})
	stop := Wall{}.AfterFunc(0, func() { close(due) })
	<-due
	if stop() {
		t.Error("a timer that was due was stopped")
	}
}
