package system

import (
	"log/slog"
	"testing"
	"time"
)

// So many tokens may wait and not one more. The router's own work always finds room, and what waits is done in its order.
func TestPoolIsBounded(t *testing.T) {
	const most = 8
	p := newPool(2, func() int { return most }, func(f func()) { go f() }, slog.New(slog.DiscardHandler))
	hold := make(chan struct{})
	started := make(chan struct{})
	for range p.max {
		if !p.try(func() { started <- struct{}{}; <-hold }) {
			t.Fatal("there was no room while nothing waited")
		}
		<-started
	}
	done := make(chan int, 100)
	for n := range most {
		if !p.try(func() { done <- n }) {
			t.Fatalf("there was no room for %d", n)
		}
	}
	for range 3 {
		if p.try(func() { t.Error("what was refused was done") }) {
			t.Fatal("one more than may be waits")
		}
	}
	p.Go(func() { done <- most })
	if s := p.stats(); s.Waiting != most+1 || s.Refused != 3 || s.Running != 2 {
		t.Errorf("%+v, want %d that wait, 3 refused and 2 that run", s, most+1)
	}
	close(hold)
	seen := make(map[int]bool)
	for range most + 1 {
		select {
		case n := <-done:
			seen[n] = true
		case <-time.After(patience):
			t.Fatal("what waits is not done")
		}
	}
	if len(seen) != most+1 {
		t.Errorf("done: %v, want all", seen)
	}
	eventually(t, "there is room again", func() bool { return p.try(func() {}) })
	if err := p.wait(t.Context()); err != nil {
		t.Error(err)
	}
}
