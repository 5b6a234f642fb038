package actors

import (
	"encoding/json"
	"errors"
	"slices"

	"strowger/actors/refusals"
)

// A node tells each node that watches the service which people are connected to it, and is told by them. It tells everything
// to a node that begins to watch, and then what has changed, once in an interval. Numbers of connections are told as a
// whole, so that it does no harm to tell one twice. What is lost ends the link, and then everything is told anew.

type (
	// presenceNews is Parcel.Text of a PresenceParcel.
	presenceNews struct {
		All    bool         `json:"all,omitempty"`    // what the node has told before does not count
		Answer bool         `json:"answer,omitempty"` // the node wants to be told everything
		People []personNews `json:"people,omitempty"`
	}
	personNews struct {
		Domain      string `json:"domain,omitempty"`
		DomainUUID  string `json:"domain_uuid,omitempty"`
		User        string `json:"user,omitempty"`
		UserUUID    string `json:"user_uuid,omitempty"`
		Extensions  string `json:"extensions,omitempty"`
		Other       string `json:"other,omitempty"`
		Connections int    `json:"connections"`
	}
	// presentThere tells a topic who is connected to another node.
	presentThere struct {
		unmissed
		node Node
		news *presenceNews
	}
	// deafened tells a topic that the other nodes tell it nothing any more, because the name has no members here.
	deafened struct{ unmissed }
)

func (*presentThere) toTopic() {}
func (*deafened) toTopic()     {}

const (
	// parcelPeople is how many bytes of people a parcel may have before another one is begun.
	parcelPeople = 16 << 10
	// mostConnections is how many connections of a person a node may tell of.
	mostConnections = 1 << 24
)

var (
	errPresence    = errors.New("the people who watch cannot be read")
	errConnections = errors.New("a person has a number of connections that cannot be")
)

// tellNodes tells the other nodes whose connections have changed, and those that are new everything.
func (p *presence) tellNodes(changed []*record) {
	t := p.topic
	if len(t.nodes) == 0 {
		return
	}
	var all, some []*Parcel
	for _, n := range t.nodes {
		parcels := &some
		list, whole := changed, false
		if _, whole = p.newcomers[n]; whole {
			parcels, list = &all, nil
		}
		if *parcels == nil {
			if whole {
				list = p.placed()
			}
			*parcels = p.parcels(list, whole)
		}
		for _, parcel := range *parcels {
			n.Send(parcel) // what is lost ends the link
		}
	}
	clear(p.newcomers)
	p.asking = false
}

// tellNodesNothing has the other nodes forget the people of this one, of whom they hear nothing any more.
func (p *presence) tellNodesNothing() {
	p.asking = false
	for _, n := range p.topic.nodes {
		for _, parcel := range p.parcels(nil, true) {
			n.Send(parcel)
		}
	}
}

// placed returns all who are connected to this node.
func (p *presence) placed() []*record {
	var here []*record
	for _, r := range p.people {
		if r.here > 0 {
			here = append(here, r)
		}
	}
	return here
}

// parcels packs what is told. If it is everything, there is one parcel at least.
func (p *presence) parcels(list []*record, all bool) []*Parcel {
	var parcels []*Parcel
	news, size := &presenceNews{All: all, Answer: all && p.asking}, 0
	pack := func() {
		text, _ := json.Marshal(news) // it has texts and numbers only
		parcels = append(parcels, &Parcel{Kind: PresenceParcel, Service: p.topic.name, Text: text})
		news, size = new(presenceNews), 0
	}
	for _, r := range list {
		if size > parcelPeople {
			pack()
		}
		news.People = append(news.People, personNews{Domain: r.domain, DomainUUID: r.domainUUID, User: r.user, UserUUID: r.userUUID,
			Extensions: r.extensions, Other: r.other, Connections: r.here})
		size += r.person.size()
	}
	if all && parcels == nil || len(news.People) > 0 {
		pack()
	}
	return parcels
}

// present takes what a node tells of the people that are connected to it.
func (r *Remote) present(p *Parcel) error {
	news := new(presenceNews)
	if err := json.Unmarshal(p.Text, news); err != nil {
		return errPresence
	}
	for i := range news.People {
		who := news.People[i].person()
		switch {
		case news.People[i].Connections < 0 || news.People[i].Connections > mostConnections:
			return errConnections
		case who.size() > longestPerson:
			return errPresence
		}
	}
	if route := r.deps.Registry.Lookup(p.Service); route != nil {
		route.Topic.Send(&presentThere{node: r.node, news: news})
	}
	return nil
}

func (n *personNews) person() person {
	return person{domain: n.Domain, domainUUID: n.DomainUUID, user: n.User, userUUID: n.UserUUID, extensions: n.Extensions, other: n.Other}
}

// deafened forgets the people of other nodes, which would never be told to have gone.
func (t *topic) deafened() {
	t.deaf = true
	if t.presence == nil {
		return
	}
	for _, n := range t.nodes {
		t.presence.forget(n)
	}
}

// presentThere notes who is connected to another node.
func (t *topic) presentThere(m *presentThere) {
	p := t.presence
	if p == nil || t.deaf || !slices.Contains(t.nodes, m.node) {
		return
	}
	if m.news.All {
		p.forget(m.node)
	}
	if m.news.Answer {
		p.meet(m.node)
	}
	for i := range m.news.People {
		p.there(m.node, m.news.People[i].person(), m.news.People[i].Connections)
	}
}

// there notes how many connections of a person another node has.
func (p *presence) there(n Node, who person, connections int) {
	r := p.people[who]
	known := r != nil && r.there[n] > 0
	switch {
	case connections == 0 && !known:
		return
	case connections == 0:
		p.notThere(n, r)
		return
	case !known:
		if most := p.topic.deps.presencePeople(); p.away[n] >= most {
			p.topic.deps.refusals.Add(refusals.Event{Cause: refusals.PresencePeople, Kind: p.topic.name,
				More: []any{"node", n.Name(), "service", refusals.Clip(p.topic.name), "limit", most}})
			return
		}
		p.away[n]++
		r = p.record(who)
		if r.there == nil {
			r.there = make(map[Node]int)
		}
	}
	r.there[n] = connections
	p.change(r)
}

func (p *presence) notThere(n Node, r *record) {
	delete(r.there, n)
	if p.away[n]--; p.away[n] == 0 {
		delete(p.away, n)
	}
	p.change(r)
}

// forget takes the people of a node away.
func (p *presence) forget(n Node) {
	for _, r := range p.people {
		if r.there[n] > 0 {
			p.notThere(n, r)
		}
	}
}

// meet has a node told everything.
func (p *presence) meet(n Node) {
	p.newcomers[n] = struct{}{}
	p.change(nil)
}

// part forgets a node that does not watch any more.
func (p *presence) part(n Node) {
	delete(p.newcomers, n)
	p.forget(n)
}
