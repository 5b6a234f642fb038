package actors

import (
	"strings"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/envelope"
	"strowger/actors/filter"
	"strowger/actors/runtime"
	"strowger/config/policy"
)

// The policy of the client's node decides what it may ask and see, and the service's own policy crosses.
func TestPolicyOfTheClientsNode(t *testing.T) {
	c := inMode(t, 2, All)
	a, b := c.nodes[0], c.nodes[1]
	a.govern(`{s_service: {requests: {forbidden: [nobody has it]}, topic_permissions: {secret: [nobody has it]}, key_permissions: {hidden: [nobody has it]}}}`)
	// What this one says counts for clients of its node.
	b.govern(`{s_service: {requests: {x: [nobody has it]}, topic_permissions: {x: [nobody has it], secret: [nobody has it]}}}`)
	s, p := b.service("s"), a.client("s")
	p.writef(`{"service":"s","topic":"forbidden","request_id":"1"}`)
	p.gets(`403 s/forbidden #"1" null`)
	p.writef(`{"service":"s","topic":"x","request_id":"2"}`)
	id := s.asked(` s/x #"2" null`)
	s.writef(`{"service":"s","topic":"x","request_id":"2","resource_id":%q,"payload":1}`, id)
	s.writef(`{"service":"s","topic":"secret","request_id":"2","resource_id":%q,"payload":1}`, id)
	p.gets(` s/x #"2" 1`)
	p.writef(`{"service":"s","topic":"x","request_id":"3"}`)
	s.asked(` s/x #"3" null`)
	s.writef(`{"service":"s","topic":"secret","request_id":"3","resource_id":%q,"payload":1}`, id)
	p.gets(`403 s/secret #"3" null`)
	s.writef(`{"service":"s","topic":"x","payload":{"a":1,"hidden":2}}`)
	s.writef(`{"service":"s","topic":"secret","payload":1}`)
	s.writef(`{"service":"s","topic":"end"}`)
	p.gets(` s/x #"" {"a":1}`, ` s/end #"" null`)

	own := policy.Policy{TopicPermissions: map[string][]string{"secret": {"nobody has it"}}}
	compiled, err := filter.Compile(own)
	if err != nil {
		t.Fatal(err)
	}
	l := &localService{asked: make(chan *Request, 64), gone: make(chan string, 64)}
	peer := NewLocal("inside", compiled, l)
	peer.Share(&own, false)
	offered := make(chan struct{})
	b.router.Send(&Offer{Peer: peer, Done: func() { close(offered) }})
	await(t, "offer", offered)
	t.Cleanup(func() { b.router.Send(&withdraw{Peer: peer}) })
	q := a.client("inside")
	for _, topic := range []string{"secret", "open"} {
		b.speak(peer, &envelope.Envelope{ServiceName: envelope.QuoteString("inside"), Topic: envelope.QuoteString(topic)})
	}
	q.gets(` inside/open #"" null`)
	b.deps.Announce(peer, &envelope.Envelope{ServiceName: envelope.QuoteString("inside"), Topic: envelope.QuoteString("secret")}, new(runtime.Window), 1)
	q.gets(` inside/secret #"" null`)
}

// What a service writes to one asker without a request id reaches that one only, on whatever node it is.
func TestMessageForOneAskerOfAnotherNode(t *testing.T) {
	c := inMode(t, 2, All)
	a, b := c.nodes[0], c.nodes[1]
	s, asker := b.service("s"), a.client("s")
	others := []*peer{a.client("s"), b.client("s")}
	id := asker.answered(s)
	s.writef(`{"service":"s","topic":"x","resource_id":%q,"payload":1}`, id)
	asker.gets(` s/x #"" 1`)
	a.gone(asker)
	c.settle("s")
	s.writef(`{"service":"s","topic":"x","request_id":"1","resource_id":%q,"payload":2}`, id)
	c.settle("s")
	for _, p := range others {
		p.silent()
	}
	b.wantDead(UnknownSubscriber, 1)
	if got := len(a.link(b).sent(GoneParcel)); got != 1 {
		t.Errorf("the other node is told %d times that the asker left, want 1", got)
	}
}

// The message for one asker that has left while it crossed is for nobody.
func TestMessageForAnAskerThatLeavesMeanwhile(t *testing.T) {
	c := inMode(t, 2, All)
	a, b := c.nodes[0], c.nodes[1]
	s, asker, member := b.service("s"), a.client(), a.client("s")
	id := asker.answered(s)
	b.link(a).hold(true)
	s.writef(`{"service":"s","topic":"x","resource_id":%q,"payload":1}`, id)
	b.settleName(s, "s")
	a.gone(asker)
	b.link(a).hold(false)
	c.settle("s")
	member.silent()
	a.wantDead(UnknownSubscriber, 1)
}

