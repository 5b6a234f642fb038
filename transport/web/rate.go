package web

import (
	"net/http"
	"sync"
	"time"

	"strowger/actors/refusals"
)

// tooFast is for a sender that may send again after a time.
func tooFast(after time.Duration) *problem {
	return &problem{status: http.StatusTooManyRequests, text: "too many messages in a second, see http.rate", setting: "http.rate",
		cause: refusals.MessageRate, counted: true, after: after}
}

// maxRated is how many identities are told apart. One whose messages of the last second are over need not be
// remembered, so there are more only if as many send within a second.
const maxRated = 16 << 10

// rates bounds how many messages each identity sends.
type rates struct {
	mu    sync.Mutex           // Protects following.
	until map[string]time.Time // when an identity has made up for what it has sent
}

func (r *rates) init() { r.until = make(map[string]time.Time) }

// take counts n messages of an identity, of which it may send rate in a second. If they are too many it returns false, and
// the time after which it would take them. More than rate at once may be sent by one that has been silent.
func (r *rates) take(who string, n, rate int, now time.Time) (taken bool, after time.Duration) {
	if rate == 0 {
		return true, 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	until, known := r.until[who]
	if !known && len(r.until) >= maxRated && !r.sweep(now) {
		return false, time.Second // by then, one that sends no more is forgotten
	}
	if until.Before(now) {
		until = now
	}
	if ahead := until.Sub(now); ahead >= time.Second {
		return false, ahead - time.Second + 1
	}
	r.until[who] = until.Add(time.Duration(n) * time.Second / time.Duration(rate))
	return true, 0
}

// sweep forgets those that have made up for all, and reports whether there were any.
func (r *rates) sweep(now time.Time) bool {
	before := len(r.until)
	for who, until := range r.until {
		if !until.After(now) {
			delete(r.until, who)
		}
	}
	return len(r.until) < before
}
