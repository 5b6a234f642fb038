package console

import (
	"sync"
	"time"
)

// rates makes rates of counters that are read now and then. Its methods may be called from any goroutine.
type rates struct {
	mu sync.Mutex // Protects following.
	of map[string]*rate
}

type rate struct {
	count int64
	at    time.Time
	value float64 // per second
	seen  time.Time
}

// shortest is how long a counter is watched for a rate.
const shortest = 900 * time.Millisecond

// forgotten is how long a counter is remembered that is not read.
const forgotten = time.Minute

func newRates() *rates { return &rates{of: make(map[string]*rate)} }

// rate returns how fast a counter grows, 0 the first time.
func (r *rates) rate(name string, count int64, now time.Time) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.of[name]
	if k == nil || count < k.count || now.Sub(k.at) > forgotten {
		r.of[name] = &rate{count: count, at: now, seen: now}
		return 0
	}
	k.seen = now
	if d := now.Sub(k.at); d >= shortest {
		k.value = float64(count-k.count) / d.Seconds()
		k.count, k.at = count, now
	}
	return k.value
}

// tidy forgets counters that are not read any more.
func (r *rates) tidy(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, k := range r.of {
		if now.Sub(k.seen) > forgotten {
			delete(r.of, name)
		}
	}
}
