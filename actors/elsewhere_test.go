package actors

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/envelope"
	"strowger/actors/filter"
	"strowger/actors/runtime"
	"strowger/config/policy"
)

// partService is a service in the process of a node that knows a part of what is asked.
type partService struct {
	*localService
	t    *testing.T
	node *node
	peer *Peer
	join chan struct{}
}

// Joined implements Joiner.
func (p *partService) Joined() { p.join <- struct{}{} }

// part offers an instance of s that knows a part of what is asked, with a policy, which may be nil.
func (n *node) part(t *testing.T, own *policy.Policy) *partService {
	t.Helper()
	p := &partService{localService: &localService{asked: make(chan *Request, 64), gone: make(chan string, 64)}, t: t, node: n, join: make(chan struct{}, 64)}
	var filtered *filter.Filter
	if own != nil {
		var err error
		if filtered, err = filter.Compile(*own); err != nil {
			t.Fatal(err)
		}
	}
	p.peer = NewLocal("s", filtered, p)
	p.peer.Share(own, true)
	n.router.Send(&Offer{Peer: p.peer})
	t.Cleanup(func() { n.router.Send(&withdraw{Peer: p.peer}) })
	return p
}

// says has the instance answer a request.
func (p *partService) says(r *Request, payload string) {
	p.node.deps.Speak(p.peer, answerTo(r, payload), new(runtime.Window), 1)
}

// gets returns the next request, which must be of that kind.
func (p *partService) gets(kind PartKind) *Request {
	p.t.Helper()
	r := p.localService.next(p.t)
	r.Release()
	if r.Part != kind {
		p.t.Fatalf("node %s got a request of kind %d, want %d", p.node.name, r.Part, kind)
	}
	return r
}

// idle fails if the instance has got a request.
func (p *partService) idle() {
	p.t.Helper()
	if len(p.asked) > 0 {
		p.t.Errorf("node %s got a request too", p.node.name)
	}
}

// received returns what comes through a channel.
func received[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("waited too long for %s", what)
		panic("unreachable")
	}
}

func parts(t *testing.T, c *cluster, at ...int) []*partService {
	t.Helper()
	var list []*partService
	for _, n := range at {
		list = append(list, c.nodes[n].part(t, nil))
		c.settle("s")
	}
	return list
}

// firstAsked returns the one of two services that was asked first, and the other one.
func firstAsked(a, b *partService) (first, other *partService) {
	if len(a.asked) == 0 {
		return b, a
	}
	return a, b
}

func status(r *Request, code string) *envelope.Envelope {
	e := answerTo(r, `"`+code+`"`)
	e.StatusCode = envelope.Raw(code)
	return e
}

// A request goes to the instance on the asker's node alone, whatever routing.instances says.
func TestPartOfOwnNodeIsAskedFirst(t *testing.T) {
	c := newCluster(t, 3)
	list := parts(t, c, 1, 0, 2)
	for _, instances := range []Instances{All, Balanced, Failover} {
		c.change(func(s *Settings) { s.Instances = instances })
		p := c.nodes[0].client()
		p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
		r := list[1].gets(WholeRequest)
		if !r.InCluster() || r.Alone() {
			t.Error("the request says that there are no other instances")
		}
		list[1].says(r, "1")
		p.gets(` s/x #"1" 1`)
		c.settle("s")
		list[0].idle()
		list[2].idle()
	}
}

// What an instance passes goes to all others at once. The first real answer reaches the asker, and nothing else does.
func TestPass(t *testing.T) {
	c := newCluster(t, 3)
	list := parts(t, c, 0, 1, 2)
	p := c.nodes[0].client()
	for turn, answering := range []int{1, 2} {
		p.writef(`{"service":"s","topic":"x","request_id":"%d"}`, turn)
		r := list[0].gets(WholeRequest)
		r.Pass(status(r, "404"))
		for _, i := range []int{1, 2} {
			r := list[i].gets(WholeRequest)
			if i == answering {
				list[i].says(r, fmt.Sprint(i))
			} else {
				r.Pass(status(r, "410"))
			}
		}
		p.gets(fmt.Sprintf(` s/x #"%d" %d`, turn, answering))
		c.settle("s")
		if n := pendingOf(c.nodes[0], "s"); n != 0 {
			t.Errorf("%d requests are pending", n)
		}
	}
	p.silent()
}

