package actors

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"strowger/actors/envelope"
)

// What may be wrong with a parcel.
var (
	errOtherName   = errors.New("the envelope names another service than the parcel")
	errNumber      = errors.New("a number is larger than a float64 can hold")
	errRequestID   = errors.New("a request id is not JSON, or a broadcast has one")
	errIdentity    = errors.New("the identity is not of the shape that a node gives it")
	errPart        = errors.New("an unknown part of a request")
	errNotVisiting = errors.New("the asker is no client of the node")
)

// Receive takes a parcel of the node, and keeps its parts. The error says what is wrong with it; such a parcel is
// dropped. Receive waits while too much of what the node has said is under way.
func (r *Remote) Receive(p *Parcel) error {
	if err := sound(p.Service); err != nil {
		return err
	}
	switch p.Kind {
	case AskParcel:
		return r.asked(p)
	case ReplyParcel, BroadcastParcel:
		return r.said(p)
	case HandBackParcel:
		return r.handedBack(p)
	case GoneParcel:
		r.gone(p)
		return nil
	case ShareParcel:
		return r.shared(p)
	case WillParcel:
		return r.will(p)
	case PresenceParcel:
		return r.present(p)
	}
	return fmt.Errorf("unknown kind of parcel: %d", p.Kind)
}

// decode reads the envelope of a parcel into m.
func (r *Remote) decode(p *Parcel, m *envelope.Message) error {
	if err := m.Decode(p.Text, r.deps.settings().Depth, 0); err != nil {
		return fmt.Errorf("envelope: %w", err)
	}
	name, _ := envelope.Name(m.ServiceName)
	switch {
	case name != p.Service:
		return errOtherName
	case m.Overflow:
		return errNumber
	}
	return nil
}

// asked takes a request of a visitor.
func (r *Remote) asked(p *Parcel) error {
	m := &visit{service: p.Service, size: len(p.Text), instances: p.Instances, left: p.Left, part: p.Part}
	if p.Part >= partKinds {
		return errPart
	}
	if err := r.decode(p, &m.message); err != nil {
		return err
	}
	if !stamped(&m.message.Envelope) {
		return errIdentity
	}
	if err := sound(p.Subscriber); err != nil {
		return err
	}
	visitor, err := r.visitor(p, &m.message.Envelope)
	if err != nil {
		m.from = r.peer(p.Subscriber, Identity{})
		if errors.Is(err, errNotVisiting) {
			r.deps.Bury(m)
			return err
		}
		for _, id := range m.instances {
			r.deps.handBack(&Parcel{Instance: id, Busy: true}, m)
		}
		return err
	}
	m.from = visitor.peer
	route := r.deps.Registry.Lookup(p.Service)
	if route == nil {
		r.deps.Bury(m)
		return nil
	}
	visitor.names.Add(route.Name, r.deps.Registry.has)
	route.Service.Send(m)
	return nil
}

// stamped reports whether a request has what nodes write about the asker, or lacks it.
func stamped(e *envelope.Envelope) bool {
	text := func(raw envelope.Raw) bool { return len(raw) == 0 || raw[0] == '"' }
	list := func(raw envelope.Raw) bool { return len(raw) == 0 || raw[0] == '{' || raw[0] == '[' }
	return text(e.DomainName) && text(e.DomainUUID) && list(e.Permissions)
}

// defaultNodeVisitors is how many clients of another node services of this one may know.
const defaultNodeVisitors = 1 << 18

// visitor returns who asks. The error is errNotVisiting if the id is that of a client of this node or of another one, and
// else that the node has too many.
func (r *Remote) visitor(p *Parcel, e *envelope.Envelope) (*asked, error) {
	if v := r.visitors[p.Subscriber]; v != nil {
		return v, nil
	}
	if r.deps.askers.has(p.Subscriber) {
		return nil, errNotVisiting
	}
	if most := cmp.Or(r.deps.settings().NodeVisitors, defaultNodeVisitors); len(r.visitors) >= most {
		r.deps.Counters.TooManyVisits.Add(1)
		return nil, fmt.Errorf("%d clients of the node have asked services of this one, and one more is too many (cluster.visitors)", most)
	}
	domain, _ := envelope.Text(e.DomainName)
	uuid, _ := envelope.Text(e.DomainUUID)
	v := r.deps.askers.add(r.peer(p.Subscriber, Identity{
		Role: Client, UserUUID: p.User.UUID, UserName: p.User.Name, Extensions: p.User.Extensions,
		tenant: r.deps.tenantOf(domain, uuid), grants: r.deps.grantsOf(permissionsOf(e)),
	}))
	r.visitors[p.Subscriber] = v
	r.deps.Counters.Visitors.Add(1)
	return v, nil
}

