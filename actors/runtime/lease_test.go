package runtime

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func window(budget int64) *Window {
	w := new(Window)
	w.SetBudget(budget)
	return w
}

// blocked starts an Acquire and returns where its result will come once it is released.
func blocked(w *Window, cost int64) <-chan bool {
	result := make(chan bool, 1)
	go func() { result <- w.Acquire(cost) }()
	return result
}

func result(t *testing.T, c <-chan bool) bool {
	t.Helper()
	select {
	case ok := <-c:
		return ok
	case <-time.After(patience):
		t.Fatal("Acquire still waits")
		return false
	}
}

// waiting returns once an Acquire has gone to wait; it has then made its channel.
func waiting(t *testing.T, w *Window) {
	t.Helper()
	for end := time.Now().Add(patience); ; {
		w.full.Lock()
		waits := w.wake != nil
		w.full.Unlock()
		if waits {
			return
		}
		if time.Now().After(end) {
			t.Fatal("Acquire does not wait")
		}
	}
}

func TestWindowBudget(t *testing.T) {
	w := window(10)
	for range 5 {
		if !w.Acquire(2) {
			t.Fatal("refused within the budget")
		}
	}
	c := blocked(w, 1)
	waiting(t, w)
	select {
	case <-c:
		t.Fatal("granted beyond the budget")
	default:
	}
	w.release(2)
	if !result(t, c) {
		t.Fatal("refused after a release")
	}
	if got := w.used.Load(); got != 9 {
		t.Errorf("%d bytes used, want 9", got)
	}
}

func TestWindowSingleMessage(t *testing.T) {
	w := window(10)
	if !w.Acquire(1000) {
		t.Fatal("a single message was refused")
	}
	c := blocked(w, 1)
	waiting(t, w)
	w.release(1000)
	if !result(t, c) {
		t.Fatal("refused after a release")
	}
	c = blocked(w, 1000)
	w.release(1)
	if !result(t, c) {
		t.Fatal("a single message was refused the second time")
	}
}

func TestWindowClose(t *testing.T) {
	t.Run("while waiting", func(t *testing.T) {
		w := window(1)
		w.Acquire(1)
		c := blocked(w, 1)
		waiting(t, w)
		w.Close()
		if result(t, c) {
			t.Error("granted by a closed window")
		}
		w.Close()
	})
	t.Run("for ever, with room too", func(t *testing.T) {
		w := window(100)
		w.Close()
		for range 3 {
			if w.Acquire(1) {
				t.Error("granted by a closed window")
			}
		}
		if got := w.used.Load(); got != 0 {
			t.Errorf("%d bytes used, want none", got)
		}
	})
	t.Run("release after it", func(t *testing.T) {
		w := window(100)
		w.Acquire(7)
		w.Close()
		NewLease(w, 7).Release()
		if got := w.used.Load(); got != 0 {
			t.Errorf("%d bytes used, want none", got)
		}
	})
}

func TestLeaseHolders(t *testing.T) {
	var none *Lease
	none.Retain()
	none.Release()

	w := window(100)
	w.Acquire(5)
	l := NewLease(w, 5)
	l.Retain()
	l.Release()
	if got := w.used.Load(); got != 5 {
		t.Fatalf("%d bytes used with a holder left, want 5", got)
	}
	l.Release()
	if got := w.used.Load(); got != 0 {
		t.Fatalf("%d bytes used without holders, want none", got)
	}
}

// What happens between the failed attempt and the waiting signals nobody, and must be seen.
func TestWindowWaitSeesWhatWasBefore(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(*Window)
	}{
		{"release", func(w *Window) { w.release(5) }},
		{"release of a part", func(w *Window) { w.release(3) }},
		{"close", func(w *Window) { w.Close() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := window(5)
			w.Acquire(5)
			c.before(w)
			done := make(chan struct{})
			go func() {
				w.wait(3)
				close(done)
			}()
			await(t, "wait", done)
		})
	}
}

