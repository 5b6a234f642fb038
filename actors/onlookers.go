package actors

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"strowger/actors/envelope"
	"strowger/actors/filter"
	"strowger/config/policy"
)

// Messages about who watches a service.
type (
	// presenceDue says that it is time to tell who has come and gone.
	presenceDue struct{ unmissed }
	// settingsChanged has a topic go by the new policies at once.
	settingsChanged struct{ unmissed }
)

func (*presenceDue) toTopic()     {}
func (*settingsChanged) toTopic() {}
func (*ask) toTopic()             {}

// presenceIDLength is how many hex digits the id of a person has.
const presenceIDLength = 16

var (
	// presenceKey is the last key of what the router says about who watches (protocol 17). No service can send it.
	presenceKey = envelope.Raw(`,"presence":true`)
	// presenceOver says that nothing is told any more.
	presenceOver = envelope.Raw(`{"present":null}`)
)

// onlookers are the clients of one class that asked to be told who watches.
type onlookers struct {
	what  filter.Onlooker
	group Group // of those who were told who is there
	size  int
	fresh map[*Peer]struct{} // the others
}

// asksPresence reports whether the peer has asked to be told who watches a service.
func (p *Peer) asksPresence(service string) bool {
	return p.wishes != nil && slices.Contains(p.wishes.presence, service)
}

// tells reports whether the policy tells a client anything.
func (p *presence) tells(m *Peer) bool {
	_, tells := p.filter.Onlooker(p.filter.Class(m.subject()))
	return tells
}

// look has a client told at the next time who is there, and then of all that changes.
func (p *presence) look(m *Peer) {
	class := p.filter.Class(m.subject())
	what, tells := p.filter.Onlooker(class)
	if !tells {
		return
	}
	a := p.onlookers[class]
	if a == nil {
		a = &onlookers{what: what, group: p.topic.deps.Egress.NewGroup(), fresh: make(map[*Peer]struct{})}
		p.onlookers[class] = a
	}
	a.fresh[m] = struct{}{}
	p.told[m] = false
	p.change(nil)
}

// lookAway undoes look.
func (p *presence) lookAway(m *Peer) {
	told, asked := p.told[m]
	if !asked {
		return
	}
	delete(p.told, m)
	class := p.filter.Class(m.subject())
	a := p.onlookers[class]
	delete(a.fresh, m)
	if told {
		a.group.Remove(m.Outlet)
		a.size--
	}
	if a.size == 0 && len(a.fresh) == 0 {
		delete(p.onlookers, class)
	}
}

// news is what is told at one time.
type news struct {
	joined, changed, left []*record
	here                  []*record // whose connections on this node are others than other nodes were told
}

// news returns what has changed, and notes that it is told.
func (p *presence) news() *news {
	n := new(news)
	changed := p.changed
	p.changed = nil
	slices.SortFunc(changed, byPerson)
	for _, r := range changed {
		r.at = 0
		before := r.told
		if r.here != r.sent {
			n.here = append(n.here, r)
		}
		r.told, r.sent = r.connections(), r.here
		switch {
		case r.told == before:
		case before == 0:
			n.joined = append(n.joined, r)
		case r.told == 0:
			n.left = append(n.left, r)
		default:
			n.changed = append(n.changed, r)
		}
		if r.here == 0 {
			p.vacate(r)
		}
		if r.told == 0 {
			p.drop(r)
		}
	}
	return n
}

// byPerson gives what is told an order.
func byPerson(a, b *record) int {
	return cmp.Or(cmp.Compare(a.domain, b.domain), cmp.Compare(a.user, b.user), cmp.Compare(a.id, b.id))
}

// tellPresence tells everybody what has changed since the last time.
func (t *topic) tellPresence() {
	p := t.presence
	if p == nil {
		return
	}
	if p.due != nil {
		p.due()
		p.due = nil
	}
	n := p.news()
	p.tellNodes(n.here)
	p.sorted = nil
	clear(p.lists)
	for class, a := range p.onlookers {
		if payload := a.delta(n); payload != nil && a.size > 0 {
			a.group.Send(p.message(payload), nil)
		}
		if len(a.fresh) > 0 {
			p.greet(class, a)
		}
	}
	p.seat()
	p.count()
}

