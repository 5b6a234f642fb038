package actors

import (
	"bytes"
	"slices"
	"sync"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/runtime"
)

// cluster is some worlds that are each other's nodes.
type cluster struct {
	t     testing.TB
	nodes []*node
}

// node is one world, and what it has told the others. It implements Cluster.
type node struct {
	*world
	name  string
	links []*nodeLink // to the others

	mu      sync.Mutex // Protects following.
	offered map[offerKey]Offered
	watched map[string]bool
}

// nodeLink is the way from one node to another. It implements Node: what the one sends, a goroutine hands to the other's
// Remote.
type nodeLink struct {
	from, to *node
	back     *nodeLink

	mu      sync.Mutex // Protects following.
	more    *sync.Cond
	queue   []func(*Remote)
	parcels []*Parcel // sent so far
	full    bool      // nothing more is sent
	held    bool      // what is sent waits
	cut     bool      // the node is gone, as far as anybody can see
	over    bool      // the goroutine ends when the queue is empty
	ended   chan struct{}
}

// newCluster returns nodes that are called a, b and so on. Every name is settled by settle.
func newCluster(t testing.TB, size int, change ...func(*Deps)) *cluster {
	t.Helper()
	c := &cluster{t: t}
	for i := range size {
		n := &node{name: string(rune('a' + i)), offered: make(map[offerKey]Offered), watched: make(map[string]bool)}
		n.world = newWorld(t, append(change, func(d *Deps) { d.Cluster = n })...)
		c.nodes = append(c.nodes, n)
	}
	for i, n := range c.nodes {
		for _, o := range c.nodes[:i] {
			c.join(n, o)
		}
	}
	t.Cleanup(c.end)
	return c
}

func (c *cluster) change(f func(*Settings)) {
	for _, n := range c.nodes {
		n.change(f)
	}
}

// join links two nodes, which tell each other what they have.
func (c *cluster) join(a, b *node) {
	there, back := newLink(a, b), newLink(b, a)
	there.back, back.back = back, there
	for _, l := range []*nodeLink{there, back} {
		l.from.mu.Lock()
		for _, o := range l.from.offered {
			l.post(func(r *Remote) { l.must(r.Offered(o)) })
		}
		for name := range l.from.watched {
			l.post(func(r *Remote) { r.Watched(name) })
		}
		l.post((*Remote).Known)
		l.from.links = append(l.from.links, l)
		l.from.mu.Unlock()
		go l.run()
	}
}

// part ends the links between two nodes, and returns when both have forgotten each other.
func (c *cluster) part(a, b *node) {
	c.t.Helper()
	l := a.link(b)
	for _, one := range []*nodeLink{l, l.back} {
		one.from.mu.Lock()
		one.from.links = slices.DeleteFunc(one.from.links, func(o *nodeLink) bool { return o == one })
		one.from.mu.Unlock()
		one.mu.Lock()
		one.cut = true
		one.mu.Unlock()
		one.post((*Remote).Gone)
		one.end()
	}
	for _, one := range []*nodeLink{l, l.back} {
		await(c.t, "end of a link", one.ended)
	}
}

func (c *cluster) end() {
	for _, n := range c.nodes {
		for len(n.links) > 0 {
			c.part(n, n.links[0].to)
		}
	}
}

func (n *node) link(to *node) *nodeLink {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.links[slices.IndexFunc(n.links, func(l *nodeLink) bool { return l.to == to })]
}

// news tells all other nodes something.
func (n *node) news(done func(), f func(*Remote)) {
	if done == nil {
		done = func() {}
	}
	one := Countdown(len(n.links), done)
	for _, l := range n.links {
		l.post(func(r *Remote) {
			f(r)
			one()
		})
	}
}

func (n *node) Offered(o Offered, done func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.offered[offerKey{o.Name, o.ID}] = o
	n.news(done, func(r *Remote) {
		if err := r.Offered(o); err != nil {
			n.t.Errorf("offer of %s: %v", o.Name, err)
		}
	})
}

func (n *node) Withdrawn(name, id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.offered, offerKey{name, id})
	n.news(nil, func(r *Remote) { r.Withdrawn(name, id) })
}

func (n *node) Watched(name string, done func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.watched[name] = true
	n.news(done, func(r *Remote) { r.Watched(name) })
}

func (n *node) Unwatched(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.watched, name)
	n.news(nil, func(r *Remote) { r.Unwatched(name) })
}