// If all pass, the asker gets what the first one would have answered, without its ids.
func TestAllPass(t *testing.T) {
	c := newCluster(t, 3)
	list := parts(t, c, 0, 1, 2)
	p := c.nodes[0].client()
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	r := list[0].gets(WholeRequest)
	r.Pass(status(r, "404"))
	for _, i := range []int{1, 2} {
		r := list[i].gets(WholeRequest)
		r.Pass(status(r, "410"))
	}
	reply := p.next()
	if got, want := line(reply), `404 s/x #"1" "404"`; got != want || string(reply.ResourceID) != `""` {
		t.Errorf("got %s for %s, want %s", got, reply.ResourceID, want)
	}
	c.settle("s")
	p.silent()
	for _, n := range c.nodes {
		if left := pendingOf(n, "s"); left != 0 {
			t.Errorf("%d requests are pending at node %s", left, n.name)
		}
	}
}

// On one node, and where no other node has the service, the asker gets the answer that follows a Pass.
func TestPassAlone(t *testing.T) {
	c := newCluster(t, 2)
	list := parts(t, c, 0)
	p := c.nodes[0].client()
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	r := list[0].gets(WholeRequest)
	if !r.Alone() {
		t.Error("the request does not say that there are no other instances")
	}
	r.Pass(status(r, "404"))
	p.gets(`404 s/x #"1" "404"`)
}

// A node without an instance has those of others asked, one first and then the rest, and keeps the order of what they say.
func TestPartsForNodeWithoutOne(t *testing.T) {
	c := newCluster(t, 3)
	list := parts(t, c, 1, 2)
	p := c.nodes[0].client()
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	c.settle("s")
	first, other := firstAsked(list[0], list[1])
	r := first.gets(WholeRequest)
	r.Pass(status(r, "404"))
	got := other.gets(WholeRequest)
	if string(got.Envelope.ResourceID) == "" || got.From.Domain() != "a.example" {
		t.Errorf("from %+v", got.From.Identity)
	}
	other.says(got, "2")
	p.gets(` s/x #"1" 2`)

	p.writef(`{"service":"s","topic":"x","request_id":"2"}`)
	c.settle("s")
	first, other = firstAsked(first, other)
	r = first.gets(WholeRequest)
	first.says(r, "1")
	r.Share()
	got = other.gets(SharedPart)
	other.says(got, "2")
	other.says(got, "3")
	got.Pass(nil)
	p.gets(` s/x #"2" 1`, ` s/x #"2" 2`, ` s/x #"2" 3`)
	c.settle("s")
	p.silent()
}

// Parts follow the answer that they add to, also one that says nothing.
func TestShare(t *testing.T) {
	c := newCluster(t, 2)
	list := parts(t, c, 0, 1)
	p := c.nodes[0].client()
	for _, silent := range []bool{false, true} {
		p.writef(`{"service":"s","topic":"x","request_id":"%t"}`, silent)
		r := list[0].gets(WholeRequest)
		if !silent {
			list[0].says(r, "1")
		}
		r.Share()
		part := list[1].gets(SharedPart)
		list[1].says(part, "2")
		list[1].says(part, "3")
		if !silent {
			p.gets(fmt.Sprintf(` s/x #"%t" 1`, silent))
		}
		p.gets(fmt.Sprintf(` s/x #"%t" 2`, silent), fmt.Sprintf(` s/x #"%t" 3`, silent))
		c.settle("s")
		if n := pendingOf(c.nodes[0], "s"); n != 0 {
			t.Errorf("%d requests are pending", n)
		}
	}
}

