package panel

import (
	"cmp"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"strowger/system/service"
)

// tooManyRequests is the status for an operator who begins too many calls.
const tooManyRequests = 429

// Counts count what the service has refused. The zero value is ready.
type Counts struct{ refused, unasked atomic.Int64 }

// Refused returns how many calls operators could not begin, because they had begun too many.
func (c *Counts) Refused() int64 { return c.refused.Load() }

// Unasked returns how many calls the switch was not asked about, because they were too many or it was too slow.
func (c *Counts) Unasked() int64 { return c.unasked.Load() }

// operator names a person, or the connection of one whom the router does not know.
type operator struct{ domain, who string }

// allowance bounds how many calls each operator begins. Who has begun none for a minute may begin as many as a minute
// allows at once.
type allowance struct {
	perMinute int

	mu     sync.Mutex // Protects following: a life that hangs may still use them.
	known  map[operator]*allowed
	pruned time.Time
}

// allowed is what is left to one operator.
type allowed struct {
	calls   float64
	at      time.Time
	refused bool // the last one was
}

func newAllowance(perMinute int) *allowance {
	return &allowance{perMinute: perMinute, known: map[operator]*allowed{}}
}

// take takes one call. first says that it is the first one that is refused after others were not.
func (a *allowance) take(who operator, now time.Time) (ok, first bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.prune(now)
	left := a.known[who]
	if left == nil {
		left = &allowed{calls: float64(a.perMinute), at: now}
		a.known[who] = left
	}
	most := float64(a.perMinute)
	left.calls = min(most, left.calls+max(0, now.Sub(left.at).Minutes())*most)
	left.at = now
	if left.calls < 1 {
		first, left.refused = !left.refused, true
		return false, first
	}
	left.calls--
	left.refused = false
	return true, false
}

// prune forgets those who may begin as many as ever.
func (a *allowance) prune(now time.Time) {
	if now.Sub(a.pruned) < time.Minute {
		return
	}
	a.pruned = now
	for who, left := range a.known {
		if now.Sub(left.at) >= time.Minute {
			delete(a.known, who)
		}
	}
}

// mayCall reports whether the operator may begin one more call, and refuses otherwise. It is called last, when nothing
// else is wrong with the request.
func (l *life) mayCall(r service.Request) bool {
	asker := r.Subscriber()
	ok, first := l.told.allowance.take(operator{asker.DomainName, cmp.Or(asker.User.UUID, asker.ID)}, r.Now())
	if ok {
		return true
	}
	l.Counts.refused.Add(1)
	if first {
		l.ctx.Log().Warn("an operator began too many calls", "domain", asker.DomainName, "user", asker.User.Name, "subscriber", asker.ID,
			"limit", l.CallsPerMinute, "setting", "panel.calls_per_minute")
	}
	v := failure(fmt.Sprintf("Too many calls: at most %d a minute", l.CallsPerMinute))
	v.status = tooManyRequests
	answerWith(r, v)
	return false
}
