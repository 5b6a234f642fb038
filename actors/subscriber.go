package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/runtime"
)

// admittance tells a connection that its subscriber is a member of all its topics and, for a
// service, that requests find it.
type admittance struct{ unmissed }

// tokenExpired tells a connection, and first its subscriber, that the time limit is over.
type tokenExpired struct{ unmissed }

// joined says that a subscriber is a member of one more topic, or an instance of its service.
type joined struct{ unmissed }

func (*admittance) toConnection()   {}
func (*tokenExpired) toConnection() {}
func (*tokenExpired) toSubscriber() {}
func (*joined) toSubscriber()       {}

// subscriber is the identity behind an authenticated connection: it keeps its memberships and its
// offer true from authentication to expiry or departure.
// On restart: it is stopped instead, and its connection with it.
type subscriber struct {
	deps       *Deps
	router     RouterRef
	connection Connection
	peer       *Peer
	waiting    int // for so many *joined
	expiry     func() bool
}

func spawnSubscriber(d *Deps, router RouterRef, connection Connection, peer *Peer) runtime.Ref[toSubscriber] {
	return d.subscribers.Spawn(&subscriber{deps: d, router: router, connection: connection, peer: peer})
}

// Receive handles one message.
func (s *subscriber) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		s.start(ctx)
	case *joined:
		s.joined()
	case *tokenExpired:
		s.leave()
		s.connection.Send(&tokenExpired{})
	case *actor.Stopping:
		s.leave()
	default:
		s.deps.Unknown(ctx)
	}
}

func (s *subscriber) start(ctx actor.Context) {
	self := runtime.Self[toSubscriber](ctx)
	if at := s.peer.ExpiresAt; !at.IsZero() {
		s.expiry = self.After(s.deps.Clock, at.Sub(s.deps.Clock.Now()), &tokenExpired{})
	}
	done := func() { self.Send(&joined{}) }
	s.waiting = 1
	for _, name := range s.peer.Subscriptions {
		s.waiting++
		s.router.Send(&subscribe{Name: name, Peer: s.peer, Done: done})
	}
	if s.peer.Role == Service {
		s.waiting++
		s.router.Send(&Offer{Peer: s.peer, Done: done})
	}
	s.joined()
}

func (s *subscriber) joined() {
	s.waiting--
	if s.waiting == 0 {
		s.connection.Send(&admittance{})
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
