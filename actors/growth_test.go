package actors

import (
	"fmt"
	"maps"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/asynkron/protoactor-go/actor"
)

// few is how many dead values may be in memory still: an actor keeps the message that it handled last.
const few = 8

// freed collects garbage until no more than few of the values are left.
func freed[T any](t *testing.T, what string, values []weak.Pointer[T]) {
	t.Helper()
	for end := time.Now().Add(patience); ; runtime.GC() {
		left := 0
		for _, v := range values {
			if v.Value() != nil {
				left++
			}
		}
		if left <= few {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d of %d %s are still in memory", left, len(values), what)
		}
	}
}

// leaves ends a peer and has the test forget it, so that only the router could keep it.
func (w *world) leaves(p *peer) {
	w.t.Helper()
	w.gone(p)
	p.leasesReturned(0)
	for i := range w.peers {
		if w.peers[i] == p {
			w.peers = append(w.peers[:i], w.peers[i+1:]...)
			return
		}
	}
}

// A client that stays connected keeps nothing of a service that has come, was asked and has gone.
func TestAskerKeepsNoDeadService(t *testing.T) {
	for _, name := range []string{"s", "s%d"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			p := w.client()
			const times = 8 * 16
			dead := make([]weak.Pointer[service], times)
			for i := range times {
				name := name
				if name != "s" {
					name = fmt.Sprintf(name, i)
				}
				s := w.service(name)
				route := w.deps.Registry.Lookup(name)
				w.look(route.Service.PID(), func(a actor.Actor) { dead[i] = weak.Make(a.(*service)) })
				p.writef(`{"service":%q,"request_id":"1"}`, name)
				id := s.asked(` ` + name + `/ #"1" null`)
				s.writef(`{"service":%q,"request_id":"1","resource_id":%q}`, name, id)
				p.gets(` ` + name + `/ #"1" null`)
				w.leaves(s)
				w.ended(route.Service.PID())
			}
			freed(t, "services", dead)
			w.look(p.pid, func(a actor.Actor) {
				if got := len(a.(*connection).asked.names.All()); got > 16 {
					t.Errorf("the client knows %d names, want at most 16", got)
				}
			})
		})
	}
}

// A name that is watched keeps its service and its topic, but none of the instances that have gone.
func TestServiceKeepsNoDeadInstance(t *testing.T) {
	for _, mode := range []Instances{All, Balanced, Failover} {
		t.Run(fmt.Sprint(mode), func(t *testing.T) {
			w := newWorld(t)
			w.change(func(s *Settings) { s.Instances = mode })
			p := w.client("s")
			const times = 100
			dead := make([]weak.Pointer[Peer], times)
			for i := range times {
				s := w.service("s")
				w.look(s.pid, func(a actor.Actor) { dead[i] = weak.Make(a.(*connection).peer) })
				p.writef(`{"service":"s","request_id":"%d"}`, i)
				id := s.asked(fmt.Sprintf(` s/ #"%d" null`, i))
				s.writef(`{"service":"s","request_id":"%d","resource_id":%q}`, i, id)
				s.writef(`{"service":"s"}`)
				p.gets(fmt.Sprintf(` s/ #"%d" null`, i), ` s/ #"" null`)
				w.leaves(s)
				w.settleName(p, "s")
			}
			freed(t, "instances", dead)
		})
	}
}

// sizes returns how much the router, the resident service s and its topic hold.
func (w *world) sizes(resident *peer) map[string]int {
	w.t.Helper()
	w.settleName(resident, "s")
	all := make(map[string]int)
	w.look(w.router.PID(), func(a actor.Actor) {
		r := a.(*router)
		all["names"], all["members of s"], all["offers of s"] = len(r.names), len(r.names["s"].members), len(r.names["s"].offers)
	})
	w.deps.Registry.routes.Range(func(any, any) bool { all["routes"]++; return true })
	route := w.deps.Registry.Lookup("s")
	w.look(route.Service.PID(), func(a actor.Actor) {
		s := a.(*service)
		all["instances"], all["classes"] = len(s.instances), len(s.classes)
		all["askers"], all["unsettled requests"] = len(s.pending.askers), len(s.pending.unsettled)
	})
	w.look(route.Topic.PID(), func(a actor.Actor) {
		t := a.(*topic)
		all["members"], all["views"], all["speakers"] = len(t.members), len(t.views), len(t.speakers)
	})
	return all
}

// TestVisitsLeaveNothing: clients and services of ever new names and classes come, ask, say something and leave. All
// tables are as large afterwards as they were before.
func TestVisitsLeaveNothing(t *testing.T) {
	w := newWorld(t)
	s := w.service("s")
	resident := w.client("s")
	visit := func(i int) {
		v := w.client("s", fmt.Sprintf("topic%d", i))
		for _, id := range []string{"answered", "open"} {
			v.writef(`{"service":"s","request_id":%q}`, id)
			who := s.asked(fmt.Sprintf(` s/ #"%s" null`, id))
			if id == "answered" {
				s.writef(`{"service":"s","request_id":"answered","resource_id":%q}`, who)
				v.gets(` s/ #"answered" null`)
			}
		}
		second := w.bearer(&Credentials{Role: Service, Service: "s", Class: fmt.Sprintf("class%d", i)})
		second.writef(`{"service":"foreign%d"}`, i)
		second.writef(`{"service":"s"}`)
		v.gets(` s/ #"" null`)
		resident.gets(` s/ #"" null`)
		named := w.service(fmt.Sprintf("name%d", i))
		resident.writef(`{"service":"name%d","request_id":"lost"}`, i)
		named.asked(fmt.Sprintf(` name%d/ #"lost" null`, i))
		for _, p := range []*peer{v, second, named} {
			w.leaves(p)
			w.ended(p.pid)
		}
		resident.gets(fmt.Sprintf(`503 name%d/ #"lost" null`, i))
	}
	// forget lets the time pass in which a late answer may come to a client that has gone.
	forget := func() {
		w.settleName(resident, "s")
		w.clock.Advance(4 * w.deps.settings().RequestTimeout)
	}
	visit(0)
	forget()
	before := w.sizes(resident)
	for i := range 1000 {
		visit(1 + i)
	}
	forget()
	for end := time.Now().Add(patience); ; runtime.Gosched() {
		after := w.sizes(resident)
		actors := 0
		for _, part := range w.deps.System.ProcessRegistry.LocalPIDs.LocalPIDs {
			actors += part.Count()
		}
		if maps.Equal(before, after) && actors < 100 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d actors, sizes %v\nwant %v", actors, after, before)
		}
	}
}