// What is gathered goes to the instance and not to the asker.
func TestGather(t *testing.T) {
	c := newCluster(t, 3)
	list := parts(t, c, 0, 1, 2)
	p := c.nodes[0].client()
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	r := list[0].gets(WholeRequest)
	taken := make(chan []Answer, 1)
	r.Gather(time.Second, func(a []Answer) { taken <- a })
	one, other := list[1].gets(GatheredPart), list[2].gets(GatheredPart)
	list[1].says(one, "2")
	other.Pass(nil)
	answers := received(t, "parts", taken)
	if len(answers) != 1 || answers[0].Node != "b" || string(answers[0].Envelope.Payload) != "2" {
		t.Errorf("gathered %+v", answers)
	}
	list[1].says(one, "3") // which nobody waits for
	list[0].says(r, "1")
	p.gets(` s/x #"1" 1`)
	c.settle("s")
	p.silent()
}

// A gathering ends when its time is over, or when the nodes that have not answered are gone.
func TestGatherWithoutAll(t *testing.T) {
	c := newCluster(t, 3)
	list := parts(t, c, 0, 1, 2)
	p := c.nodes[0].client()
	ask := func(id string) (*Request, chan []Answer) {
		p.writef(`{"service":"s","topic":"x","request_id":%q}`, id)
		r := list[0].gets(WholeRequest)
		taken := make(chan []Answer, 1)
		r.Gather(time.Second, func(a []Answer) { taken <- a })
		return list[1].gets(GatheredPart), taken
	}
	part, taken := ask("1")
	list[2].gets(GatheredPart)
	list[1].says(part, "2")
	c.settle("s")
	if len(taken) > 0 {
		t.Fatal("the parts were taken before all were there")
	}
	c.nodes[0].clock.Advance(time.Second)
	if got := received(t, "parts", taken); len(got) != 1 {
		t.Errorf("gathered %+v, want the part that came", got)
	}
	part, taken = ask("2")
	list[1].says(part, "2")
	list[2].gets(GatheredPart)
	c.settle("s")
	c.part(c.nodes[0], c.nodes[2])
	if got := received(t, "parts", taken); len(got) != 1 {
		t.Errorf("gathered %+v, want the part that came", got)
	}
}

// The end of a service ends its gatherings: the asker gets what has come, and no timer stays set.
func TestGatherUntilTheEnd(t *testing.T) {
	c := newCluster(t, 3)
	list := parts(t, c, 0, 1, 2)
	c.nodes[0].client().writef(`{"service":"s","topic":"x","request_id":"1"}`)
	r := list[0].gets(WholeRequest)
	taken := make(chan []Answer, 1)
	r.Gather(time.Second, func(a []Answer) { taken <- a })
	part := list[1].gets(GatheredPart)
	list[2].gets(GatheredPart)
	list[1].says(part, "2")
	c.settle("s")
	c.nodes[0].deps.System.Root.Poison(c.nodes[0].router.PID())
	if got := received(t, "parts", taken); len(got) != 1 {
		t.Errorf("gathered %+v, want the part that came", got)
	}
	c.nodes[0].clock.AwaitTimers(t, 0)
}

// An instance that gathers is known to other nodes by an id of its own until it has the parts, also for a visitor.
func TestGatherForVisitor(t *testing.T) {
	c := newCluster(t, 3)
	list := parts(t, c, 1, 2)
	p := c.nodes[0].client()
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	c.settle("s")
	first, other := firstAsked(list[0], list[1])
	r := first.gets(WholeRequest)
	taken := make(chan []Answer, 1)
	r.Gather(time.Second, func(a []Answer) { taken <- a })
	part := other.gets(GatheredPart)
	if part.From.ID == r.From.ID {
		t.Error("the other node knows the visitor by the id that it has on its own node")
	}
	if string(part.Envelope.Permissions) != string(r.Envelope.Permissions) || string(part.Envelope.DomainName) != string(r.Envelope.DomainName) {
		t.Errorf("the part is of %s in %s, want the asker's", part.Envelope.Permissions, part.Envelope.DomainName)
	}
	other.says(part, "2")
	if got := received(t, "parts", taken); len(got) != 1 {
		t.Errorf("gathered %+v", got)
	}
	if got := received(t, "farewell", other.gone); got != part.From.ID {
		t.Errorf("%s has left, want %s", got, part.From.ID)
	}
	first.says(r, "1")
	p.gets(` s/x #"1" 1`)
}

