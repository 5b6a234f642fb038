package actors

import (
	"iter"
	"strconv"

	"strowger/actors/runtime"
)

// TopicState is what an operator sees of a topic.
type TopicState struct {
	Members    int
	Classes    int // groups of members that see the same
	Speakers   int
	Broadcasts int64 // since the name is in use
	Nodes      int   // other nodes that watch it
}

// ServiceState is what an operator sees of a service's name.
type ServiceState struct {
	Instances []InstanceState
	Open      int   // requests without a reply
	Requests  int64 // handed to an instance, since the name is in use
	Failures  int64 // replies with a status from 400 on
}

// InstanceState is one instance of a service.
type InstanceState struct {
	Peer    *Peer
	Open    int  // requests handed to it that have no reply
	Leaving bool // it takes no more requests
	Ejected bool // it left requests unanswered and gets no more
	Passive bool // a service in this process has its name
}

type (
	describeTopic   struct{ done func(*TopicState) }
	describeService struct{ done func(*ServiceState) }
)

func (*describeTopic) toTopic()     {}
func (*describeService) toService() {}

// lost says that the topic has ended.
func (m *describeTopic) lost(*Deps, runtime.Loss) { m.done(nil) }

// lost says that the service has ended.
func (m *describeService) lost(*Deps, runtime.Loss) { m.done(nil) }

// All returns the routes of all names that are offered or watched, in no order.
func (r *Registry) All() iter.Seq[*Route] {
	return func(yield func(*Route) bool) {
		r.routes.Range(func(_, v any) bool { return yield(v.(*Route)) })
	}
}

// DescribeTopic has done called once, by another goroutine, with the state of the topic; nil if it has ended. It must
// not block.
func (r *Route) DescribeTopic(done func(*TopicState)) { r.Topic.Send(&describeTopic{done}) }

// DescribeService has done called once, by another goroutine, with the state of the service; nil if it has ended. It
// must not block.
func (r *Route) DescribeService(done func(*ServiceState)) { r.Service.Send(&describeService{done}) }

func (t *topic) describe(m *describeTopic) {
	state := &TopicState{Members: len(t.members), Speakers: len(t.speakers), Broadcasts: t.casts, Nodes: len(t.nodes)}
	for _, v := range t.views {
		state.Classes += len(v.audiences)
	}
	m.done(state)
}

func (s *service) describe(m *describeService) {
	state := &ServiceState{Requests: s.asked, Failures: s.failures}
	for _, a := range s.pending.askers {
		state.Open += a.open
	}
	for _, i := range s.instances {
		state.Instances = append(state.Instances, InstanceState{Peer: i.peer, Open: i.open, Leaving: i.leaving, Ejected: i.ejected, Passive: s.passive(i.peer)})
	}
	m.done(state)
}

// Inside reports whether the peer is a service in this process.
func (p *Peer) Inside() bool { return p.local != nil }

// Rights returns a text that two peers share only if they have the same domain, permissions and extensions.
func (p *Identity) Rights() string {
	text := strconv.Quote(p.Domain())
	if p.grants != nil {
		text += " " + string(p.grants.wire)
	}
	for _, extension := range p.Extensions {
		text += " " + strconv.Quote(extension)
	}
	return text
}

// Permissions returns how many permissions the peer has.
func (p *Identity) Permissions() int {
	if p.grants == nil {
		return 0
	}
	return len(p.grants.names)
}
