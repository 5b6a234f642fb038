package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/runtime"
)

// admittance tells a connection that its subscriber is a member of all its topics and, for a
// service, that requests find it.
type admittance struct {
	unmissed
	recoveries []Recovery
}

// tokenExpired tells a connection, and first its subscriber, that the time limit is over.
type tokenExpired struct{ unmissed }

// expiryMoved tells a subscriber that its token was renewed.
type expiryMoved struct{ unmissed }

// joined says that a subscriber is a member of one more topic, or an instance of its service.
type joined struct{ unmissed }

// recovered says where a subscriber is in a topic.
type recovered struct {
	unmissed
	recovery Recovery
}

func (*recovered) toSubscriber()    {}
func (*admittance) toConnection()   {}
func (*tokenExpired) toConnection() {}
func (*tokenExpired) toSubscriber() {}
func (*expiryMoved) toSubscriber()  {}
func (*joined) toSubscriber()       {}

// subscriber is the identity behind an authenticated connection: it keeps its memberships and its
// offer true from authentication to expiry or departure.
// On restart: it is stopped instead, and its connection with it.
type subscriber struct {
	deps       *Deps
	router     RouterRef
	self       runtime.Ref[toSubscriber]
	connection Connection
	peer       *Peer
	waiting    int // for so many *joined
	expiry     func() bool
	back       *comingBack // nil: there is nothing to come back to, or it was admitted
}

// comingBack is what a subscriber says and hears of where it was.
type comingBack struct {
	since      map[string]Position // nil: it has not asked for positions
	kept       map[string]*keeper  // what services have said to it meanwhile; nil: nothing
	recoveries []Recovery
}

func spawnSubscriber(d *Deps, router RouterRef, connection Connection, peer *Peer, back *comingBack) runtime.Ref[toSubscriber] {
	return d.subscribers.Spawn(&subscriber{deps: d, router: router, connection: connection, peer: peer, back: back})
}

// Receive handles one message.
func (s *subscriber) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		s.start(ctx)
	case *recovered:
		s.back.recoveries = append(s.back.recoveries, m.recovery)
	case *joined:
		s.joined()
	case *tokenExpired:
		if s.deps.Clock.Now().Before(s.peer.Expiry()) {
			return // it was renewed when the timer had fired
		}
		s.leave()
		s.connection.Send(&tokenExpired{})
	case *expiryMoved:
		s.expire()
	case *actor.Stopping:
		s.leave()
	default:
		s.deps.Unknown(ctx)
	}
}

func (s *subscriber) start(ctx actor.Context) {
	self := runtime.Self[toSubscriber](ctx)
	s.self = self
	s.expire()
	done := func() { self.Send(&joined{}) }
	s.waiting = 1
	for _, name := range s.peer.Subscriptions {
		s.waiting++
		s.router.Send(&subscribe{Name: name, Peer: s.peer, Done: done, arrival: s.arrival(name), kept: s.kept(name)})
	}
	if s.peer.Role == Service {
		s.waiting++
		s.router.Send(&Offer{Peer: s.peer, Done: done, leaving: calls(s.peer.Outlet)})
	}
	s.joined()
}

// arrival has the topic of a name say where the subscriber is, if it has asked for positions.
func (s *subscriber) arrival(name string) *arrival {
	if s.back == nil || s.back.since == nil {
		return nil
	}
	since, asked := s.back.since[name]
	self := s.self
	return &arrival{asked: asked, since: since, report: func(r Recovery) { self.Send(&recovered{recovery: r}) }}
}

// kept returns what a service has said to the subscriber since its connection was lost.
func (s *subscriber) kept(name string) *keeper {
	if s.back == nil {
		return nil
	}
	return s.back.kept[name]
}

// expire has the subscriber leave when its token ends.
func (s *subscriber) expire() {
	if s.expiry != nil {
		s.expiry()
	}
	if at := s.peer.Expiry(); !at.IsZero() {
		s.expiry = s.self.After(s.deps.Clock, at.Sub(s.deps.Clock.Now()), &tokenExpired{})
	}
}

func (s *subscriber) joined() {
	s.waiting--
	if s.waiting == 0 {
		m := new(admittance)
		if s.back != nil {
			m.recoveries, s.back = s.back.recoveries, nil
		}
		s.connection.Send(m)
	}
}

// leave ends memberships and offer; doing it twice does no harm.
func (s *subscriber) leave() {
	if s.expiry != nil {
		s.expiry()
	}
	for _, name := range s.peer.Subscriptions {
		s.router.Send(&unsubscribe{Name: name, Peer: s.peer})
	}
	if s.peer.Role == Service {
		s.router.Send(&withdraw{Peer: s.peer})
	}
}

// Crashed takes the connection down too: without a subscriber it has no rights.
func (s *subscriber) Crashed() { s.peer.Outlet.Close(Crashed) }