// A node that is lost while it has what another one has passed does not answer, so the asker gets the first answer. One that
// has no room passes too.
func TestPassToNodeThatIsLost(t *testing.T) {
	c := newCluster(t, 2)
	list := parts(t, c, 0, 1)
	p := c.nodes[0].client()
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	r := list[0].gets(WholeRequest)
	r.Pass(status(r, "404"))
	list[1].gets(WholeRequest)
	c.part(c.nodes[0], c.nodes[1])
	p.gets(`404 s/x #"1" "404"`)

	c.join(c.nodes[0], c.nodes[1])
	c.settle("s")
	l := c.nodes[0].link(c.nodes[1])
	l.mu.Lock()
	l.full = true
	l.mu.Unlock()
	p.writef(`{"service":"s","topic":"x","request_id":"2"}`)
	r = list[0].gets(WholeRequest)
	r.Pass(status(r, "404"))
	p.gets(`404 s/x #"2" "404"`)
}

// A request that an instance has not looked at goes to one other, which answers as if it were the first.
func TestRefusedPart(t *testing.T) {
	c := newCluster(t, 3)
	list := parts(t, c, 0, 1, 2)
	p := c.nodes[0].client()
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	r := list[0].gets(WholeRequest)
	r.Refuse(status(r, "503"))
	c.settle("s")
	if n := len(list[1].asked) + len(list[2].asked); n != 1 {
		t.Fatalf("%d other instances got the request, want 1", n)
	}
	first, other := firstAsked(list[1], list[2])
	r = first.gets(WholeRequest)
	r.Refuse(status(r, "503"))
	r = other.gets(WholeRequest)
	r.Refuse(status(r, "503"))
	p.gets(`503 s/x #"1" "503"`)
	c.settle("s")
	for _, l := range list {
		l.idle()
	}
}

// The policy of the asker's node decides what the last resort shows.
func TestLastResortIsFiltered(t *testing.T) {
	c := newCluster(t, 2)
	own := &policy.Policy{Scopes: []policy.Scope{{To: policy.Domain, Keys: []string{"domain"}}}}
	c.change(func(s *Settings) { s.Policies = NewPolicies(nil, nil, filter.Deny()) })
	list := []*partService{c.nodes[0].part(t, own), c.nodes[1].part(t, own)}
	c.settle("s")
	p := c.nodes[0].client()
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	r := list[0].gets(WholeRequest)
	r.Pass(answerTo(r, `{"domain":"other.example"}`))
	r = list[1].gets(WholeRequest)
	r.Pass(nil)
	if got := p.next(); string(got.Payload) != "null" && len(got.Payload) > 0 {
		t.Errorf("the asker got %s", line(got))
	}
}

// pendingOf returns how many requests a node's service knows.
func pendingOf(n *node, name string) (count int) {
	n.look(n.deps.Registry.Lookup(name).Service.PID(), func(a actor.Actor) { count = a.(*service).pending.ages.length })
	return count
}

// Wills are said to the subscribers of a node that loses another one, once, and not if they were taken back.
func TestWill(t *testing.T) {
	c := newCluster(t, 3)
	list := parts(t, c, 0, 1)
	a, b := c.nodes[0], c.nodes[1]
	member := a.client("s")
	c.settle("s")
	received(t, "news of the node", list[1].join)
	say := func(payload string) *envelope.Envelope {
		return &envelope.Envelope{ServiceName: envelope.Raw(`"s"`), Topic: envelope.Raw(`"gone"`), Payload: envelope.Raw(payload)}
	}
	b.deps.Will(list[1].peer, "k", say("1"))
	b.deps.Will(list[1].peer, "k", say("2"))
	b.deps.Will(list[1].peer, "l", say("3"))
	b.deps.Will(list[1].peer, "l", nil)
	c.settle("s")
	member.silent()
	c.part(a, b)
	member.gets(` s/gone #"" 2`)
	c.settle("s")
	member.silent()

	c.join(a, b)
	c.settle("s")
	received(t, "news of the node", list[1].join)
	b.deps.Will(list[1].peer, "k", say("4"))
	c.settle("s")
	b.router.Send(&withdraw{Peer: list[1].peer})
	member.gets(` s/gone #"" 4`)
}

