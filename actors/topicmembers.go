package actors

import "strowger/actors/filter"

func (t *topic) join(m *join) {
	if t.deps.settings().Policies.tell() {
		t.refresh()
	}
	if _, again := t.members[m.peer]; !again {
		t.members[m.peer] = struct{}{}
		t.deaf = false
		if t.presence != nil {
			t.presence.join(m.peer)
		}
		for _, v := range t.views {
			v.add(m.peer, t.deps)
		}
	}
	if m.arrival != nil {
		t.arrive(m.peer, m.arrival, m.kept)
	}
	m.kept.open(m.peer.Outlet)
	if m.done != nil {
		m.done()
	}
}

func (t *topic) leave(p *Peer) {
	if _, member := t.members[p]; !member {
		return
	}
	delete(t.members, p)
	for _, v := range t.views {
		v.remove(p)
	}
	if t.presence != nil {
		t.presence.leave(p)
	}
}

// speak readies the view that the instance's messages go through before it says anything.
func (t *topic) speak(p *Peer) {
	if _, again := t.speakers[p]; again {
		return
	}
	t.refresh()
	t.hear(p)
	t.tidy()
	t.preside()
}

// hush keeps the view: a service that comes back most often speaks through the same.
func (t *topic) hush(m *hush) {
	p := m.peer
	if v := t.speakers[p]; v != nil {
		v.speakers--
		delete(t.speakers, p)
		t.preside()
		if p.node != nil && !m.whole {
			// Its node is lost, and with it what was under way. Nobody can tell how much that was.
			t.forget()
			if !t.speaks(p.node) {
				t.missed()
			}
		}
	}
	t.deps.withdrawn(p)
}

// refresh sorts the members anew if the policies were changed since the last time. It comes before
// every broadcast, so that none goes by a policy that is out of date.
func (t *topic) refresh() {
	policies := t.deps.settings().Policies
	if t.policies == policies {
		return
	}
	t.policies = policies
	for p, v := range t.speakers {
		v.speakers--
		t.hear(p)
	}
	t.forgo()
	t.tidy()
	t.preside()
}

func (t *topic) hear(p *Peer) {
	t.deps.warnOfNone(p)
	v := t.view(t.deps.policy(p))
	v.speakers++
	t.speakers[p] = v
	t.keep(v.filter)
}

// view returns the members as f sees them.
func (t *topic) view(f *filter.Filter) *view {
	v := t.views[f]
	if v == nil {
		v = &view{service: t.name, filter: f, audiences: make(map[filter.Class]*audience)}
		for p := range t.members {
			v.add(p, t.deps)
		}
		t.views[f] = v
	}
	return v
}

// tidy drops the views that nobody speaks through.
func (t *topic) tidy() {
	for f, v := range t.views {
		if v.speakers > 0 {
			continue
		}
		for p := range t.members {
			v.remove(p)
		}
		delete(t.views, f)
	}
}
