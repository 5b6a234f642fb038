package actors

import (
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/runtime"
)

// Messages the router takes.
type (
	// subscribe makes a subscriber a member of a topic. The topic calls Done, if there is one, when it is.
	subscribe struct {
		unmissed
		Name    string
		Peer    *Peer
		Done    func()
		arrival *arrival // nil: the peer has not asked for positions
		kept    *keeper  // see join
	}
	// unsubscribe ends a membership.
	unsubscribe struct {
		unmissed
		Name string
		Peer *Peer
	}
	// Offer makes a connection an instance of the service its token names. The service calls Done, if there is
	// one, when requests find it.
	Offer struct {
		Peer    *Peer
		Done    func()
		leaving bool // it takes no requests
	}
	// withdraw ends an offer.
	withdraw struct {
		unmissed
		Peer   *Peer
		unseen bool // see instanceDown
	}
	// Fence has Done called, by any actor, once all that services had said before has been given to
	// the sockets, or at once if the router has stopped.
	Fence struct{ Done func() }
	// watch has a node sent what services of this node say under a name.
	watch struct {
		name string
		node Node
		done func() // called when that is so, or it never will be
	}
	// unwatch undoes watch.
	unwatch struct {
		unmissed
		name string
		node Node
	}
	// heard says that all nodes have heard that a name has members here.
	heard struct {
		unmissed
		of *hearing
	}
)

func (*subscribe) toRouter()   {}
func (*unsubscribe) toRouter() {}
func (*Offer) toRouter()       {}
func (*withdraw) toRouter()    {}
func (*Fence) toRouter()       {}
func (*watch) toRouter()       {}
func (*unwatch) toRouter()     {}
func (*heard) toRouter()       {}

// lost lets nobody wait for an instance of another node.
func (m *Offer) lost(*Deps, runtime.Loss) {
	if m.Peer.node != nil && m.Done != nil {
		m.Done()
	}
}

func (m *watch) lost(*Deps, runtime.Loss) { m.done() }

// lost lets nobody wait for a router that has stopped.
func (m *Fence) lost(*Deps, runtime.Loss) { m.Done() }

// router owns all names: it alone writes the registry, spawns a topic and a service for a name
// that is offered or watched, and stops them when nobody does any more. It is on no message's way.
// On restart: its table is kept; it says no more than the registry does.
type router struct {
	deps  *Deps
	self  RouterRef
	names map[string]*named
}

// named is a name in use: its topic and service live as long as somebody watches or offers it.
type named struct {
	route     *Route
	members   map[*Peer]struct{}
	offers    map[*Peer]struct{}
	nodes     map[Node]struct{} // that watch it; nil: there have been none
	hearing   *hearing          // nil: there are no other nodes, or no members
	questions int               // put to the topic whether it keeps anything
}

// NewRouter returns how to spawn the router. What it keeps lasts as long as these props.
func NewRouter(d *Deps) *actor.Props {
	// The table outlives a restart: losing it would lose every subscription.
	r := &router{deps: d, names: make(map[string]*named)}
	return d.Props("router", func() actor.Actor { return r })
}

// SpawnRouter starts a router that no supervisor restarts.
func SpawnRouter(d *Deps) RouterRef {
	r := &router{deps: d, names: make(map[string]*named)}
	return runtime.Spawn[toRouter](d.Runtime, "router", func() actor.Actor { return r })
}

// WatchedRouter returns the way to the router that a supervisor has spawned and g watches.
func WatchedRouter(pid *actor.PID, g *runtime.Gauge) RouterRef {
	return runtime.Watched[toRouter](pid, g)
}

