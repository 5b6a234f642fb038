package runner

import (
	"testing"
	"time"

	"strowger/actors/clock/clocktest"
)

func TestPulse(t *testing.T) {
	c, p := clocktest.New(), NewPulse()
	p.clock = c
	want := func(d time.Duration) {
		t.Helper()
		if got := p.Slept(); got != d {
			t.Errorf("slept %v, want %v", got, d)
		}
	}
	c.Advance(time.Hour)
	want(0) // nothing is known before the first beat
	p.beat()
	for range 10 {
		c.Advance(stretch)
		p.beat()
		want(0)
	}
	c.Advance(stretch + time.Minute)
	want(time.Minute) // at once
	p.beat()
	want(time.Minute)
	c.Advance(stretch + time.Second)
	p.beat()
	want(time.Minute + time.Second)
}
