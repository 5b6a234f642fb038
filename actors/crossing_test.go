package actors

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A request that is on its way to another node while the instance ends there is as one that comes later: it goes to others,
// or gets what it gets when nobody offers the name. What the instance had is lost with it.
func TestRequestCrossesTheEndOfAnInstance(t *testing.T) {
	for _, mode := range []Instances{All, Balanced, Failover} {
		for _, others := range []bool{false, true} {
			t.Run(fmt.Sprint(int(mode), others), func(t *testing.T) {
				c := inMode(t, 3, mode)
				c.change(func(s *Settings) { s.UnknownService = 404 })
				a, b := c.nodes[0], c.nodes[1]
				s, p := b.service("s"), a.client()
				p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
				asker := s.asked(` s/x #"1" null`)
				a.link(b).hold(true)
				p.writef(`{"service":"s","topic":"x","request_id":"2"}`)
				p.writef(`{"service":"s","topic":"x","request_id":"3","payload":"%s"}`, strings.Repeat("x", smallRequest))
				a.settleName(p, "s")
				name := a.deps.Registry.Lookup("s").Service.PID()
				var other *peer
				if others {
					other = c.nodes[2].service("s")
				}
				b.gone(s)
				switch {
				case !others:
					p.gets(`503 s/x #"1" null`, `404 s/x #"2" null`, `404 s/x #"3" null`)
					a.ended(name)
				case mode == Failover:
					for _, id := range []string{"1", "2", "3"} {
						other.next()
						other.reply(id, asker, "200")
						p.gets(`200 s/x #"` + id + `" 200`)
					}
				default:
					p.gets(`503 s/x #"1" null`, `503 s/x #"3" null`) // the long one is not kept
					other.reply("2", other.asked(` s/x #"2" null`), "200")
					p.gets(`200 s/x #"2" 200`)
				}
				a.link(b).hold(false) // now the node hands it back, too late
				c.settle("s")
				p.silent()
				s.silent()
				a.world.wantDead(TooManyRequests, 0)
			})
		}
	}
}

// A request that one instance had when it died is lost, even if it never reached another one that had gone.
func TestRequestIsLostAndUnseen(t *testing.T) {
	c := inMode(t, 3, All)
	a, b := c.nodes[0], c.nodes[1]
	s, far, p := b.service("s"), c.nodes[2].service("s"), a.client()
	a.link(c.nodes[2]).hold(true)
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	s.asked(` s/x #"1" null`)
	name := b.deps.Registry.Lookup("s")
	b.gone(s)
	b.settle(name.Service.PID(), name.Topic.PID())
	told := make(chan struct{})
	b.link(a).post(func(*Remote) { close(told) })
	await(t, "news", told)
	a.settleName(p, "s")
	p.silent()
	c.nodes[2].gone(far)
	p.gets(`503 s/x #"1" null`)
	a.link(c.nodes[2]).hold(false)
	c.settle("s")
	p.silent()
}

// So many clients of a node may ask and no more. One that is known may go on, and one that leaves makes room.
func TestVisitorsAreBounded(t *testing.T) {
	w := newWorld(t)
	w.change(func(s *Settings) { s.NodeVisitors = 2; s.PendingRequests = 100 })
	s := w.service("s")
	var instance string
	w.look(w.deps.Registry.Lookup("s").Service.PID(), firstInstance(&instance))
	r, n := w.remote("b")
	for _, step := range []struct {
		subscriber string
		leaves     bool
		fails      bool
		visitors   int64
	}{
		{subscriber: "v1", visitors: 1},
		{subscriber: "v2", visitors: 2},
		{subscriber: "v3", visitors: 2, fails: true},
		{subscriber: "v2", visitors: 2},
		{subscriber: "v1", visitors: 1, leaves: true},
		{subscriber: "v3", visitors: 2},
		{subscriber: "v1", visitors: 2, fails: true},
	} {
		p := &Parcel{Kind: AskParcel, Service: "s", Instances: []string{instance}, Subscriber: step.subscriber, Left: time.Minute, Text: []byte(`{"service":"s","topic":"x","request_id":"1"}`)}
		if step.leaves {
			p = &Parcel{Kind: GoneParcel, Service: "s", Subscriber: step.subscriber}
		}
		err := r.Receive(p)
		if (err != nil) != step.fails || step.fails && !strings.Contains(err.Error(), "cluster.visitors") {
			t.Errorf("%+v: error %v", step, err)
		}
		if got := w.deps.Counters.Visitors.Load(); got != step.visitors {
			t.Errorf("%+v: %d visitors are counted", step, got)
		}
		if !step.fails && !step.leaves {
			s.next()
		}
		n.mu.Lock()
		if back := len(n.parcels); step.fails != (back == 1) || step.fails && (n.parcels[0].Kind != HandBackParcel || !n.parcels[0].Busy) {
			t.Errorf("%+v: the node gets %d parcels", step, back)
		}
		n.parcels = nil
		n.mu.Unlock()
	}
	if got := w.deps.Counters.TooManyVisits.Load(); got != 2 {
		t.Errorf("%d requests are counted as too many, want 2", got)
	}
	r.Gone()
	if got := w.deps.Counters.Visitors.Load(); got != 0 {
		t.Errorf("%d visitors are counted after the node has gone", got)
	}
}