// permissionsOf returns the permissions with which a request is stamped.
func permissionsOf(e *envelope.Envelope) []string {
	var held map[string]json.RawMessage
	_ = json.Unmarshal(e.Permissions, &held) // an empty list holds none
	return slices.Sorted(maps.Keys(held))
}

// heardFrom is what a node says, with room for its envelope.
type heardFrom struct {
	say
	message envelope.Message
}

// said takes a broadcast or a reply.
func (r *Remote) said(p *Parcel) error {
	m := new(heardFrom)
	if err := r.decode(p, &m.message); err != nil {
		return err
	}
	from, helper, err := r.speaker(p)
	if err != nil {
		return err
	}
	e := &m.message.Envelope
	switch {
	case p.Kind == BroadcastParcel && !envelope.IsEmpty(e.RequestID):
		return errRequestID
	case p.Kind == ReplyParcel:
		if err := sound(p.Subscriber); err != nil {
			return err
		}
		// Not what the service wrote: its node has found out whom it meant.
		e.ResourceID = envelope.QuoteString(p.Subscriber)
	}
	m.say = say{envelope: e, from: from, helper: helper, reply: p.Kind == ReplyParcel, open: p.Open && p.Kind == BroadcastParcel}
	r.pass(m, len(p.Text))
	return nil
}

// pass sends what the node said on, when there is room for it.
func (r *Remote) pass(m *heardFrom, size int) {
	if budget := cmp.Or(r.deps.settings().NodeBytes, defaultNodeBytes); budget != r.budget {
		r.budget = budget
		r.window.SetBudget(int64(budget))
	}
	cost := int64(size)
	r.window.Acquire(cost)
	m.Begin(&r.window, cost)
	last := m.from.route.Load()
	route := r.deps.Registry.Again(last, m.from.Name)
	if route == nil {
		r.deps.Bury(&m.say)
		return
	}
	if route != last {
		m.from.route.Store(route)
	}
	route.Service.Send(&m.say)
}

// speaker returns who has said something: an instance of the node, or a helper there.
func (r *Remote) speaker(p *Parcel) (from *Peer, helper bool, err error) {
	if o := r.offers[offerKey{p.Service, p.Instance}]; o != nil {
		return o.peer, false, nil
	}
	if err := sound(p.Instance); err != nil {
		return nil, false, err
	}
	if h := r.helper; h != nil && h.ID == p.Instance && h.Name == p.Service && h.Class == p.Class && h.KnownClass == p.KnownClass {
		return h, true, nil
	}
	r.helper = r.peer(p.Instance, Identity{Role: Service, Name: p.Service, Class: p.Class, KnownClass: p.KnownClass})
	return r.helper, true, nil
}

// handedBack takes a request that an instance of the node does not answer.
func (r *Remote) handedBack(p *Parcel) error {
	if len(p.RequestID) > 0 && !json.Valid(p.RequestID) {
		return errRequestID
	}
	o := r.offers[offerKey{p.Service, p.Instance}]
	if o == nil {
		return nil // it has been withdrawn, and that has settled what it was asked
	}
	m := &handedBack{by: o.peer, subscriber: p.Subscriber, busy: p.Busy, passed: p.Passed, unseen: p.Unseen}
	if !envelope.IsEmpty(p.RequestID) {
		m.key = envelope.KeyOf(p.RequestID)
	}
	if len(p.Text) > 0 {
		var text envelope.Message
		if err := r.decode(p, &text); err != nil {
			return err
		}
		m.reply = &text.Envelope
		m.status = envelope.Unavailable
		if string(text.StatusCode) == "500" {
			m.status = envelope.InternalError
		}
	}
	if route := r.deps.Registry.Lookup(p.Service); route != nil {
		route.Service.Send(m)
	}
	return nil
}

// shared asks others for what they can add to the answer of an instance of the node.
func (r *Remote) shared(p *Parcel) error {
	o := r.offers[offerKey{p.Service, p.Instance}]
	if o == nil || !o.peer.everywhere {
		return errNotOffered
	}
	m := new(envelope.Message)
	if err := r.decode(p, m); err != nil {
		return err
	}
	route := r.deps.Registry.Lookup(p.Service)
	from := r.deps.askers.find(p.Subscriber, p.Service)
	if route == nil || from == nil || from.node != nil {
		return nil // the asker has left
	}
	route.Service.Send(&shared{by: o.peer, from: from, envelope: &m.Envelope})
	return nil
}

// gone takes the news that a visitor has left a service, and forgets it if it has left all.
func (r *Remote) gone(p *Parcel) {
	v := r.visitors[p.Subscriber]
	if v == nil {
		return
	}
	if v.names.Remove(p.Service) == 0 {
		r.deps.askers.remove(v)
		delete(r.visitors, p.Subscriber)
		r.deps.Counters.Visitors.Add(-1)
	}
	r.left(p.Service, p.Subscriber)
}
