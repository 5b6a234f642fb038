package actors

import (
	"testing"
	"time"
)

func (w *world) shortLived(role Role) *peer {
	w.t.Helper()
	return w.bearer(&Credentials{Role: role, Service: "e", Services: []string{"s"}, ExpiresAt: w.clock.Now().Add(time.Minute)})
}

// protocol 11.8, 11.22: an expired connection is closed and nothing of it is routed.
func TestTokenExpires(t *testing.T) {
	for _, role := range []Role{Client, Service} {
		t.Run(role.String(), func(t *testing.T) {
			w := newWorld(t)
			s, p := w.service("s"), w.shortLived(role)
			w.clock.Advance(time.Minute - 1)
			w.settle(p.pid)
			p.open()
			w.clock.Advance(1)
			p.closedWith(TokenExpired)
			p.writef(`{"service":"s","request_id":"1"}`)
			s.writef(`{"service":"s"}`)
			w.settleName(p, "s")
			p.silent()
			s.silent()
		})
	}
}

// The message may come before the timer's.
func TestExpiredBeforeTheTimer(t *testing.T) {
	w := newWorld(t)
	s, p := w.service("s"), w.shortLived(Client)
	w.clock.Set(w.clock.Now().Add(time.Minute))
	p.writef(`{"service":"s","request_id":"1"}`)
	p.closedWith(TokenExpired)
	w.settleName(p, "s")
	s.silent()
	w.wantDead(Expired, 1)
}

func TestExpiredOnArrival(t *testing.T) {
	w := newWorld(t)
	p := w.connect()
	p.gets(hello)
	p.present(w.token(&Credentials{Role: Client, ExpiresAt: w.clock.Now()}))
	p.closedWith(TokenExpired)
}

// An expired subscriber leaves when its time is over and again when its connection ends; those
// who stay keep getting broadcasts.
func TestExpiryLeavesOthersAlone(t *testing.T) {
	w := newWorld(t)
	s, stays, p := w.service("s"), w.client("s"), w.shortLived(Client)
	subscriber := w.subscriber(p)
	w.clock.Advance(time.Minute)
	p.closedWith(TokenExpired)
	p.leave()
	w.ended(p.pid)
	w.ended(subscriber)
	w.settleName(s, "s")
	s.writef(`{"service":"s","payload":1}`)
	stays.gets(` s/ #"" 1`)
	if n := w.clock.Timers(); n != 0 {
		t.Errorf("%d timers wait, want none", n)
	}
}

func TestDepartureStopsTheExpiryTimer(t *testing.T) {
	w := newWorld(t)
	p := w.shortLived(Client)
	w.gone(p)
	if n := w.clock.Timers(); n != 0 {
		t.Errorf("%d timers wait, want none", n)
	}
}
