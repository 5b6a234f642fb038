package actors

import "github.com/asynkron/protoactor-go/actor"

// Admitted tells a connection that its subscriber is a member of all its topics and, for a
// service, that requests find it.
type Admitted struct{}

// tokenExpired tells a connection, and first its subscriber, that the time limit is over.
type tokenExpired struct{}

// subscriber is the identity behind an authenticated connection: it keeps its memberships and its
// offer true from authentication to expiry or departure.
// On restart: it is stopped instead, and its connection with it.
type subscriber struct {
	deps       *Deps
	router     *actor.PID
	connection *actor.PID
	peer       *Peer
	waiting    int // for so many *Joined
	expiry     func() bool
}

func spawnSubscriber(d *Deps, router, connection *actor.PID, peer *Peer) *actor.PID {
	return d.subscribers.spawn(&subscriber{deps: d, router: router, connection: connection, peer: peer})
}

// Receive handles one message.
func (s *subscriber) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		s.start(ctx)
	case *Joined:
		s.joined(ctx)
	case *tokenExpired:
		s.leave(ctx)
		ctx.Send(s.connection, &tokenExpired{})
	case *actor.Stopping:
		s.leave(ctx)
	default:
		s.deps.unknown(ctx)
	}
}

func (s *subscriber) start(ctx actor.Context) {
	if at := s.peer.ExpiresAt; !at.IsZero() {
		s.expiry = s.deps.after(at.Sub(s.deps.Clock.Now()), ctx.Self(), &tokenExpired{})
	}
	s.waiting = 1
	for _, name := range s.peer.Subscriptions {
		s.waiting++
		ctx.Send(s.router, &Subscribe{Name: name, Peer: s.peer, From: ctx.Self()})
	}
	if s.peer.Role == Service {
		s.waiting++
		ctx.Send(s.router, &Offer{Peer: s.peer, From: ctx.Self()})
	}
	s.joined(ctx)
}

func (s *subscriber) joined(ctx actor.Context) {
	s.waiting--
	if s.waiting == 0 {
		ctx.Send(s.connection, &Admitted{})
	}
}

// leave ends memberships and offer; doing it twice does no harm.
func (s *subscriber) leave(ctx actor.Context) {
	if s.expiry != nil {
		s.expiry()
	}
	for _, name := range s.peer.Subscriptions {
		ctx.Send(s.router, &Unsubscribe{Name: name, Peer: s.peer})
	}
	if s.peer.Role == Service {
		ctx.Send(s.router, &Withdraw{Peer: s.peer})
	}
}

// Crashed takes the connection down too: without a subscriber it has no rights.
func (s *subscriber) Crashed() { s.peer.Socket.Close(Crashed) }
