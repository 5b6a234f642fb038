package actors

import (
	"slices"
	"strconv"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
)

// inMode returns nodes whose requests go by a mode.
func inMode(t *testing.T, size int, mode Instances) *cluster {
	t.Helper()
	c := newCluster(t, size)
	c.change(func(s *Settings) { s.Instances = mode; s.PendingRequests = 100 })
	return c
}

// got returns how many messages wait to be read by each peer.
func got(peers ...*peer) (n []int) {
	for _, p := range peers {
		n = append(n, len(p.socket.written))
	}
	return n
}

// Under all, each instance of each node gets a request, and each node gets it once.
func TestAllInstancesOfAllNodes(t *testing.T) {
	c := inMode(t, 3, All)
	a, b := c.nodes[0], c.nodes[1]
	here, first, second, third := a.service("s"), b.service("s"), b.service("s"), c.nodes[2].service("s")
	p := a.client()
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	for _, s := range []*peer{here, first, second, third} {
		s.reply("1", s.asked(` s/x #"1" null`), "200")
		p.gets(`200 s/x #"1" 200`)
	}
	if got := len(a.link(b).sent(AskParcel)); got != 1 {
		t.Errorf("%d parcels to the node with two instances, want 1", got)
	}
	c.settle("s")
	p.silent()
}

// Under the other modes an instance of the client's node comes first, and then the one with the fewest open requests.
func TestLocalInstanceFirst(t *testing.T) {
	for _, mode := range []Instances{Balanced, Failover} {
		t.Run(strconv.Itoa(int(mode)), func(t *testing.T) {
			c := inMode(t, 3, mode)
			a := c.nodes[0]
			here, there, far := a.service("s"), c.nodes[1].service("s"), c.nodes[2].service("s")
			p := a.client()
			for i := range 6 {
				p.writef(`{"service":"s","request_id":"%d"}`, i+1)
			}
			c.settle("s")
			if got, want := got(here, there, far), []int{6, 0, 0}; !slices.Equal(got, want) {
				t.Fatalf("the instances got %v, want %v", got, want)
			}
			a.gone(here)
			if mode == Balanced {
				for i := range 6 {
					p.gets(`503 s/ #"` + strconv.Itoa(i+1) + `" null`)
				}
				for i := range 6 {
					p.writef(`{"service":"s","request_id":"%d"}`, i+1)
				}
			}
			c.settle("s")
			if got, want := got(there, far), []int{3, 3}; !slices.Equal(got, want) {
				t.Errorf("the instances of other nodes got %v, want %v", got, want)
			}
		})
	}
}

// When an instance of another node dies, what it was asked is handed over under failover, and answered 503 otherwise.
func TestInstanceOfAnotherNodeDies(t *testing.T) {
	for _, mode := range []Instances{All, Balanced, Failover} {
		t.Run(strconv.Itoa(int(mode)), func(t *testing.T) {
			c := inMode(t, 3, mode)
			a, b := c.nodes[0], c.nodes[1]
			s, p := b.service("s"), a.client()
			p.writef(`{"service":"s","topic":"x","request_id":"1","payload":[1]}`)
			s.asked(` s/x #"1" [1]`)
			other := c.nodes[2].service("s")
			b.gone(s)
			if mode != Failover {
				p.gets(`503 s/x #"1" null`)
				c.settle("s")
				other.silent()
				return
			}
			other.reply("1", other.asked(` s/x #"1" [1]`), "200")
			p.gets(`200 s/x #"1" 200`)
			c.settle("s")
			p.silent()
			if n := a.deps.Counters.Failovers.Load(); n != 1 {
				t.Errorf("%d failovers, want 1", n)
			}
		})
	}
}

// An instance that leaves gets no more requests of other nodes, and those that it hands back are answered by their nodes.
func TestInstanceOfAnotherNodeLeaves(t *testing.T) {
	for _, mode := range []Instances{All, Balanced, Failover} {
		t.Run(strconv.Itoa(int(mode)), func(t *testing.T) {
			c := inMode(t, 3, mode)
			a, b := c.nodes[0], c.nodes[1]
			s, p := b.service("s"), a.client()
			p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
			id := s.asked(` s/x #"1" null`)
			// This one is under way when the instance leaves.
			a.link(b).hold(true)
			p.writef(`{"service":"s","topic":"x","request_id":"2"}`)
			a.settleName(p, "s")
			other := c.nodes[2].service("s")
			s.writef(leavingMessage)
			s.gets(leavingAnswer)
			a.link(b).hold(false)
			c.settle("s")
			s.reply("1", id, "503")
			c.settle("s")
			s.silent()
			// It never reached the instance that leaves, so it may go to another one in any mode.
			if mode != Failover {
				p.gets(`503 s/x #"1" null`)
			}
			other.reply("2", other.asked(` s/x #"2" null`), "200")
			p.gets(`200 s/x #"2" 200`)
			if mode == Failover {
				other.reply("1", other.asked(` s/x #"1" null`), "200")
				p.gets(`200 s/x #"1" 200`)
			}
			p.writef(`{"service":"s","topic":"x","request_id":"3"}`)
			other.reply("3", other.asked(` s/x #"3" null`), "200")
			p.gets(`200 s/x #"3" 200`)
			s.silent()
		})
	}
}

// A request that the instance has no room for is answered 503, as on one node, unless another one has it.
func TestInstanceOfAnotherNodeIsFull(t *testing.T) {
	c := inMode(t, 2, All)
	a, b := c.nodes[0], c.nodes[1]
	full, free := b.service("s"), b.service("s")
	p := a.client()
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	full.refuse()
	id := free.asked(` s/x #"1" null`)
	c.settle("s")
	p.silent()
	free.reply("1", id, "200")
	p.gets(`200 s/x #"1" 200`)
	p.writef(`{"service":"s","topic":"x","request_id":"2"}`)
	full.refuse()
	free.refuse()
	p.gets(`503 s/x #"2" null`)
	a.wantDead(TooManyRequests, 1)
	b.wantDead(TooManyRequests, 0)
}