// Receive handles one message.
func (r *router) Receive(ctx actor.Context) {
	if _, starts := ctx.Message().(*actor.Started); !starts {
		r.self = runtime.Self[toRouter](ctx)
	}
	switch m := ctx.Message().(type) {
	case *subscribe:
		r.subscribe(ctx, m)
	case *unsubscribe:
		r.unsubscribe(m)
	case *Offer:
		r.offer(m)
	case *withdraw:
		r.withdraw(m)
	case *Fence:
		r.fence(m)
	case *watch:
		r.watch(m)
	case *unwatch:
		r.unwatch(m)
	case *heard:
		m.of.end()
	case *rests:
		r.rested(m.to)
	case *forget:
		r.forget(m)
	case *emptied:
		r.emptied(m.route)
	case *actor.Stopping:
		r.stop()
	default:
		r.deps.Unknown(ctx)
	}
}

func (r *router) subscribe(ctx actor.Context, m *subscribe) {
	n := r.named(m.Name)
	if _, again := n.members[m.Peer]; again {
		if m.Done != nil {
			m.Done()
		}
		return
	}
	n.members[m.Peer] = struct{}{}
	done := m.Done
	if r.deps.Cluster != nil {
		done = r.hears(ctx, n, done)
	}
	n.route.Topic.Send(&join{peer: m.Peer, done: done, arrival: m.arrival, kept: m.kept})
}

func (r *router) unsubscribe(m *unsubscribe) {
	n := r.names[m.Name]
	if n == nil {
		return
	}
	// Who leaves twice must not take another's place out of the topic's count, nor end a name that
	// came back meanwhile.
	if _, member := n.members[m.Peer]; !member {
		return
	}
	delete(n.members, m.Peer)
	n.route.Topic.Send(&leave{peer: m.Peer})
	r.tidy(n)
}

func (r *router) offer(m *Offer) {
	n := r.named(m.Peer.Name)
	if len(n.offers) == 0 {
		r.deps.Registry.offered.Add(1)
	}
	n.offers[m.Peer] = struct{}{}
	n.route.Service.Send(&instanceUp{peer: m.Peer, done: m.Done, leaving: m.leaving})
	if len(n.nodes) > 0 {
		m.Peer.joined()
	}
}

func (r *router) withdraw(m *withdraw) {
	n := r.names[m.Peer.Name]
	if n == nil {
		return
	}
	if _, offers := n.offers[m.Peer]; offers && len(n.offers) == 1 {
		r.deps.Registry.offered.Add(-1)
	}
	delete(n.offers, m.Peer)
	n.route.Service.Send(&instanceDown{peer: m.Peer, unseen: m.unseen})
	r.tidy(n)
}

// named returns what is known of a name, and starts its topic and service the first time. Both
// are running before anyone can look them up.
func (r *router) named(name string) *named {
	if n := r.names[name]; n != nil {
		return n
	}
	progress := new(progress)
	topic := spawnTopic(r.deps, name, progress)
	service := spawnService(r.deps, name, topic, progress)
	n := &named{route: &Route{Name: name, Service: service, Topic: topic, progress: progress}, members: make(map[*Peer]struct{}), offers: make(map[*Peer]struct{})}
	r.names[name] = n
	r.deps.Registry.publish(n.route)
	return n
}

func (r *router) end(n *named) {
	r.deps.Registry.withdraw(n.route)
	delete(r.names, n.route.Name)
	// The service stops behind what waits for it, and its topic after it.
	n.route.Service.Send(&endService{})
}

// passing goes the way of what a service says, behind all of it.
type passing struct {
	left atomic.Int64 // names
	done func()
}

func (*passing) toService() {}
func (*passing) toTopic()   {}

// lost passes: a name that has ended has nothing more to say.
func (p *passing) lost(*Deps, runtime.Loss) { p.passed() }

func (p *passing) passed() {
	if p.left.Add(-1) == 0 {
		p.done()
	}
}

func (r *router) fence(m *Fence) {
	p := &passing{done: m.Done}
	p.left.Store(int64(len(r.names)) + 1)
	for _, n := range r.names {
		n.route.Service.Send(p)
	}
	p.passed()
}

func (r *router) stop() {
	for _, n := range r.names {
		r.end(n)
	}
}
