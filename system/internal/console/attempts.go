package console

import (
	"net/netip"
	"sync"
	"time"

	"strowger/actors/clock"
)

const (
	firstWait   = 30 * time.Second
	longestWait = 15 * time.Minute
	// together is how many times the attempts of one address all addresses have in a minute.
	together = 20
	// mostSources bounds how many addresses are remembered.
	mostSources = 1024
	// mostKnown bounds how many addresses are remembered that have sent the right password.
	mostKnown = 256
)

// attempts counts wrong passwords and says who must wait. Its methods may be called from any goroutine.
type attempts struct {
	most  int // in a row, of one address
	clock clock.Clock

	mu     sync.Mutex // Protects following.
	of     map[netip.Addr]*failures
	known  map[netip.Addr]time.Time // when the right password came from there last
	window time.Time                // when the minute of all began
	all    int                      // failures of all in that minute
}

// failures are those of one address.
type failures struct {
	count int
	last  time.Time
	until time.Time // when it may try again
}

func newAttempts(most int, c clock.Clock) *attempts {
	return &attempts{most: most, clock: c, of: make(map[netip.Addr]*failures), known: make(map[netip.Addr]time.Time)}
}

// source is what counts as one address: a network for IPv6, as one holder has all of it.
func source(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		p, _ := a.Prefix(64) // 64 bits are no more than an address has
		return p.Addr()
	}
	return a
}

// wait returns how long an address must wait before a password of its is looked at; 0: not at all. One that has sent the
// right password before does not wait for what others have sent.
func (t *attempts) wait(from netip.Addr) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	if f := t.of[source(from)]; f != nil && now.Before(f.until) {
		return f.until.Sub(now)
	}
	if _, ok := t.known[source(from)]; ok {
		return 0
	}
	if t.all >= together*t.most && now.Sub(t.window) < time.Minute {
		return t.window.Add(time.Minute).Sub(now)
	}
	return 0
}

// failed counts a wrong password.
func (t *attempts) failed(from netip.Addr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	if now.Sub(t.window) >= time.Minute {
		t.window, t.all = now, 0
	}
	t.all++
	key := source(from)
	f := t.of[key]
	if f == nil {
		t.makeRoom(now)
		f = new(failures)
		t.of[key] = f
	}
	f.count++
	f.last = now
	if over := f.count - t.most; over >= 0 {
		f.until = now.Add(min(firstWait<<min(over, 10), longestWait))
	}
}

// succeeded forgets the failures of an address, and remembers that it knows the password.
func (t *attempts) succeeded(from netip.Addr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := source(from)
	delete(t.of, key)
	t.known[key] = t.clock.Now()
	if len(t.known) <= mostKnown {
		return
	}
	oldest := key
	for k, at := range t.known {
		if at.Before(t.known[oldest]) {
			oldest = k
		}
	}
	delete(t.known, oldest)
}

// makeRoom forgets those that have not failed for long, or the one that has not for longest. mu is held.
func (t *attempts) makeRoom(now time.Time) {
	var oldest netip.Addr
	for key, f := range t.of {
		if now.Sub(f.last) > 2*longestWait {
			delete(t.of, key)
			continue
		}
		if o := t.of[oldest]; o == nil || f.last.Before(o.last) {
			oldest = key
		}
	}
	if len(t.of) >= mostSources {
		delete(t.of, oldest)
	}
}
