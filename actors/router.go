package actors

import (
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// Messages the router takes.
type (
	// Subscribe makes a subscriber a member of a topic; the topic answers From with *Joined.
	Subscribe struct {
		Name string
		Peer *Peer
		From *actor.PID
	}
	// Unsubscribe ends a membership.
	Unsubscribe struct {
		Name string
		Peer *Peer
	}
	// Offer makes a connection an instance of the service its token names; the service answers
	// From with *Joined.
	Offer struct {
		Peer *Peer
		From *actor.PID
	}
	// Withdraw ends an offer.
	Withdraw struct{ Peer *Peer }
	// Fence has Done called, by any actor, once all that services had said before has been given to
	// the sockets.
	Fence struct{ Done func() }
)

// Router owns all names: it alone writes the registry, spawns a topic and a service for a name
// that is offered or watched, and stops them when nobody does any more. It is on no message's way.
// On restart: its table is kept; it says no more than the registry does.
type Router struct {
	deps  *Deps
	names map[string]*named
}

// named is a name in use: its topic and service live as long as somebody watches or offers it.
type named struct {
	route   *Route
	members map[*Peer]struct{}
	offers  map[*Peer]struct{}
}

// NewRouter returns how to spawn the router. What it keeps lasts as long as these props.
func NewRouter(d *Deps) *actor.Props {
	// The table outlives a restart: losing it would lose every subscription.
	r := &Router{deps: d, names: make(map[string]*named)}
	return Props(d, "router", func() actor.Actor { return r })
}

// Receive handles one message.
func (r *Router) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *Subscribe:
		r.subscribe(ctx, m)
	case *Unsubscribe:
		r.unsubscribe(ctx, m)
	case *Offer:
		r.offer(ctx, m)
	case *Withdraw:
		r.withdraw(ctx, m)
	case *Fence:
		r.fence(ctx, m)
	case *actor.Stopping:
		r.stop(ctx)
	default:
		r.deps.unknown(ctx)
	}
}

func (r *Router) subscribe(ctx actor.Context, m *Subscribe) {
	n := r.named(m.Name)
	if _, again := n.members[m.Peer]; again {
		if m.From != nil {
			ctx.Send(m.From, &Joined{})
		}
		return
	}
	n.members[m.Peer] = struct{}{}
	ctx.Send(n.route.Topic, &join{peer: m.Peer, from: m.From})
}

func (r *Router) unsubscribe(ctx actor.Context, m *Unsubscribe) {
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
	ctx.Send(n.route.Topic, &leave{peer: m.Peer})
	r.tidy(ctx, n)
}

func (r *Router) offer(ctx actor.Context, m *Offer) {
	n := r.named(m.Peer.Name)
	n.offers[m.Peer] = struct{}{}
	ctx.Send(n.route.Service, &instanceUp{peer: m.Peer, from: m.From})
}

func (r *Router) withdraw(ctx actor.Context, m *Withdraw) {
	n := r.names[m.Peer.Name]
	if n == nil {
		return
	}
	delete(n.offers, m.Peer)
	ctx.Send(n.route.Service, &instanceDown{peer: m.Peer})
	r.tidy(ctx, n)
}

// named returns what is known of a name, and starts its topic and service the first time. Both
// are running before anyone can look them up.
func (r *Router) named(name string) *named {
	if n := r.names[name]; n != nil {
		return n
	}
	passed := new(atomic.Int64)
	topic := r.deps.spawn(newTopic(r.deps, passed), "topic")
	service := r.deps.spawn(newService(r.deps, name, topic, passed), "service")
	n := &named{route: &Route{Name: name, Service: service, Topic: topic}, members: make(map[*Peer]struct{}), offers: make(map[*Peer]struct{})}
	r.names[name] = n
	r.deps.Registry.publish(n.route)
	return n
}

// tidy ends a name that nobody offers or watches.
func (r *Router) tidy(ctx actor.Context, n *named) {
	if len(n.members) > 0 || len(n.offers) > 0 {
		return
	}
	r.end(ctx, n)
}

func (r *Router) end(ctx actor.Context, n *named) {
	r.deps.Registry.withdraw(n.route.Name)
	delete(r.names, n.route.Name)
	// The service stops behind what waits for it, and its topic after it.
	ctx.Send(n.route.Service, &endService{})
}

// passing goes the way of what a service says, behind all of it.
type passing struct {
	left atomic.Int64 // names
	done func()
}

func (p *passing) passed() {
	if p.left.Add(-1) == 0 {
		p.done()
	}
}

func (r *Router) fence(ctx actor.Context, m *Fence) {
	p := &passing{done: m.Done}
	p.left.Store(int64(len(r.names)) + 1)
	for _, n := range r.names {
		ctx.Send(n.route.Service, p)
	}
	p.passed()
}

func (r *Router) stop(ctx actor.Context) {
	for _, n := range r.names {
		r.end(ctx, n)
	}
}
