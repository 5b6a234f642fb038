package actors

import (
	"errors"
	"fmt"

	"strowger/actors/envelope"
	"strowger/actors/filter"
	"strowger/actors/runtime"
)

// Remote is another node as the actors see it, from the moment when both have agreed to talk until one of them is gone
// or has missed something. One goroutine calls its methods.
type Remote struct {
	deps     *Deps
	router   RouterRef
	node     Node
	place    place
	offers   map[offerKey]*offer
	watched  map[string]struct{}
	visitors map[string]*asked // by subscriber id
	helper   *Peer             // who has spoken last without being an instance
	window   runtime.Window    // for what the node says
	budget   int               // of window
}

// offerKey names an instance among those of a node.
type offerKey struct{ name, id string }

// offer is an instance that a node offers.
type offer struct {
	Offered
	peer  *Peer
	wills map[string][]byte // what is said when it is lost
}

// place is the address of the peers of a node.
type place string

// String returns how logs and lists show the node.
func (p place) String() string { return "node " + string(p) }

// defaultNodeBytes is how much of what a node says may be under way, in bytes.
const defaultNodeBytes = 16 << 20

// What may be wrong with what a node tells.
var (
	errNoName     = errors.New("a service or instance has no name")
	errLongName   = fmt.Errorf("a name or id is longer than %d bytes", longestName)
	errNotOffered = errors.New("the node does not offer the instance")
)

// longestName bounds the names and ids that a node tells, in bytes.
const longestName = 4 << 10

// NewRemote returns a node of which nothing is known yet.
func (d *Deps) NewRemote(router RouterRef, node Node) *Remote {
	return &Remote{
		deps: d, router: router, node: node, place: place(node.Name()),
		offers: make(map[offerKey]*offer), watched: make(map[string]struct{}), visitors: make(map[string]*asked),
	}
}

// sound checks names and ids that must be there.
func sound(names ...string) error {
	for _, name := range names {
		switch {
		case name == "":
			return errNoName
		case len(name) > longestName:
			return errLongName
		}
	}
	return nil
}

// Offered makes an instance of the node one that requests find, or changes it. It returns when that is so, because
// what the instance says may come next. An error says why the instance cannot be; others are not concerned.
func (r *Remote) Offered(o Offered) error {
	if err := sound(o.Name, o.ID); err != nil {
		return err
	}
	key := offerKey{o.Name, o.ID}
	known := r.offers[key]
	if known != nil && !known.sameAs(&o) {
		r.withdraw(known, false)
		delete(r.offers, key)
		known = nil
	}
	if known == nil {
		peer, err := r.instance(&o)
		if err != nil {
			return err
		}
		known = &offer{peer: peer}
		r.offers[key] = known
	}
	known.Offered = o
	runtime.Await(func(done func()) { r.router.Send(&Offer{Peer: known.peer, Done: done, leaving: o.Leaving}) })
	return nil
}

// sameAs reports whether an instance has not changed, unless it is leaving now.
func (o *offer) sameAs(n *Offered) bool {
	return o.Class == n.Class && o.KnownClass == n.KnownClass && o.Inside == n.Inside && o.Everywhere == n.Everywhere &&
		(n.Leaving || !o.Leaving)
}

// instance returns the peer that an instance of the node is.
func (r *Remote) instance(o *Offered) (*Peer, error) {
	p := r.peer(o.ID, Identity{Role: Service, Name: o.Name, Class: o.Class, KnownClass: o.KnownClass})
	p.inside, p.everywhere = o.Inside, o.Inside && o.Everywhere
	if o.Policy == nil {
		return p, nil
	}
	own, err := filter.Compile(*o.Policy)
	if err != nil {
		return nil, fmt.Errorf("policy of service %q: %w", o.Name, err)
	}
	p.Policy = own
	return p, nil
}

// peer returns somebody on the node.
func (r *Remote) peer(id string, who Identity) *Peer {
	who.ID, who.resourceID = id, envelope.QuoteString(id)
	return &Peer{Identity: who, Remote: r.place, node: r.node}
}

// Withdrawn undoes Offered. The node has handed back what the instance has left open, so what is still open never reached
// it.
func (r *Remote) Withdrawn(name, id string) {
	key := offerKey{name, id}
	if o := r.offers[key]; o != nil {
		r.withdraw(o, true)
		delete(r.offers, key)
	}
}

// withdraw ends an offer. Unseen says that what is open never reached the instance.
func (r *Remote) withdraw(o *offer, unseen bool) {
	o.peer.gone.Store(true)
	r.carryOut(o)
	r.router.Send(&withdraw{Peer: o.peer, unseen: unseen})
}

// Watched has the node sent what services of this node say under a name. It returns when that is so.
func (r *Remote) Watched(name string) {
	if sound(name) != nil {
		return
	}
	r.watched[name] = struct{}{}
	runtime.Await(func(done func()) { r.router.Send(&watch{name: name, node: r.node, done: done}) })
}

// Unwatched undoes Watched.
func (r *Remote) Unwatched(name string) {
	if _, watches := r.watched[name]; watches {
		delete(r.watched, name)
		r.router.Send(&unwatch{name: name, node: r.node})
	}
}

// Gone withdraws all that the node offers, answers what was asked there as if the instances had died, and has the node's
// askers leave. Nothing follows.
func (r *Remote) Gone() {
	for _, o := range r.offers {
		o.peer.gone.Store(true)
	}
	for _, o := range r.offers {
		r.withdraw(o, false)
	}
	for name := range r.watched {
		r.router.Send(&unwatch{name: name, node: r.node})
	}
	r.deps.Counters.Visitors.Add(-int64(len(r.visitors)))
	for _, v := range r.visitors {
		r.deps.askers.remove(v)
		for _, name := range v.names.All() {
			r.left(name, v.peer.ID)
		}
	}
	for route := range r.deps.Registry.All() {
		route.Service.Send(&nodeGone{node: r.node})
	}
	clear(r.offers)
	clear(r.watched)
	clear(r.visitors)
}

// Unsettled returns how many bytes of what services of the node have said are not yet with the connections. Any
// goroutine may call it.
func (r *Remote) Unsettled() int64 { return r.window.Used() }

// left tells a service that an asker has left.
func (r *Remote) left(service, asker string) {
	if route := r.deps.Registry.Lookup(service); route != nil {
		route.Service.Send(&askerGone{id: asker})
	}
}
