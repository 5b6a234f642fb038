package runner

import (
	"time"

	"strowger/actors/envelope"
	"strowger/system/service"
)

// Part says whether an instance was asked by another one.
type Part uint8

// Whole is a request of a subscriber. Shared is one whose answers add to those of the instance that has asked.
// Gathered is one that is answered to that instance.
const (
	Whole Part = iota
	Shared
	Gathered
)

// Elsewhere is the way to the instances of the service on other nodes for one request. Its methods may be called from
// any goroutine, never block, must not call the Instance back, and keep their order with what is said to the home.
type Elsewhere interface {
	// Alone reports whether there are none that could be asked.
	Alone() bool
	// Pass gives the request to them. Reply is what the asker gets if none of them answers; nil: nothing. It is the
	// receiver's to keep.
	Pass(reply *envelope.Envelope)
	// Refuse is Pass of a request that this instance has not looked at.
	Refuse(reply *envelope.Envelope)
	// Share has each of them add to what was said.
	Share()
	// Gather asks each of them. It calls take once, from any goroutine but not before it returns, with what came within
	// the time.
	Gather(within time.Duration, take func([]service.Answer))
}

// elsewhere returns the way to the other nodes, or nil if nobody there is to be asked.
func (r *Request) elsewhere() Elsewhere {
	if r.asked.Elsewhere == nil || r.asked.Part != Whole || r.asked.Elsewhere.Alone() {
		return nil
	}
	return r.asked.Elsewhere
}

// Alone is for service.Request.
func (r *Request) Alone() bool { return r.elsewhere() == nil }

// Part is for service.Request.
func (r *Request) Part() bool { return r.asked.Part != Whole }

// Pass is for service.Request.
func (r *Request) Pass() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.passed = r.asked.Elsewhere != nil
}

// Share is for service.Request.
func (r *Request) Share() {
	to := r.elsewhere()
	if to == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.shared || r.passed || r.outcome == left || r.outcome == expired {
		return
	}
	r.shared = true
	to.Share()
}

// Gather is for service.Request.
func (r *Request) Gather(f func(answers []service.Answer)) {
	if f == nil {
		r.context.mistake("Gather: function is nil")
		return
	}
	to := r.elsewhere()
	if to == nil {
		f(nil)
		return
	}
	l := r.context.life
	r.begin()
	to.Gather(r.instance.service.GatherTimeout, func(answers []service.Answer) {
		l.post(&result{life: l, request: r, then: func() { f(answers) }})
	})
}

// tell says e, or leaves the request to other instances. r.mu is held.
func (r *Request) tell(next outcome, e *envelope.Envelope) {
	if asker := r.asked.Asker; asker != nil {
		asker.Tell(e, How{Open: next == open, Refused: next == refused, Passed: r.passed, Left: next == left})
		return
	}
	to := r.asked.Elsewhere
	switch {
	case to == nil || next == open || next == left || next == expired && r.asked.Part == Whole:
	case r.asked.Part == Shared && unsuccessful(e), r.asked.Part != Whole && e == nil:
		to.Pass(nil)
		return
	case r.passed:
		to.Pass(e)
		return
	case next == refused && e != nil:
		to.Refuse(e)
		return
	}
	if e != nil {
		r.instance.home.Say(e)
	}
}

// unsuccessful reports whether an answer says that the request was not carried out.
func unsuccessful(e *envelope.Envelope) bool {
	return e != nil && len(e.StatusCode) > 0 && e.StatusCode[0] >= '4'
}
