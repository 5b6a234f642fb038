package runtime

import (
	"context"
	"sync"
	"sync/atomic"
)

// Window bounds what one connection has under way inside the router, and what it lets wait of the
// router's answers. Its socket is not read while the window is full, so a fast sender is slowed down to
// the pace at which its messages leave and at which it reads what they come to.
// One goroutine acquires, any may release.
type Window struct {
	budget  atomic.Int64 // bytes
	least   atomic.Int64 // bytes that a message counts at least
	used    atomic.Int64
	total   *atomic.Int64 // of many windows; nil: there is none
	counted atomic.Bool   // what is taken counts in total too
	closed  atomic.Bool
	waited  atomic.Bool // wake is there
	full    sync.Mutex  // Protects following.
	wake    chan struct{}
}

// SetBudget sets how many bytes may be under way. A single message may always be.
func (w *Window) SetBudget(bytes int64) {
	w.budget.Store(bytes)
	w.full.Lock()
	w.signal()
	w.full.Unlock()
}

// SetLeast sets how many bytes a message counts at least, which bounds how many may be under way.
func (w *Window) SetLeast(bytes int64) { w.least.Store(bytes) }

// CountIn has what is taken from now on counted in total as well. It is called once, before the first
// use.
func (w *Window) CountIn(total *atomic.Int64) {
	w.total = total
	w.counted.Store(true)
}

// CountOut ends CountIn. What was taken before stays in the total until it is released.
func (w *Window) CountOut() { w.counted.Store(false) }

// Counted returns the total in which what is taken counts, nil if there is none.
func (w *Window) Counted() *atomic.Int64 {
	if !w.counted.Load() {
		return nil
	}
	return w.total
}

// Used returns how many bytes are under way.
func (w *Window) Used() int64 { return w.used.Load() }

// Cost returns how many bytes a message of a length counts.
func (w *Window) Cost(length int) int64 { return max(int64(length), w.least.Load()) }

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

// Full reports whether the budget is used up if more bytes are counted besides what is under way.
func (w *Window) Full(more int64) bool { return w.used.Load()+more >= w.budget.Load() }

// Take takes cost bytes whether they are there or not.
func (w *Window) Take(cost int64) { w.used.Add(cost) }

// Room returns when less than the budget is under way, or with the cause of ctx's end. Like Acquire
// it is for one goroutine at a time.
func (w *Window) Room(ctx context.Context) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		wake := w.waker()
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
	wake := w.waker()
	// What happened between the failed attempt and the creation of wake signalled nobody.
	if used := w.used.Load(); w.closed.Load() || used == 0 || used+cost <= w.budget.Load() {
		return
	}
	<-wake
}

// waker returns what tells of a release.
func (w *Window) waker() chan struct{} {
	w.full.Lock()
	defer w.full.Unlock()
	if w.wake == nil {
		w.wake = make(chan struct{}, 1)
		w.waited.Store(true)
	}
	return w.wake
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
	// A goroutine that is about to wait sets waited first and looks at used then, so one of the two sees the other.
	if w.waited.Load() {
		w.full.Lock()
		w.signal()
		w.full.Unlock()
	}
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
	counted bool   // in the window's total
	last    func() // called by the last holder; nil: nothing is
}

// NewLease returns a lease of cost bytes that w has already granted.
func NewLease(w *Window, cost int64) *Lease {
	l := new(Lease)
	l.begin(w, cost)
	return l
}

func (l *Lease) begin(w *Window, cost int64) {
	l.window, l.cost = w, cost
	l.holders.Store(1)
	if total := w.Counted(); total != nil {
		l.counted = true
		total.Add(cost)
	}
}

// Lease takes room for an answer of a length, whether it is there or not, so that nothing more is read
// before enough of what was taken is released.
func (w *Window) Lease(length int) *Lease {
	cost := w.Cost(length)
	w.Take(cost)
	return NewLease(w, cost)
}

// Charge is Lease for as long as f takes, and for as long as the holders that f adds hold it.
func (w *Window) Charge(length int, f func(l *Lease)) {
	l := w.Lease(length)
	defer l.Release()
	f(l)
}

// Move makes l a lease of w for an answer of a length. Nobody but the caller holds l.
func (l *Lease) Move(w *Window, length int) {
	l.window.release(l.cost)
	l.window, l.cost = w, w.Cost(length)
	w.Take(l.cost)
}

// Of reports whether l is a share of w. A nil lease is of none.
func (l *Lease) Of(w *Window) bool { return l != nil && l.window == w }

// Then has f called when the last holder releases l, before the window has room for more. What an earlier call has asked
// for is called first. The caller is a holder.
func (l *Lease) Then(f func()) {
	if before := l.last; before != nil {
		l.last = func() { before(); f() }
		return
	}
	l.last = f
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
		if l.last != nil {
			l.last()
		}
		if l.counted {
			l.window.total.Add(-l.cost)
		}
		l.window.release(l.cost)
	}
}
