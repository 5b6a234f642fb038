package actors

import (
	"sync"
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
