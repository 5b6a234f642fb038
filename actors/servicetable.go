package actors

import (
	"slices"
	"time"

	"strowger/actors/envelope"
	"strowger/actors/runtime"
)

// ServiceTable is what another process needs to know of a name besides its members and instances.
type ServiceTable struct {
	Name    string
	Classes []string // of the instances, or of the last that have gone
	Leaving []string // ids of instances that take no more requests
	// Requests are those that somebody may still reply to, the oldest first.
	Requests []RequestState
}

// RequestState is a request under way, or one that was answered and may get further replies.
type RequestState struct {
	Key      envelope.Key
	Asker    string             // subscriber id
	Left     bool               // the asker has left
	Answered bool               // it has had a reply
	Served   bool               // its asker was sent one
	Takers   []string           // ids of remote instances of this node that have it and have not replied
	Inside   bool               // a service in this process has it
	Envelope *envelope.Envelope // what is needed to answer it; nil: nothing
	Whole    bool               // Envelope is all, so that it may be asked again
	Time     time.Duration      // that is left for a reply
}

// captureService asks a service for its table, which is nil if it has ended.
type captureService struct{ to func(*ServiceTable) }

// adoptService gives a service the state that it had in another process.
type adoptService struct {
	state *ServiceTable
	peers map[string]*Peer
	done  func()
}

func (*captureService) toService() {}
func (*adoptService) toService()   {}

func (m *captureService) lost(*Deps, runtime.Loss) { m.to(nil) }
func (m *adoptService) lost(*Deps, runtime.Loss)   { m.done() }

// CaptureServices has to called, by any goroutine, with the state of each name that is offered or watched.
func (d *Deps) CaptureServices(to func(all []*ServiceTable)) {
	var routes []*Route
	d.Registry.routes.Range(func(_, route any) bool {
		routes = append(routes, route.(*Route))
		return true
	})
	states := make([]*ServiceTable, len(routes))
	one := Countdown(len(routes), func() { to(slices.DeleteFunc(states, func(s *ServiceTable) bool { return s == nil })) })
	for i, route := range routes {
		route.Service.Send(&captureService{func(s *ServiceTable) {
			states[i] = s
			one()
		}})
	}
}

// AdoptService gives a name the state that it had in another process, and calls done, by any goroutine. The caller has
// adopted the connections before, and peers are those of them that are admitted, by their ids. A request that a service
// in the other process had is answered with 503.
func (d *Deps) AdoptService(s *ServiceTable, peers map[string]*Peer, done func()) {
	route := d.Registry.Lookup(s.Name)
	if route == nil {
		done() // all who offered or watched the name have gone
		return
	}
	route.Service.Send(&adoptService{s, peers, done})
}

func (s *service) capture() *ServiceTable {
	state := &ServiceTable{Name: s.name}
	for class := range s.classes {
		state.Classes = append(state.Classes, class)
	}
	for _, i := range s.instances {
		if i.leaving && i.peer.node == nil {
			state.Leaving = append(state.Leaving, i.peer.ID)
		}
	}
	now := s.deps.Awake()
	for r := s.pending.ages.first; r != nil; r = r.links[byAge].next {
		state.Requests = append(state.Requests, r.capture(now))
	}
	return state
}

func (r *request) capture(now time.Time) RequestState {
	state := RequestState{Key: r.key, Asker: r.asker.peer.ID, Left: r.asker.left, Answered: r.answered(), Served: r.served,
		Inside: r.inside(), Whole: r.whole, Time: r.deadline.Sub(now)}
	for _, taker := range r.takers {
		if taker.peer.local == nil && taker.peer.node == nil {
			state.Takers = append(state.Takers, taker.peer.ID)
		}
	}
	// Visitors do not cross: their nodes ask the other process anew. Until then it takes them for askers that have left.
	if r.envelope != nil && r.asker.peer.node == nil {
		e := *r.envelope
		// It is stamped again when it is asked again.
		e.ResourceID, e.DomainName, e.DomainUUID, e.Permissions = nil, nil, nil, nil
		state.Envelope = &e
	}
	return state
}

func (s *service) adopt(m *adoptService) {
	defer m.done()
	if len(s.instances) == 0 {
		s.classes = nil
	}
	for _, class := range m.state.Classes {
		if s.classes == nil {
			s.classes = make(map[string]bool)
		}
		s.classes[class] = true
	}
	for _, i := range s.instances {
		if !i.leaving && slices.Contains(m.state.Leaving, i.peer.ID) {
			i.leaving = true
			s.tell(i)
		}
	}
	for i := range m.state.Requests {
		s.adoptRequest(&m.state.Requests[i], m.peers)
	}
	if s.pending.ages.length > 0 {
		s.sweepLater(s.deps.settings().RequestTimeout)
		s.lookAgain(s.deps.settings(), s.deps.Awake())
	}
}

// adoptRequest enters a request in the table, unless nobody is left who could reply.
func (s *service) adoptRequest(state *RequestState, peers map[string]*Peer) {
	peer := peers[state.Asker]
	left := state.Left || peer == nil
	if peer == nil {
		// Nobody writes to an asker that has left. Its id tells replies to it from broadcasts.
		peer = &Peer{Identity: Identity{ID: state.Asker, Role: Client}}
		peer.gone.Store(true)
	}
	var takers []*instance
	for _, i := range s.instances {
		if slices.Contains(state.Takers, i.peer.ID) {
			takers = append(takers, i)
		}
	}
	if !state.Answered && len(takers) == 0 {
		// Without an id a page would take the answer for something else.
		if !left && state.Envelope != nil && state.Key != (envelope.Key{}) {
			s.deps.answer(peer.Outlet, envelope.Unavailable, state.Envelope)
		}
		return
	}
	r := s.pending.restore(peer, state.Key, s.deps.Awake().Add(state.Time))
	if left && !r.asker.left {
		s.pending.kept.left = append(s.pending.kept.left, r.asker)
	}
	r.asker.left, r.served, r.allowed = left, state.Served, s.deps.settings().RequestTimeout
	for _, taker := range takers {
		r.takers = append(r.takers, taker)
		taker.open++
	}
	if !left {
		if state.Envelope != nil {
			s.pending.keep(r, state.Envelope, state.Envelope.Size(), true)
			r.whole = state.Whole
		}
	}
	if state.Answered {
		s.pending.settle(r)
	}
}