// A reply without resource_id finds the one it can be for.
func TestReplyWithoutResourceToAnotherNode(t *testing.T) {
	c := inMode(t, 2, All)
	c.change(func(s *Settings) { s.RepliesWithoutResource = true })
	a, b := c.nodes[0], c.nodes[1]
	s, p, q := b.service("s"), a.client(), b.client()
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	s.asked(` s/x #"1" null`)
	s.writef(`{"service":"s","topic":"x","request_id":"1","payload":1}`)
	p.gets(` s/x #"1" 1`)
	// That of two nodes' askers is for neither.
	for _, p := range []*peer{p, q} {
		p.writef(`{"service":"s","topic":"x","request_id":"2"}`)
		s.asked(` s/x #"2" null`)
	}
	s.writef(`{"service":"s","topic":"x","request_id":"2","payload":2}`)
	c.settle("s")
	p.silent()
	q.silent()
	b.wantDead(AmbiguousReply, 1)
}

// A helper on another node than the service's speaks for it to all members.
func TestHelperOnAnotherNode(t *testing.T) {
	c := newCluster(t, 3)
	a, b := c.nodes[0], c.nodes[1]
	instance := b.bearer(&Credentials{Role: Service, Service: "s", Class: "s_service", KnownClass: true})
	helper := a.bearer(&Credentials{Role: Service, Service: "s.helper", Class: "s_service", KnownClass: true})
	stranger := a.bearer(&Credentials{Role: Service, Service: "t", Class: "t_service", KnownClass: true})
	members := []*peer{a.client("s"), b.client("s"), c.nodes[2].client("s")}
	stranger.writef(`{"service":"s","topic":"x","payload":0}`)
	helper.writef(`{"service":"s","topic":"x","payload":1}`)
	for _, p := range members {
		p.gets(` s/x #"" 1`)
	}
	c.settle("s")
	for _, p := range members {
		p.silent()
	}
	instance.silent()
	a.wantDead(ForeignName, 1)
	// It may answer too.
	p := c.nodes[2].client()
	other := a.service("s")
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	id := other.asked(` s/x #"1" null`)
	helper.writef(`{"service":"s","topic":"x","request_id":"1","resource_id":%q,"payload":2}`, id)
	p.gets(` s/x #"1" 2`)
}

// A service's 200 comes when all nodes know the instance, and a subscriber's when all send it what it is to get.
func TestAdmissionWaitsForOtherNodes(t *testing.T) {
	c := newCluster(t, 2)
	a, b := c.nodes[0], c.nodes[1]
	a.link(b).hold(true)
	var waiting []*peer
	for _, cred := range []*Credentials{
		{Role: Service, Service: "s", Class: "s_service"}, {Role: Client, Services: []string{"s"}}, {Role: Client, Services: []string{"s"}},
	} {
		p := a.connect()
		p.gets(hello)
		p.present(a.token(cred))
		a.world.settle(p.pid, a.router.PID())
		a.settleName(p, "s")
		p.silent()
		waiting = append(waiting, p)
	}
	a.link(b).hold(false)
	for _, p := range waiting {
		p.gets(admitted200)
	}
	// The second member has nothing to wait for.
	a.link(b).hold(true)
	a.client("s")
	a.link(b).hold(false)
}

// A node watches a name no more if its first member leaves before the other nodes have heard of it.
func TestMemberLeavesBeforeOtherNodesHear(t *testing.T) {
	c := newCluster(t, 2)
	a, b := c.nodes[0], c.nodes[1]
	a.link(b).hold(true)
	p := a.connect()
	p.gets(hello)
	p.present(a.token(&Credentials{Role: Client, Services: []string{"s"}}))
	a.world.settle(p.pid, a.router.PID())
	a.gone(p)
	a.link(b).hold(false)
	c.settle("s")
	for _, n := range []*node{a, b} {
		if n.deps.Registry.Lookup("s") != nil {
			t.Errorf("node %s still knows the name", n.name)
		}
	}
	a.client("s")
}

// A name that another node watches is known as long as it does, and a service that comes then is heard there.
func TestNameThatAnotherNodeWatches(t *testing.T) {
	c := newCluster(t, 2)
	a, b := c.nodes[0], c.nodes[1]
	p := a.client("s")
	if b.deps.Registry.Lookup("s") == nil {
		t.Fatal("the other node does not know the name")
	}
	s := b.service("s")
	s.writef(`{"service":"s","payload":1}`)
	p.gets(` s/ #"" 1`)
	b.gone(s)
	s = b.service("s")
	s.writef(`{"service":"s","payload":2}`)
	p.gets(` s/ #"" 2`)
	b.gone(s)
	a.gone(p)
	c.settle("s")
	if b.deps.Registry.Lookup("s") != nil {
		t.Error("the other node still knows the name")
	}
}

