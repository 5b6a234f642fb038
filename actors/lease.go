package actors

import (
	"context"
	"sync"
	"sync/atomic"
)

// Window bounds what one connection has under way inside the router: its socket is not read while
// the window is full, so a fast sender is slowed down to the pace at which its messages leave.
// One goroutine acquires, any may release.
type Window struct {
	budget atomic.Int64 // bytes
	used   atomic.Int64
	closed atomic.Bool
	full   sync.Mutex // Protects following.
	wake   chan struct{}
}

// SetBudget sets how many bytes may be under way. A single message may always be.
func (w *Window) SetBudget(bytes int64) {
	w.budget.Store(bytes)
	w.full.Lock()
	w.signal()
	w.full.Unlock()
}

// Acquire takes cost bytes and waits while others use up the budget. It is false once the window
// is closed.
func (w *Window) Acquire(cost int64) bool {
	for {
		granted, full := w.TryAcquire(cost)
		if !full {
			return granted
		}
		w.wait(cost)
	}
}

// TryAcquire is Acquire that does not wait: full says that it would have to.
func (w *Window) TryAcquire(cost int64) (granted, full bool) {
	if w.closed.Load() {
		return false, false
	}
	if used := w.used.Add(cost); used == cost || used <= w.budget.Load() {
		return true, false
	}
	w.used.Add(-cost)
	return false, true
}

// Take takes cost bytes whether they are there or not.
func (w *Window) Take(cost int64) { w.used.Add(cost) }

// Room returns when less than the budget is under way, or with the cause of ctx's end. Like Acquire
// it is for one goroutine at a time.
func (w *Window) Room(ctx context.Context) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		w.full.Lock()
		if w.wake == nil {
			w.wake = make(chan struct{}, 1)
		}
		wake := w.wake
		w.full.Unlock()
		if w.used.Load() < w.budget.Load() {
			return nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
		}
	}
}

// wait returns when something was released since the call, or the window is closed.
func (w *Window) wait(cost int64) {
	w.full.Lock()
	if w.wake == nil {
		w.wake = make(chan struct{}, 1)
	}
	wake := w.wake
	w.full.Unlock()
	// What happened between the failed attempt and the creation of wake signalled nobody.
	if used := w.used.Load(); w.closed.Load() || used == 0 || used+cost <= w.budget.Load() {
		return
	}
	<-wake
}

// Close makes Acquire fail, now and for ever.
func (w *Window) Close() {
	w.closed.Store(true)
	w.full.Lock()
	w.signal()
	w.full.Unlock()
}

func (w *Window) release(cost int64) {
	w.used.Add(-cost)
	w.full.Lock()
	w.signal()
	w.full.Unlock()
}

func (w *Window) signal() {
	if w.wake == nil {
		return
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Lease is the share of a window that one message holds while it or a frame made of it is under
// way. It starts with one holder.
type Lease struct {
	window  *Window
	cost    int64
	holders atomic.Int32
}

// NewLease returns a lease of cost bytes that w has already granted.
func NewLease(w *Window, cost int64) *Lease {
	l := &Lease{window: w, cost: cost}
	l.holders.Store(1)
	return l
}

// Retain adds a holder. A nil lease has none to count.
func (l *Lease) Retain() {
	if l != nil {
		l.holders.Add(1)
	}
}

// Release removes a holder; the last one gives the share back.
func (l *Lease) Release() {
	if l == nil {
		return
	}
	if l.holders.Add(-1) == 0 {
		l.window.release(l.cost)
	}
}