// A node takes no more open requests of one visitor than of one of its own clients.
func TestVisitorWithTooManyRequests(t *testing.T) {
	c := inMode(t, 2, All)
	a, b := c.nodes[0], c.nodes[1]
	b.change(func(s *Settings) { s.PendingRequests = 1 })
	s, p := b.service("s"), a.client()
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	id := s.asked(` s/x #"1" null`)
	p.writef(`{"service":"s","topic":"x","request_id":"2"}`)
	p.gets(`503 s/x #"2" null`)
	s.reply("1", id, "200")
	p.gets(`200 s/x #"1" 200`)
	a.wantDead(TooManyRequests, 1)
}

// A request at which the service's actor on the other node crashes is answered with 500, and goes to nobody else.
func TestActorOnAnotherNodeCrashes(t *testing.T) {
	c := inMode(t, 3, Failover)
	a, b := c.nodes[0], c.nodes[1]
	s, p := b.service("s"), a.client()
	a.link(b).hold(true)
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	a.settleName(p, "s")
	other := c.nodes[2].service("s")
	s.socket.hook(func() { panic("socket") })
	a.link(b).hold(false)
	p.gets(`500 s/x #"1" null`)
	c.settle("s")
	other.silent()
	s.socket.hook(nil)
	b.wantDead(ActorCrashed, 1)
}

// A link that takes no more is as good as an instance without room.
func TestRequestThatTheLinkDrops(t *testing.T) {
	c := inMode(t, 2, Failover)
	a, b := c.nodes[0], c.nodes[1]
	s, p := b.service("s"), a.client()
	a.link(b).fill(true)
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	p.gets(`503 s/x #"1" null`)
	s.silent()
	a.wantDead(TooManyRequests, 1)
	// What a service says is lost then.
	a.client("s")
	a.link(b).fill(false)
	id := p.answered(s)
	b.link(a).fill(true)
	s.writef(`{"service":"s"}`)
	s.writef(`{"service":"s","resource_id":%q}`, id)
	c.settle("s")
	b.wantDead(NodeGone, 2)
}

// Nodes that do not agree about who takes requests hand a request on only so often.
func TestRequestIsNotHandedBackForEver(t *testing.T) {
	c := inMode(t, 2, Failover)
	a, b := c.nodes[0], c.nodes[1]
	first, second, p := b.service("s"), b.service("s"), a.client()
	// Only their own node knows that they take nothing.
	b.world.look(b.deps.Registry.Lookup("s").Service.PID(), func(of actor.Actor) {
		for _, i := range of.(*service).instances {
			i.leaving = true
		}
	})
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	p.gets(`503 s/x #"1" null`)
	first.silent()
	second.silent()
	if got := len(a.link(b).sent(AskParcel)); got != mostReturns+1 {
		t.Errorf("asked %d times, want %d", got, mostReturns+1)
	}
}

// A visitor is forgotten when it has left, also if the service has ended meanwhile on the visitor's node.
func TestVisitorsAreForgotten(t *testing.T) {
	c := newCluster(t, 2)
	a, b := c.nodes[0], c.nodes[1]
	s, p, q := b.service("s"), a.client(), a.client()
	id, other := p.answered(s), q.answered(s)
	a.gone(p)
	c.settle("s")
	if b.deps.askers.has(id) || !b.deps.askers.has(other) {
		t.Error("the one that left is known, or the one that stays is not")
	}
	route := b.deps.Registry.Lookup("s")
	b.gone(s)
	b.ended(route.Topic.PID())
	c.settle("s")
	if a.deps.Registry.Lookup("s") != nil {
		t.Fatal("the name has not ended")
	}
	if !b.deps.askers.has(other) {
		t.Error("a visitor that is still connected is forgotten")
	}
	a.gone(q)
	c.settle("s")
	if b.deps.askers.has(other) {
		t.Error("a visitor that has left after the end of the name is known")
	}
}

// A service that comes back under its name may write to a visitor that asked before, as on one node.
func TestServiceComesBackToAVisitor(t *testing.T) {
	c := newCluster(t, 2)
	a, b := c.nodes[0], c.nodes[1]
	s, member, p := b.service("s"), a.client("s"), a.client()
	id := p.answered(s)
	b.gone(s)
	c.settle("s")
	s = b.service("s")
	s.writef(`{"service":"s","topic":"x","resource_id":%q,"payload":1}`, id)
	p.gets(` s/x #"" 1`)
	c.settle("s")
	member.silent()
}

// A request id that is used again is handed back for the oldest request first.
func TestHandBackOfARepeatedID(t *testing.T) {
	c := inMode(t, 2, All)
	a, b := c.nodes[0], c.nodes[1]
	s, p := b.service("s"), a.client()
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	p.writef(`{"service":"s","topic":"y","request_id":"1"}`)
	c.settle("s")
	s.refuse()
	c.settle("s")
	p.silent() // the first one was given up when the id was used again
	s.reply("1", s.asked(` s/y #"1" null`), "200")
	p.gets(`200 s/x #"1" 200`)
	a.world.look(a.deps.Registry.Lookup("s").Service.PID(), func(of actor.Actor) {
		for _, asker := range of.(*service).pending.askers {
			if asker.open != 0 {
				t.Errorf("%d requests are open, want none", asker.open)
			}
		}
	})
}