// While a link does not send, what a service says counts in its window.
func TestServiceIsSlowedDownByALink(t *testing.T) {
	c := newCluster(t, 3)
	a, b := c.nodes[0], c.nodes[1]
	s := b.service("s")
	members := []*peer{a.client("s"), c.nodes[2].client("s")}
	asker := a.client()
	id := asker.answered(s)
	window := s.window
	for _, said := range []string{`{"service":"s","payload":1}`, `{"service":"s","request_id":"9","resource_id":"` + id + `"}`} {
		if strings.Contains(said, "request_id") {
			asker.writef(`{"service":"s","request_id":"9"}`)
			s.asked(` s/ #"9" null`)
		}
		c.settle("s")
		if used := window.Used(); used != 0 {
			t.Fatalf("%d bytes under way before", used)
		}
		b.link(a).hold(true)
		s.writef("%s", said)
		b.settleName(s, "s")
		if got, want := window.Used(), int64(len(said)); got != want {
			t.Errorf("%d bytes under way, want the %d that wait for the link", got, want)
		}
		b.link(a).hold(false)
		c.settle("s")
		if used := window.Used(); used != 0 {
			t.Errorf("%d bytes under way after the link has sent", used)
		}
	}
	for _, p := range members {
		p.gets(` s/ #"" 1`)
	}
	asker.gets(` s/ #"9" null`)
	// A request holds its asker's share.
	a.link(b).hold(true)
	asker.writef(`{"service":"s"}`)
	a.settleName(asker, "s")
	if asker.window.Used() == 0 {
		t.Error("a request that waits for the link holds no share")
	}
	a.link(b).hold(false)
	s.asked(` s/ #"" null`)
}

// In another process a node is another one: what other nodes had asked, and what it had asked them, does not cross.
func TestUpgradeOfANode(t *testing.T) {
	c := newCluster(t, 2)
	a, b := c.nodes[0], c.nodes[1]
	s, far := b.service("s"), a.service("t")
	visitor, p := a.client(), b.client()
	visitor.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	id := s.asked(` s/x #"1" null`)
	p.writef(`{"service":"t","topic":"x","request_id":"2"}`)
	far.asked(` t/x #"2" null`)
	far.writef(leavingMessage)
	far.gets(leavingAnswer)
	c.settle("s", "t")

	captured := make(chan []*ServiceTable, 1)
	b.deps.CaptureServices(func(all []*ServiceTable) { captured <- all })
	for _, table := range <-captured {
		for _, r := range table.Requests {
			if len(table.Leaving) > 0 || table.Name == "t" && len(r.Takers) > 0 || table.Name == "s" && (len(r.Takers) != 1 || r.Envelope != nil) {
				t.Errorf("%s crosses with %+v and instances %q that leave", table.Name, r, table.Leaving)
			}
		}
	}
	fresh, peers := newWorld(t), map[string]*Peer{}
	s2, p2, member := fresh.adopt(s, peers), fresh.adopt(p, peers), fresh.client("s")
	watcher := fresh.client("t")
	fresh.tables(b.world, peers)
	p2.gets(`503 t/x #"2" null`)
	fresh.look(fresh.deps.Registry.Lookup("t").Service.PID(), func(of actor.Actor) {
		if n := len(of.(*service).instances); n != 0 {
			t.Errorf("%d instances of other nodes crossed", n)
		}
	})
	// A late reply to the visitor is no broadcast.
	s2.writef(`{"service":"s","topic":"x","resource_id":%q,"request_id":"1"}`, id)
	fresh.settleName(s2, "s")
	member.silent()
	watcher.silent()
	fresh.wantDead(UnknownSubscriber, 1)
}

// Lists show on which node an instance is.
func TestNodeOfAnInstanceIsShown(t *testing.T) {
	c := newCluster(t, 2)
	a, b := c.nodes[0], c.nodes[1]
	b.service("s")
	a.client("s")
	state := make(chan *ServiceState, 1)
	a.deps.Registry.Lookup("s").DescribeService(func(s *ServiceState) { state <- s })
	instances := (<-state).Instances
	if len(instances) != 1 || instances[0].Peer.Remote.String() != "node b" || instances[0].Peer.Inside() {
		t.Errorf("instances %+v", instances)
	}
	topic := make(chan *TopicState, 1)
	b.deps.Registry.Lookup("s").DescribeTopic(func(s *TopicState) { topic <- s })
	if got := (<-topic).Nodes; got != 1 {
		t.Errorf("%d nodes watch, want 1", got)
	}
}
