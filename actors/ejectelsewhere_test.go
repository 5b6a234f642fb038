package actors

import (
	"fmt"
	"testing"
	"time"
)

// Where each request goes to all instances, one that was ejected is back when it answers, though another one is faster.
func TestReadmittedBehindAFasterOne(t *testing.T) {
	w := ejecting(t, func(s *Settings) { s.EjectAfter = 1 })
	a, b, p := w.service("s"), w.service("s"), w.client()
	p.ask("s", "1")
	ra := a.asked(` s/x #"1" null`)
	b.asked(` s/x #"1" null`)
	w.wait(w.deps.settings().RequestTimeout, p, "s")
	p.gets(`503 s/x #"1" null`)
	w.wantEjected(2, 2)
	w.wait(w.deps.settings().EjectPause, p, "s")
	p.ask("s", "2")
	first, second := a.asked(` s/x #"2" null`), b.asked(` s/x #"2" null`)
	a.say("2", first)
	p.getsAnswer("2")
	b.say("2", second)
	p.getsAnswer("2") // each instance may answer, as before
	w.wantEjected(2, 0)
	a.say("1", ra) // it was relieved of this one
	w.settleName(a, "s")
	if n := got(p)[0]; n > 0 {
		t.Errorf("%d replies to a request that was taken back", n)
	}
}

// An instance that its node has ejected keeps the requests of other nodes from nobody.
func TestEjectedElsewhere(t *testing.T) {
	for name, mode := range map[string]Instances{"balanced": Balanced, "failover": Failover} {
		t.Run(name, func(t *testing.T) {
			c := inMode(t, 3, mode)
			c.change(func(s *Settings) {
				s.EjectSilence, s.EjectPause, s.RequestTimeout = time.Second, time.Hour, 10*time.Hour
			})
			near, far := c.nodes[1], c.nodes[2]
			ejected, p := near.service("s"), c.nodes[0].client()
			p.ask("s", "1")
			ejected.asked(` s/x #"1" null`)
			c.settle("s")
			near.clock.Advance(time.Second)
			c.settle("s")
			if n := near.deps.Counters.Ejected.Load(); n != 1 {
				t.Fatalf("%d are ejected", n)
			}
			p.gets(`503 s/x #"1" null`)
			p.ask("s", "alone")
			p.gets(`503 s/x #"alone" null`)
			well := far.service("s")
			c.settle("s")
			for i := range 6 {
				id := fmt.Sprint(i)
				p.ask("s", id)
				well.say(id, well.asked(fmt.Sprintf(` s/x #%q null`, id)))
				p.getsAnswer(id)
			}
			c.settle("s")
			if n := got(ejected)[0]; n > 0 {
				t.Errorf("the ejected one got %d requests", n)
			}
			// When it is tried and answers, it is as any other.
			near.clock.Advance(time.Hour)
			c.nodes[0].clock.Advance(time.Hour)
			c.settle("s")
			for i := 10; got(ejected)[0] == 0; i++ {
				if i > 12 {
					t.Fatal("the ejected one is not tried")
				}
				p.ask("s", fmt.Sprint(i))
				c.settle("s")
			}
			m := ejected.next()
			id := string(m.RequestID)
			ejected.writef(`{"service_name":"s","topic":"x","request_id":%s,"resource_id":%s,"status_code":200}`, id, m.ResourceID)
			c.settle("s")
			if n := near.deps.Counters.Ejected.Load(); n != 0 {
				t.Errorf("%d are ejected after the answer", n)
			}
			for range got(well)[0] {
				well.next()
			}
			for range got(p)[0] {
				p.next()
			}
		})
	}
}

// An instance of another node that leaves in good order takes nothing of the history with it. One whose node is lost may.
func TestHistoryWhenAnInstanceElsewhereLeaves(t *testing.T) {
	c := newCluster(t, 2)
	p := policies(t, `s_service: {scopes: [{to: all}], history: {messages: 100}}`)
	c.change(func(s *Settings) { s.Policies = p })
	a, b := c.nodes[0], c.nodes[1]
	page, said := a.returning(watching("s"), `{}`)
	c.settle("s")
	var last Position
	for i := range 3 {
		s := b.service("s") // as somebody who publishes once by HTTP is
		c.settle("s")
		s.writef(`{"service":"s","payload":%d}`, i)
		c.settle("s")
		_, at := page.hears()
		b.gone(s)
		c.settle("s")
		if want := int64(i + 1); a.deps.Counters.HistoryMessages.Load() != want || at.Offset != want || i > 0 && at.Epoch != last.Epoch {
			t.Errorf("%d are kept, the last at %v after %v; began at %v", a.deps.Counters.HistoryMessages.Load(), at, last, said["s"].Position)
		}
		last = at
	}
	b.service("s")
	c.settle("s")
	c.part(a, b)
	c.settle("s")
	if n := a.deps.Counters.HistoryMessages.Load(); n != 0 {
		t.Errorf("%d are kept after the node was lost", n)
	}
}
