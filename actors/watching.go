package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/runtime"
)

// hearing is the news that a name has members here, on its way to other nodes.
type hearing struct {
	over    bool     // all have heard it, or it holds no more
	waiting []func() // called then
}

// wait has f called when all have heard the news.
func (h *hearing) wait(f func()) {
	if h.over {
		f()
		return
	}
	h.waiting = append(h.waiting, f)
}

func (h *hearing) end() {
	h.over = true
	for _, f := range h.waiting {
		f()
	}
	h.waiting = nil
}

// hears tells the other nodes of a name's first member. It returns what calls done when it has been called and the
// nodes have heard: until then they send nothing, and a member has not joined.
func (r *router) hears(ctx actor.Context, n *named, done func()) func() {
	if n.hearing == nil {
		h := new(hearing)
		n.hearing = h
		self := runtime.Self[toRouter](ctx)
		r.deps.Cluster.Watched(n.route.Name, func() { self.Send(&heard{of: h}) })
	}
	if done == nil {
		return nil
	}
	one := Countdown(2, done)
	n.hearing.wait(one)
	return one
}

// unheard tells the other nodes that the last member of a name has left.
func (r *router) unheard(n *named) {
	if n.hearing == nil || len(n.members) > 0 {
		return
	}
	n.hearing.end()
	n.hearing = nil
	r.deps.Cluster.Unwatched(n.route.Name)
	n.route.Topic.Send(&deafened{})
}

// watch has a name known as long as another node watches it, as it is when a member does.
func (r *router) watch(m *watch) {
	n := r.named(m.name)
	if n.nodes == nil {
		n.nodes = make(map[Node]struct{})
	}
	n.nodes[m.node] = struct{}{}
	n.route.Topic.Send(m)
	n.route.Service.Send(&nodeJoined{})
}

func (r *router) unwatch(m *unwatch) {
	n := r.names[m.name]
	if n == nil {
		return
	}
	if _, watches := n.nodes[m.node]; !watches {
		return
	}
	delete(n.nodes, m.node)
	n.route.Topic.Send(m)
	r.tidy(n)
}