// A node that begins to watch anew has no wills of before.
func TestWillsBeginAnew(t *testing.T) {
	c := newCluster(t, 2)
	list := parts(t, c, 1)
	a, b := c.nodes[0], c.nodes[1]
	first := a.client("s")
	c.settle("s")
	b.deps.Will(list[0].peer, "k", &envelope.Envelope{ServiceName: envelope.Raw(`"s"`), Topic: envelope.Raw(`"gone"`)})
	c.settle("s")
	a.gone(first)
	c.settle("s")
	member := a.client("s")
	c.settle("s")
	c.part(a, b)
	c.settle("s")
	member.silent()
}

// A service that comes when other nodes watch its name already learns that.
func TestJoinedBefore(t *testing.T) {
	c := newCluster(t, 2)
	c.nodes[0].client("s")
	c.settle("s")
	list := parts(t, c, 1)
	received(t, "news of the node", list[0].join)
}

// SpeakHere reaches the subscribers of the node alone.
func TestSpeakHere(t *testing.T) {
	c := newCluster(t, 2)
	list := parts(t, c, 0)
	here, there := c.nodes[0].client("s"), c.nodes[1].client("s")
	c.settle("s")
	e := &envelope.Envelope{ServiceName: envelope.Raw(`"s"`), Topic: envelope.Raw(`"x"`), Payload: envelope.Raw(`1`)}
	c.nodes[0].deps.SpeakHere(list[0].peer, e, new(runtime.Window), 1)
	here.gets(` s/x #"" 1`)
	c.settle("s")
	there.silent()
}

// Parcels that no node of ours sends are refused.
func TestMalformedParts(t *testing.T) {
	c := newCluster(t, 2)
	list := parts(t, c, 1)
	b := c.nodes[1]
	c.settle("s")
	done := make(chan []error, 1)
	l := b.link(c.nodes[0])
	id := list[0].peer.ID
	l.post(func(r *Remote) {
		text := []byte(`{"service_name":"s"}`)
		var errs []error
		for _, p := range []*Parcel{
			{Kind: AskParcel, Service: "s", Subscriber: "x", Part: partKinds, Text: text},
			{Kind: ShareParcel, Service: "s", Instance: "nobody", Subscriber: "x", Text: text},
			{Kind: ShareParcel, Service: "s", Instance: id, Subscriber: "x", Text: []byte(`{`)},
			{Kind: WillParcel, Service: "s", Instance: "nobody", Key: "k", Text: text},
			{Kind: WillParcel, Service: "s", Instance: id, Key: string(make([]byte, longestName+1)), Text: text},
		} {
			errs = append(errs, r.Receive(p))
		}
		done <- errs
	})
	if errs := received(t, "errors", done); slices.Contains(errs, nil) || len(errs) != 5 {
		t.Errorf("errors %q", errs)
	}
}

// An instance of another node has so many wills and no more. One that is there may be replaced and taken back.
func TestWillsAreBounded(t *testing.T) {
	c := newCluster(t, 2)
	c.change(func(s *Settings) { s.NodeWills = 2 })
	list := parts(t, c, 1)
	done := make(chan []error, 1)
	c.nodes[1].link(c.nodes[0]).post(func(r *Remote) {
		var errs []error
		will := func(key, text string) {
			errs = append(errs, r.Receive(&Parcel{Kind: WillParcel, Service: "s", Instance: list[0].peer.ID, Key: key, Text: []byte(text)}))
		}
		will("1", "{}")
		will("2", "{}")
		will("3", "{}")
		will("2", "{}")
		will("1", "")
		will("3", "{}")
		done <- errs
	})
	for i, err := range received(t, "errors", done) {
		if (err != nil) != (i == 2) {
			t.Errorf("will %d: %v", i+1, err)
		}
	}
	wills := &c.nodes[0].deps.Counters.Wills
	if n := wills.Load(); n != 2 {
		t.Errorf("%d wills are counted, want 2", n)
	}
	c.part(c.nodes[0], c.nodes[1])
	if n := wills.Load(); n != 0 {
		t.Errorf("%d wills are counted after the node has gone, want 0", n)
	}
}
