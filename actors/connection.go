package actors

import (
	"context"
	"fmt"
	"log/slog"
	"time"
	"weak"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/envelope"
	"strowger/actors/refusals"
	"strowger/actors/runtime"
)

// Messages a connection takes.
type (
	// Received is one text or binary message as the peer sent it. The connection owns Data. It has room for what
	// becomes of it on its way, so that a message is one allocation.
	Received struct {
		counted
		runtime.Holding
		Data    []byte
		decoded envelope.Message
		ask     ask
		say     say
	}
	// ReadEnded says that nothing more will be read. The socket knows how to answer the peer.
	ReadEnded struct {
		unmissed
		Err error // why, for the log; nil when the peer closed
		// Farewell says that the peer has closed the connection in good order and does not come back.
		Farewell bool
	}
	authenticationTimedOut struct {
		unmissed
		due time.Time // by Deps.Awake
	}
	tokenClaimed struct {
		key         TokenKey // zero: the token is not kept for its holder
		address     string
		connection  Connection
		credentials *Credentials
		err         error
		envelope    envelope.Envelope
		again       bool // the holders' actor says so, of a token that is used up
		succeeded   bool // the session of the ticket is the connection's
	}
)

func (*Received) toConnection()               {}
func (*ReadEnded) toConnection()              {}
func (*authenticationTimedOut) toConnection() {}
func (*tokenClaimed) toConnection()           {}
func (*tokenRenewed) toConnection()           {}

// state is where a connection stands in its life.
type state int

const (
	unauthenticated state = iota
	authenticating        // its token is being claimed or its subscriber is starting
	authenticated
	closing
)

// connection is one WebSocket: it decides what a message from the peer is and sends it on its way.
// On restart: it is stopped instead, the socket is closed with 1011.
type connection struct {
	deps       *Deps
	socket     Outlet
	self       Connection
	remote     fmt.Stringer // the peer's address, for the log
	state      state
	entry      *entry // nil after admission
	peer       *Peer  // nil before authentication
	subscriber runtime.Ref[toSubscriber]
	asked      *asked // services that may know it as an asker; nil: none
	// last is where its last message went. It is weak, so that a connection keeps nothing alive of a service that
	// has ended.
	last   weak.Pointer[Route]
	speaks *Peer    // itself under the name it last helped
	token  TokenKey // that is kept for who comes back; zero: none
	over   bool     // nobody is to come back with it
	// renewing says that a token is being looked at which is to move the end of the connection. As many were refused
	// since the last good one as unrenewed says.
	renewing  bool
	unrenewed uint16
	// resumption is nil if the peer has not asked for tickets.
	resumption *resumption
	before     *suspension // what its client comes back to, until that is done; nil: nothing
}

// entry is what a connection needs until it is admitted, and not while it idles afterwards.
type entry struct {
	router   RouterRef
	attempts int
	deadline func() bool              // stops the authentication deadline; nil: there is none
	due      time.Time                // when it is, by Deps.Awake
	asking   *reclaim                 // what the holders' actor has been asked; nil: nothing
	adoption *adoption                // nil: the connection is new to this process, or all actors know it
	accepted *envelope.Envelope       // the authentication that waits for its 200
	since    map[string]Position      // where the peer says it was; nil: it has not asked for positions
	shown    time.Time                // when the token came, by Deps.Awake
	stash    runtime.Stash[*Received] // what came while authenticating
	open     []string                 // ids of requests of its client that go on
}

// SpawnConnection starts the actor of one connection. Its first act is to ask the peer for a token.
// The log shows remote.
func SpawnConnection(d *Deps, router RouterRef, socket Outlet, remote fmt.Stringer) Connection {
	return d.connections.Spawn(&connection{deps: d, socket: socket, remote: remote, entry: &entry{router: router}})
}

// log writes a line about this connection.
func (c *connection) log(level slog.Level, message string, attributes ...slog.Attr) {
	ctx := context.Background()
	if c.deps.Log.Enabled(ctx, level) {
		c.deps.Log.LogAttrs(ctx, level, message, append([]slog.Attr{slog.String("remote", c.remote.String())}, attributes...)...)
	}
}

// refused counts and logs what the router did to this peer.
func (c *connection) refused(e *refusals.Event) {
	e.Remote, e.Role = c.remote.String(), Unauthenticated.String()
	if c.peer != nil {
		e.Role = c.peer.Role.String()
		e.More = append(c.peer.Who(), e.More...)
	}
	c.deps.refusals.Add(*e)
}

