package actors

// A name ends when nobody offers or watches it. If a topic may keep broadcasts, the router first asks it, along the
// way of what the service says, so that the last broadcast counts. The name then stays until the topic says that
// nothing is kept any more.

// Messages of a name that may end.
type (
	// mayRest asks a topic whether it keeps broadcasts.
	mayRest struct {
		unmissed
		route  *Route
		router RouterRef
		number int // of the question; only the answer to the last one counts
	}
	// rests says that a topic keeps nothing.
	rests struct {
		unmissed
		to *mayRest
	}
	// emptied says that a topic does not keep anything any more. More may be on its way to the topic.
	emptied struct {
		unmissed
		route *Route
	}
	grownOld struct{ unmissed }
)

func (*mayRest) toService() {}
func (*mayRest) toTopic()   {}
func (*rests) toRouter()    {}
func (*emptied) toRouter()  {}
func (*grownOld) toTopic()  {}

// tidy ends a name that nobody offers or watches, and tells other nodes of one that has no members here.
func (r *router) tidy(n *named) {
	if len(n.members) > 0 {
		return
	}
	if r.deps.keeps.Load() || r.deps.settings().Policies.keep() {
		n.questions++
		n.route.Service.Send(&mayRest{route: n.route, router: r.self, number: n.questions})
		return
	}
	r.rest(n)
}

// rested goes on with tidy when the topic has answered.
func (r *router) rested(m *mayRest) {
	if n := r.names[m.route.Name]; n != nil && n.route == m.route && n.questions == m.number && len(n.members) == 0 {
		r.rest(n)
	}
}

// emptied asks a topic once more, because a broadcast may be on its way to it.
func (r *router) emptied(of *Route) {
	if n := r.names[of.Name]; n != nil && n.route == of {
		r.tidy(n)
	}
}

func (r *router) rest(n *named) {
	r.unheard(n)
	if len(n.offers) == 0 && len(n.nodes) == 0 {
		r.end(n)
	}
}

// mayRest answers at once if nothing is kept, and otherwise when nothing is kept any more.
func (t *topic) mayRest(m *mayRest) {
	if t.history != nil && len(t.history.kept) > 0 {
		t.asker = m
		return
	}
	m.router.Send(&rests{to: m})
}
