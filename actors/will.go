package actors

import (
	"cmp"
	"fmt"

	"strowger/actors/envelope"
	"strowger/actors/runtime"
)

// Joiner is a Local that wants to know when a node begins to watch it. Joined may be called from any goroutine and does
// not block.
type Joiner interface{ Joined() }

// Messages about what other nodes do in the place of this one.
type (
	// will is what other nodes say in an instance's name when they lose it.
	will struct {
		unmissed
		from *Peer
		key  string
		text []byte // nil: it takes the will back
	}
	// nodeJoined says that another node watches the service.
	nodeJoined struct{ unmissed }
)

func (*will) toService()       {}
func (*will) toTopic()         {}
func (*nodeJoined) toService() {}

// SpeakHere is Speak of a broadcast for the subscribers on this node.
func (d *Deps) SpeakHere(from *Peer, e *envelope.Envelope, w *runtime.Window, cost int64) {
	d.speak(&say{envelope: e, from: from, here: true}, w, cost)
}

// Will has other nodes broadcast e when they lose from, which runs in this process. A will takes the place of the one
// with the same key, and a nil e takes it back.
func (d *Deps) Will(from *Peer, key string, e *envelope.Envelope) {
	if d.Cluster == nil {
		return
	}
	m := &will{from: from, key: key}
	if e != nil {
		m.text = textOf(e)
	}
	if route := d.Registry.Again(from.route.Load(), from.Name); route != nil {
		route.Service.Send(m)
	}
}

// joined tells the service in this process.
func (s *service) joined() {
	for _, i := range s.instances {
		i.peer.joined()
	}
}

func (p *Peer) joined() {
	if p.local == nil {
		return
	}
	if j, ok := p.local.Local.(Joiner); ok {
		j.Joined()
	}
}

// will sends a will to each node that watches the service.
func (t *topic) will(m *will) {
	t.wills = true
	p := &Parcel{Kind: WillParcel, Service: m.from.Name, Instance: m.from.ID, Key: m.key, Text: m.text}
	for _, n := range t.nodes {
		if !n.Send(p) {
			t.deps.Counters.Dead(NodeGone)
		}
	}
}

// clearWills has a node forget what it was told before. The services make their wills anew when they learn that it has
// joined.
func (t *topic) clearWills(n Node) {
	if !t.wills {
		return
	}
	for p := range t.speakers {
		if p.local != nil {
			n.Send(&Parcel{Kind: WillParcel, Service: p.Name, Instance: p.ID})
		}
	}
}

// defaultNodeWills is how many wills one instance of another node may have.
const defaultNodeWills = 1 << 17

// will keeps a will of an instance of the node, or all of them go if it has no key.
func (r *Remote) will(p *Parcel) error {
	o := r.offers[offerKey{p.Service, p.Instance}]
	switch {
	case o == nil:
		return errNotOffered
	case p.Key == "":
		r.forget(o)
		return nil
	case len(p.Key) > longestName:
		return errLongName
	case len(p.Text) == 0:
		before := len(o.wills)
		delete(o.wills, p.Key)
		r.deps.Counters.Wills.Add(int64(len(o.wills) - before))
		return nil
	}
	most := cmp.Or(r.deps.settings().NodeWills, defaultNodeWills)
	_, known := o.wills[p.Key]
	if !known && len(o.wills) >= most {
		return fmt.Errorf("an instance of %s has more than %d wills (cluster.wills)", p.Service, most)
	}
	if o.wills == nil {
		o.wills = map[string][]byte{}
	}
	if !known {
		r.deps.Counters.Wills.Add(1)
	}
	o.wills[p.Key] = p.Text
	return nil
}

// forget drops the wills of an instance.
func (r *Remote) forget(o *offer) {
	r.deps.Counters.Wills.Add(-int64(len(o.wills)))
	o.wills = nil
}

// carryOut says what an instance that is lost wanted to be said.
func (r *Remote) carryOut(o *offer) {
	for _, text := range o.wills {
		p := &Parcel{Kind: BroadcastParcel, Service: o.Name, Instance: o.ID, Text: text}
		if err := r.said(p); err != nil {
			r.deps.Counters.Dead(NotSendable)
		}
	}
	r.forget(o)
}
