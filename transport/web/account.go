package web

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"strowger/actors/refusals"
)

// account is what waits for one guest. It counts in the total of all peers, those of sockets included, until the guest
// has ended.
type account struct {
	handler *Handler

	mu     sync.Mutex // Protects following.
	bytes  int64
	since  time.Time // by Deps.Awake: from when on something has waited all the time
	took   int64     // bytes that were written since then
	closed bool
}

// charge notes that so many more bytes wait.
func (a *account) charge(n int64) {
	if n == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return
	}
	if a.bytes == 0 {
		a.since, a.took = a.handler.deps.Awake(), 0
	}
	a.bytes += n
	a.handler.count(n)
}

// settle notes that so many bytes do not wait any more.
func (a *account) settle(n int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n = min(n, a.bytes)
	a.bytes -= n
	if n > 0 {
		a.handler.count(-n)
	}
}

// take notes that the peer has taken so many bytes of what waits.
func (a *account) take(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.took += int64(n)
}

// close notes that nothing waits any more.
func (a *account) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	if a.bytes > 0 {
		a.handler.count(-a.bytes)
		a.bytes = 0
	}
}

// needs returns how many bytes wait, and how many seconds the peer would need for them at its pace. One whose pace is not
// known yet is taken for fast.
func (a *account) needs(now time.Time) (bytes int64, seconds float64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if d := now.Sub(a.since); d >= time.Second {
		seconds = float64(a.bytes) * d.Seconds() / float64(a.took+1)
	}
	return a.bytes, seconds
}

// ledger is the guests whose accounts are open.
type ledger struct {
	bytes atomic.Int64 // of all of them

	mu  sync.Mutex // Protects following.
	all map[*guest]struct{}
}

func (l *ledger) init() { l.all = make(map[*guest]struct{}) }

func (l *ledger) add(g *guest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all[g] = struct{}{}
}

func (l *ledger) remove(g *guest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.all, g)
}

// slow is a guest for which something waits.
type slow struct {
	guest *guest
	bytes int64
	needs float64
}

// slowest returns the guests for which something waits, first the one that would need the longest time for it.
func (l *ledger) slowest(now time.Time) []slow {
	l.mu.Lock()
	var found []slow
	for g := range l.all {
		if bytes, needs := g.account.needs(now); bytes > 0 {
			found = append(found, slow{g, bytes, needs})
		}
	}
	l.mu.Unlock()
	slices.SortFunc(found, func(a, b slow) int {
		return cmp.Or(cmp.Compare(b.needs, a.needs), cmp.Compare(b.bytes, a.bytes))
	})
	return found
}

// count notes that so many more bytes wait for all guests.
func (h *Handler) count(n int64) {
	h.ledger.bytes.Add(n)
	h.queued(n)
}

// Relieve ends the slowest peers as long as more returns true. More gets how many bytes wait for all peers of h.
func (h *Handler) Relieve(more func(bytes int64) bool, limit int64) {
	for _, s := range h.ledger.slowest(h.deps.Awake()) {
		if !more(h.ledger.bytes.Load()) {
			return
		}
		s.guest.giveUp(s.bytes, limit)
	}
}

// giveUp ends a peer because too much waits for all of them.
func (g *guest) giveUp(bytes, limit int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		g.account.close()
		g.conn.Cut()
		return
	}
	g.cutOff(refusals.OutboundTotal, "bytes", bytes, "limit", limit)
}
