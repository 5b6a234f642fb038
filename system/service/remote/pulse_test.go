package remote

import (
	"testing"
	"time"
)

func TestPulse(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	p := newPulse()
	p.now = func() time.Time { return now }
	want := func(d time.Duration) {
		t.Helper()
		if got := p.slept(); got != d {
			t.Errorf("slept %v, want %v", got, d)
		}
	}
	now = now.Add(time.Hour)
	want(0) // nothing is known before the first beat
	p.beat()
	for range 10 {
		now = now.Add(stretch)
		p.beat()
		want(0)
	}
	now = now.Add(stretch + time.Minute)
	want(time.Minute) // at once
	p.beat()
	want(time.Minute)
	now = now.Add(stretch + time.Second)
	p.beat()
	want(time.Minute + time.Second)
}
