package actors

import (
	"sync"

	"strowger/actors/runtime"
)

// nodeGone says that a node knows nobody here any more.
type nodeGone struct {
	unmissed
	node Node
}

func (*nodeGone) toService() {}

// introduce notes that a node knows an asker from now on.
func (s *service) introduce(n Node, asker string) {
	if s.knows == nil {
		s.knows = make(map[Node]map[string]struct{})
	}
	if s.knows[n] == nil {
		s.knows[n] = make(map[string]struct{})
	}
	s.knows[n][asker] = struct{}{}
}

// farewell tells the nodes that know an asker that it has left.
func (s *service) farewell(asker string) {
	for n, known := range s.knows {
		if _, ok := known[asker]; ok {
			delete(known, asker)
			n.Send(&Parcel{Kind: GoneParcel, Service: s.name, Subscriber: asker})
		}
	}
}

// owed has the nodes to tell that an asker has left, by the asker's id. It has those that no service tells, because the
// service has ended. Its zero value is empty, and any goroutine may use it.
type owed struct{ byID sync.Map } // string -> *runtime.Set[debt]

// debt is a node that knows an asker of a service.
type debt struct {
	node    Node
	service string
}

func (d debt) pay(asker string) {
	d.node.Send(&Parcel{Kind: GoneParcel, Service: d.service, Subscriber: asker})
}

// owe leaves it to the connections of askers to tell of their end what the service, which ends, can tell no more.
func (s *service) owe() {
	for n, known := range s.knows {
		d := debt{n, s.name}
		for asker := range known {
			all, _ := s.deps.owed.byID.LoadOrStore(asker, new(runtime.Set[debt]))
			all.(*runtime.Set[debt]).Add(d, func(debt) bool { return true })
			if !s.deps.askers.has(asker) {
				// Its connection may have looked before.
				s.deps.owed.byID.Delete(asker)
				d.pay(asker)
			}
		}
	}
}

// pay tells those who have to be told that an asker has left. The caller has removed it from the askers.
func (o *owed) pay(asker string) {
	all, owes := o.byID.LoadAndDelete(asker)
	if !owes {
		return
	}
	for _, d := range all.(*runtime.Set[debt]).All() {
		d.pay(asker)
	}
}