// Receive handles one message.
func (c *connection) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		c.start(ctx)
	case *Received:
		c.received(m)
	case *tokenClaimed:
		c.claimed(m)
	case *tokenRenewed:
		c.renewed(m)
	case *admittance:
		c.admitted(m)
	case *authenticationTimedOut:
		c.timedOut(m.due)
	case *succeeded:
		c.succeeded(m)
	case *superseded:
		c.superseded(ctx, m)
	case *restored:
		c.restored(m)
	case *ticketDue:
		c.renewTicket()
	case *evicted:
		c.log(slog.LevelInfo, "connection given up: it is silent, and its holder has come back", slog.String("subscriber", c.peer.ID))
		c.close(Replaced)
		ctx.Stop(ctx.Self())
	case *tokenExpired:
		c.over = true
		c.log(slog.LevelInfo, "token expired", slog.String("subscriber", c.peer.ID))
		c.close(TokenExpired)
	case *ReadEnded:
		c.readEnded(ctx, m)
	case *describe:
		m.to(c.describe())
	case *actor.Stopping:
		c.stop(ctx)
	default:
		c.deps.Unknown(ctx)
	}
}

func (c *connection) start(ctx actor.Context) {
	c.self = runtime.Self[toConnection](ctx)
	if c.entry.adoption != nil {
		c.adopt()
		return
	}
	c.welcome()
	c.closeAt(c.deps.Awake().Add(c.deps.settings().AuthenticationTimeout))
}

// closeAt sets the deadline for the authentication.
func (c *connection) closeAt(due time.Time) {
	c.entry.due = due
	c.entry.deadline = c.self.After(c.deps.Clock, due.Sub(c.deps.Awake()), &authenticationTimedOut{due: due})
}

// timedOut closes a connection that is not admitted yet. The timer may have fired just before the
// admission stopped it. If the process did not run for a while, there is time left.
func (c *connection) timedOut(due time.Time) {
	if c.state == authenticated || c.state == closing {
		return
	}
	if c.deps.Awake().Before(due) {
		c.closeAt(due)
		return
	}
	c.refused(&refusals.Event{Cause: refusals.AuthTimeout, More: []any{"limit", c.deps.settings().AuthenticationTimeout.String()}})
	c.close(AuthTimeout)
}

// inTime ends the deadline.
func (e *entry) inTime() {
	if e.deadline != nil {
		e.deadline()
		e.deadline = nil
	}
}

func (c *connection) received(m *Received) {
	switch c.state {
	case closing:
		return
	case authenticating:
		// Order holds: what was sent behind the token waits for the verdict.
		c.entry.stash.Keep(m)
		return
	}
	if set := c.deps.settings(); !c.decodes(m, set.Depth, set.Keys) {
		return
	}
	if c.state == unauthenticated {
		c.beforeAuthentication(&m.decoded)
		return
	}
	if c.peer.expired(c.deps.Clock) {
		c.deps.Counters.Dead(Expired)
		c.over = true
		c.close(TokenExpired)
		return
	}
	c.forward(&m.decoded, m)
}

// forward sends an authenticated peer's message on, and with it the share that it holds.
func (c *connection) forward(m *envelope.Message, received *Received) {
	switch {
	case c.leaves(m):
		c.leave(m, &received.Held)
	case m.Authentication && c.renews(m):
		c.renew(m, received)
	case m.Authentication:
		c.deps.Counters.TokensIgnored.Add(1)
		c.log(slog.LevelDebug, "token not looked at: authenticated already", slog.String("subscriber", c.peer.ID))
		c.deps.answer(c.socket, envelope.Authenticated, withServiceName(&m.Envelope))
	case c.peer.Role == Service:
		c.say(m, received)
	default:
		c.ask(m, received)
	}
}

func (c *connection) readEnded(ctx actor.Context, m *ReadEnded) {
	if m.Err != nil {
		c.log(slog.LevelDebug, "read ended", slog.Any("err", m.Err))
	}
	c.over = c.over || m.Farewell
	c.close(ReadOver)
	ctx.Stop(ctx.Self())
}

func (c *connection) close(why End) {
	c.state = closing
	c.adopted()
	if c.peer != nil {
		c.peer.gone.Store(true)
	}
	c.socket.Close(why)
}

func (c *connection) stop(ctx actor.Context) {
	c.close(GoingAway)
	if c.entry != nil {
		c.entry.inTime()
		c.entry.stash.Drop()
	}
	if !c.subscriber.Zero() {
		ctx.Stop(c.subscriber.PID())
	}
	c.release()
	left := c.suspend()
	c.endSession(left)
	if c.asked != nil && left == nil {
		c.deps.left(c.asked)
	}
}

// Crashed ends the connection as seen from outside.
func (c *connection) Crashed() { c.socket.Close(Crashed) }