// A release at the very moment when the other side goes to wait must not be missed.
func TestWindowReleaseRacesWait(t *testing.T) {
	w := window(1)
	const rounds = 20_000
	leases := make(chan *Lease, 2)
	var releasing sync.WaitGroup
	for range 2 {
		releasing.Go(func() {
			for l := range leases {
				l.Release()
			}
		})
	}
	guard := time.AfterFunc(patience*3, w.Close)
	defer guard.Stop()
	for i := range rounds {
		if !w.Acquire(1) {
			t.Errorf("hung in round %d", i)
			break
		}
		leases <- NewLease(w, 1)
	}
	close(leases)
	releasing.Wait()
	if got := w.used.Load(); got != 0 {
		t.Errorf("%d bytes used in the end, want none", got)
	}
}

func TestWindowCloseRacesWait(t *testing.T) {
	for range 2000 {
		w := window(1)
		w.Acquire(1)
		c := blocked(w, 1)
		w.Close()
		if result(t, c) {
			t.Fatal("granted by a closed window")
		}
	}
}

func TestLeaseConcurrentHolders(t *testing.T) {
	w := window(1 << 20)
	for range 500 {
		w.Acquire(3)
		l := NewLease(w, 3)
		var holders sync.WaitGroup
		for range 4 {
			l.Retain()
			holders.Go(l.Release)
		}
		l.Release()
		holders.Wait()
		if got := w.used.Load(); got != 0 {
			t.Fatalf("%d bytes used, want none", got)
		}
	}
}

// An answer takes room that is not there, and nothing more is read until it is released.
func TestWindowOfAnswers(t *testing.T) {
	w := window(100)
	w.SetLeast(10)
	var answers []*Lease
	for range 12 {
		answers = append(answers, w.Lease(1))
	}
	if got := w.Used(); got != 120 {
		t.Fatalf("%d bytes used, want 120", got)
	}
	if granted, full := w.TryAcquire(10); granted || !full {
		t.Fatalf("granted %t, full %t; want a full window", granted, full)
	}
	for _, l := range answers {
		l.Release()
	}
	if got := w.Used(); got != 0 {
		t.Errorf("%d bytes used, want none", got)
	}
	if got := w.Cost(11); got != 11 {
		t.Errorf("cost %d, want 11", got)
	}
}

// A lease that moves is released to the window it moved to.
func TestLeaseMoves(t *testing.T) {
	from, to := window(100), window(100)
	from.Take(30)
	l := NewLease(from, 30)
	l.Move(to, 5)
	if !l.Of(to) || l.Of(from) || from.Used() != 0 || to.Used() != 5 {
		t.Fatalf("%d bytes used where it was, %d where it is; want 0 and 5", from.Used(), to.Used())
	}
	l.Release()
	if got := to.Used(); got != 0 {
		t.Errorf("%d bytes used, want none", got)
	}
}

// What was counted in the total leaves it when it is released, also after the window has left it.
func TestWindowCountsInTotal(t *testing.T) {
	var total atomic.Int64
	w := window(100)
	w.CountIn(&total)
	first := w.Lease(7)
	w.CountOut()
	second := w.Lease(9)
	if got := total.Load(); got != 7 {
		t.Fatalf("total %d, want 7", got)
	}
	first.Release()
	second.Release()
	if got := total.Load(); got != 0 {
		t.Errorf("total %d, want none", got)
	}
}

func TestRoom(t *testing.T) {
	var w Window
	w.SetBudget(10)
	if err := w.Room(t.Context()); err != nil {
		t.Fatalf("an empty window has no room: %v", err)
	}
	w.Take(25)
	l := NewLease(&w, 25)
	done := make(chan error, 1)
	go func() { done <- w.Room(context.Background()) }()
	waiting(t, &w)
	l.Release()
	if err := <-done; err != nil {
		t.Errorf("room after the release: %v", err)
	}

	w.Take(10)
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() { done <- w.Room(ctx) }()
	end := errors.New("that's all")
	cancel(end)
	if err := <-done; !errors.Is(err, end) {
		t.Errorf("room after the end: %v, want %v", err, end)
	}
}