func newLink(from, to *node) *nodeLink {
	l := &nodeLink{from: from, to: to, ended: make(chan struct{})}
	l.more = sync.NewCond(&l.mu)
	return l
}

func (l *nodeLink) Name() string { return l.to.name }

func (l *nodeLink) Send(p *Parcel) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full || l.cut || l.over {
		return false
	}
	l.parcels = append(l.parcels, p)
	p.Lease.Retain()
	sent := *p
	sent.Text, sent.Lease = bytes.Clone(p.Text), nil
	l.queue = append(l.queue, func(r *Remote) {
		l.must(r.Receive(&sent))
		p.Lease.Release()
	})
	l.more.Signal()
	return true
}

func (l *nodeLink) must(err error) {
	if err != nil {
		l.from.t.Errorf("from node %s to node %s: %v", l.from.name, l.to.name, err)
	}
}

func (l *nodeLink) post(f func(*Remote)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = append(l.queue, f)
	l.more.Signal()
}

func (l *nodeLink) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	l.more.Signal()
}

// run is the one goroutine that calls the Remote which the sender is at the receiver.
func (l *nodeLink) run() {
	defer close(l.ended)
	r := l.to.deps.NewRemote(l.to.router, l.back)
	for {
		l.mu.Lock()
		for (len(l.queue) == 0 || l.held) && !l.over {
			l.more.Wait()
		}
		if len(l.queue) == 0 {
			l.mu.Unlock()
			return
		}
		f := l.queue[0]
		l.queue = l.queue[1:]
		l.mu.Unlock()
		f(r)
	}
}

// hold has what is sent wait, or go on.
func (l *nodeLink) hold(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = on
	l.more.Signal()
}

// fill has the link take no more parcels, or take them again.
func (l *nodeLink) fill(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.full = on
}

// sent returns the parcels of a kind that were sent so far.
func (l *nodeLink) sent(kind ParcelKind) (of []*Parcel) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.parcels {
		if p.Kind == kind {
			of = append(of, p)
		}
	}
	return of
}

// hops is how often a message may cross to another node until settle returns.
const hops = 6

// settle returns when all that is under way through the names has arrived.
func (c *cluster) settle(names ...string) {
	c.t.Helper()
	for range hops {
		for _, n := range c.nodes {
			for _, p := range n.peers {
				if _, alive := n.deps.System.ProcessRegistry.Get(p.pid); alive {
					n.world.settle(p.pid)
				}
			}
			n.world.settle(n.router.PID())
			for _, name := range names {
				if r := n.deps.Registry.Lookup(name); r != nil {
					passed := make(chan struct{})
					fence := &passing{done: func() { close(passed) }}
					fence.left.Store(1)
					r.Service.Send(fence)
					await(c.t, name, passed)
				}
			}
			n.world.settle(n.router.PID())
			for _, l := range n.links {
				passed := make(chan struct{})
				l.post(func(*Remote) { close(passed) })
				await(c.t, "link", passed)
			}
		}
	}
}

// A request crosses to the service's node, and the reply comes back without the ids of the asker, as on one node.
func TestRequestToAnotherNode(t *testing.T) {
	c := newCluster(t, 2)
	a, b := c.nodes[0], c.nodes[1]
	s := b.service("s")
	p := a.client()
	p.writef(`{"service":"s","topic":"x","request_id":7,"payload":{"n":1},"permissions":{"root":true},"domain_name":"b.example"}`)
	m := s.next()
	if got, want := line(m), ` s/x #7 {"n":1}`; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	for what, got := range map[string]string{`{"see":true}`: string(m.Permissions), `"a.example"`: string(m.DomainName), `"uuid-a"`: string(m.DomainUUID)} {
		if got != what {
			t.Errorf("the request has %s, want %s", got, what)
		}
	}
	s.writef(`{"service":"s","topic":"x","request_id":7,"resource_id":%s,"status_code":200,"payload":[1]}`, m.ResourceID)
	reply := p.next()
	if got, want := line(reply), `200 s/x #7 [1]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if string(reply.ResourceID) != `""` {
		t.Errorf("the reply tells the asker's id: %s", reply.ResourceID)
	}
}

// A service that runs inside another node gets the identity of the asker. It is told when the asker leaves.
func TestRequestToAServiceInsideAnotherNode(t *testing.T) {
	c := newCluster(t, 2)
	a, b := c.nodes[0], c.nodes[1]
	l, speaker := b.local("s")
	c.settle("s")
	p := a.bearer(&Credentials{Role: Client, UserUUID: "u-1", UserName: "alice", Extensions: []string{"100@a"}, DomainName: "a.example"})
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	r := l.next(t)
	if r.From.UserName != "alice" || r.From.UserUUID != "u-1" || !slices.Equal(r.From.Extensions, []string{"100@a"}) {
		t.Errorf("from %+v", r.From.Identity)
	}
	if want := b.clock.Now().Add(b.deps.settings().RequestTimeout); r.Deadline.After(want) {
		t.Errorf("deadline %s, want %s at most", r.Deadline, want)
	}
	window := new(runtime.Window)
	b.deps.Speak(speaker, answerTo(r, `1`), window, 1)
	r.Release()
	p.gets(` s/x #"1" 1`)
	a.gone(p)
	if got := <-l.gone; got != r.From.ID {
		t.Errorf("%s has left, want %s", got, r.From.ID)
	}
	returned(t, "service", window)
}