// greet tells those who are new who is there.
func (p *presence) greet(class filter.Class, a *onlookers) {
	m := p.message(p.list(class, &a.what))
	for peer := range a.fresh {
		peer.Outlet.Send(m)
		if err := a.group.Add(peer.Outlet); err != nil {
			p.topic.deps.Log.Error("member is not told who watches", "subscriber", peer.ID, "err", err)
		}
		a.size++
		p.told[peer] = true
	}
	clear(a.fresh)
}

// mostLists is for how many classes the list is kept.
const mostLists = 64

// list returns what a class is told of all who are there. It is kept until something else is told, because anybody may ask
// for it as often as limits.message_rate allows. The caller does not change it.
func (p *presence) list(class filter.Class, what *filter.Onlooker) envelope.Raw {
	list := p.lists[class]
	if list == nil {
		list = appendPresent(nil, what, p.present())
		if len(p.lists) == mostLists {
			clear(p.lists)
		}
		p.lists[class] = list
	}
	return list
}

// present returns all who are there as far as it was told.
func (p *presence) present() []*record {
	if p.sorted != nil {
		return p.sorted
	}
	p.sorted = make([]*record, 0, len(p.people))
	for r := range maps.Values(p.people) {
		if r.told > 0 {
			p.sorted = append(p.sorted, r)
		}
	}
	slices.SortFunc(p.sorted, byPerson)
	return p.sorted
}

// message returns what is said about who watches.
func (p *presence) message(payload envelope.Raw) Message {
	return p.topic.deps.Egress.Encode(&envelope.Envelope{ServiceName: envelope.QuoteString(p.topic.name), Topic: envelope.QuoteString(filter.PresenceTopic), Payload: payload}, presenceKey)
}

// delta returns what a class is told of the news; nil if it is nothing.
func (a *onlookers) delta(n *news) envelope.Raw {
	var out envelope.Raw
	key := func(name string) {
		open := byte(',')
		if out == nil {
			open = '{'
		}
		out = append(append(append(append(out, open, '"'), name...), '"', ':'), '[')
	}
	for _, part := range []struct {
		name string
		of   []*record
	}{{"joined", n.joined}, {"changed", n.changed}, {"left", n.left}} {
		some := false
		for _, r := range part.of {
			if !a.what.Sees(&r.subject) {
				continue
			}
			if some {
				out = append(out, ',')
			} else {
				key(part.name)
				some = true
			}
			if part.name == "left" {
				out = append(append(append(out, '"'), r.id...), '"')
			} else {
				out = r.append(out, a.what.Fields())
			}
		}
		if some {
			out = append(out, ']')
		}
	}
	if out == nil {
		return nil
	}
	return append(out, '}')
}

// appendPresent appends a list of those that a class may know of.
func appendPresent(out envelope.Raw, what *filter.Onlooker, all []*record) envelope.Raw {
	out = append(out, `{"present":[`...)
	some := false
	for _, r := range all {
		if !what.Sees(&r.subject) {
			continue
		}
		if some {
			out = append(out, ',')
		}
		some = true
		out = r.append(out, what.Fields())
	}
	return append(out, "]}"...)
}

// append appends what is told of a person.
func (r *record) append(out envelope.Raw, fields []string) envelope.Raw {
	out = append(append(append(out, `{"id":"`...), r.id...), `","connections":`...)
	out = strconv.AppendInt(out, int64(r.told), 10)
	for _, field := range fields {
		out = append(append(append(out, `,"`...), field...), `":`...)
		out = r.appendField(out, field)
	}
	return append(out, '}')
}

func (r *record) appendField(out envelope.Raw, field string) envelope.Raw {
	switch field {
	case policy.UserName:
		return envelope.AppendString(out, r.user)
	case policy.UserUUID:
		return envelope.AppendString(out, r.userUUID)
	case policy.DomainName:
		return envelope.AppendString(out, r.domain)
	case policy.DomainUUID:
		return envelope.AppendString(out, r.domainUUID)
	}
	out = append(out, '[')
	for i, extension := range r.subject.Extensions {
		if i > 0 {
			out = append(out, ',')
		}
		out = envelope.AppendString(out, extension)
	}
	return append(out, ']')
}
