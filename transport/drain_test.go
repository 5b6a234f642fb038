package transport

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"strowger/actors/clock/clocktest"
	"strowger/transport/frame"
)

// drained runs a drain by a clock and returns what is closed when it ends.
func (s *server) drained(hands *clocktest.Clock, pause, within time.Duration) (ended <-chan struct{}) {
	c := make(chan struct{})
	go func() {
		defer close(c)
		s.drain(hands, s.census(), pause, within)
	}()
	return c
}

// TestDrainOrder closes one connection after the other: the newest client first, services last, and whoever still comes at
// once. Who is not closed yet can do everything.
func TestDrainOrder(t *testing.T) {
	s := newServer(t, nil, nil)
	hands := clocktest.New()
	oldest := s.login("service:a")
	first := s.login("client:a")
	second := s.dial() // has shown no token
	second.ping("here")
	middle := s.login("service:b")
	last := s.login("client")
	order := []*peer{last, second, first, middle, oldest}
	ended := s.drained(hands, 2*drainTick, time.Hour)
	for i, p := range order {
		p.closed(frame.CloseGoingAway)
		for _, other := range order[i+1:] {
			other.ping("here")
		}
		if i == 0 {
			late := s.connect()
			late.write(fmt.Appendf(nil, upgrade, "x"))
			if _, err := http.ReadResponse(late.br, nil); err != nil {
				t.Fatal(err)
			}
			late.closed(frame.CloseGoingAway)
			first.text(`{"service":"a","request_id":1}`)
			if asked := oldest.envelope(); asked.ResourceID == "" {
				t.Errorf("the service is asked %+v", asked)
			}
		}
		if i < len(order)-1 {
			hands.AwaitTimers(t, 1)
			hands.Advance(drainTick)
			hands.AwaitTimers(t, 1)
			hands.Advance(drainTick)
		}
	}
	<-ended
}

// TestDrainKeepsWithin closes more in a second than it should if that would take too long, and counts what it closes.
func TestDrainKeepsWithin(t *testing.T) {
	for name, test := range map[string]struct {
		pause, within time.Duration
		ticks         int // until the last of 12 connections is closed
	}{
		"in a second":   {time.Second, time.Second, 18},
		"in one second": {time.Second / 12, time.Hour, 18},
		"at once":       {time.Second / 240, time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, nil, nil)
			hands := clocktest.New()
			var peers []*peer
			for range 12 {
				peers = append(peers, s.login("client"))
			}
			ended := s.drained(hands, test.pause, test.within)
			for range test.ticks {
				hands.AwaitTimers(t, 1)
				select {
				case <-ended:
					t.Fatal("it ended too soon")
				default:
				}
				hands.Advance(drainTick)
			}
			<-ended
			for _, p := range peers {
				p.closed(frame.CloseGoingAway)
			}
		})
	}
}

// TestDrainEnds: without a pace all go at once, and the end of the egress ends a drain.
func TestDrainEnds(t *testing.T) {
	s := newServer(t, nil, nil)
	p, other := s.login("client"), s.login("client")
	s.Drain(0, time.Hour)
	p.closed(frame.CloseGoingAway)
	other.closed(frame.CloseGoingAway)

	r := newRig(t, nil)
	a, b := r.link(0), r.link(0)
	r.Drain(1, time.Hour)
	b.expect(t, "admitted")
	b.far.closed(frame.CloseGoingAway)
	a.expect(t, "admitted")
	r.end() // returns
}

// Where nobody is connected an egress may stop while the drain still begins. The race detector finds a goroutine that
// Stop does not wait for.
func TestDrainDuringStop(t *testing.T) {
	for range 20 {
		r := newRig(t, nil)
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.Drain(1, time.Minute)
		}()
		r.end()
		<-done
	}
}