// A broadcast reaches the members on all nodes, filtered by the policy of each node, and crosses once to each node that
// has members.
func TestBroadcastToOtherNodes(t *testing.T) {
	c := newCluster(t, 3)
	a, b := c.nodes[0], c.nodes[1]
	s := b.service("s")
	var here, there []*peer
	for range 3 {
		here, there = append(here, b.client("s")), append(there, a.client("s"))
	}
	s.writef(`{"service":"s","topic":"news","payload":{"n":1}}`)
	for _, p := range append(here, there...) {
		p.gets(` s/news #"" {"n":1}`)
	}
	c.settle("s")
	if got := len(b.link(a).sent(BroadcastParcel)); got != 1 {
		t.Errorf("%d parcels to the node with members, want 1", got)
	}
	if got := len(b.link(c.nodes[2]).sent(BroadcastParcel)); got != 0 {
		t.Errorf("%d parcels to the node without members, want 0", got)
	}
	if got := len(a.link(b).sent(BroadcastParcel)); got != 0 {
		t.Errorf("%d parcels back, want 0", got)
	}
	for _, p := range there {
		a.gone(p)
	}
	c.settle("s")
	s.writef(`{"service":"s","topic":"news"}`)
	c.settle("s")
	if got := len(b.link(a).sent(BroadcastParcel)); got != 1 {
		t.Errorf("%d parcels after the last member has left, want 1", got)
	}
}

// Other nodes hear of an instance's end also if the topic fails at it.
func TestEndOfAnInstanceIsToldIfTheTopicFails(t *testing.T) {
	c := newCluster(t, 2)
	a, b := c.nodes[0], c.nodes[1]
	b.service("s")
	var instance *Peer
	b.world.look(b.deps.Registry.Lookup("s").Service.PID(), func(of actor.Actor) { instance = of.(*service).instances[0].peer })
	(&hush{peer: instance}).lost(b.deps, runtime.Panicked)
	c.settle("s")
	if a.deps.Registry.Lookup("s") != nil {
		t.Error("the other node still knows the instance")
	}
}

// When the node of a service is gone, what it was asked is answered, and its instances get nothing more.
func TestNodeIsGone(t *testing.T) {
	c := newCluster(t, 2)
	a, b := c.nodes[0], c.nodes[1]
	s, p, member := b.service("s"), a.client(), a.client("s")
	p.writef(`{"service":"s","topic":"x","request_id":"1"}`)
	id := s.asked(` s/x #"1" null`)
	p.writef(`{"service":"s","topic":"x","request_id":"never answered"}`)
	s.asked(` s/x #"never answered" null`)
	c.part(a, b)
	p.gets(`503 s/x #"1" null`, `503 s/x #"never answered" null`)
	s.reply("1", id, "200")
	s.writef(`{"service":"s","topic":"news"}`)
	c.settle("s")
	p.silent()
	member.silent()
	b.wantDead(UnknownSubscriber, 1)
	c.join(a, b)
	c.settle("s")
	p.writef(`{"service":"s","topic":"x","request_id":"2"}`)
	s.reply("2", s.asked(` s/x #"2" null`), "200")
	p.gets(`200 s/x #"2" 200`)
	s.writef(`{"service":"s","topic":"news"}`)
	member.gets(` s/news #"" null`)
}
