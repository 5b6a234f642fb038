package actors

import (
	"context"
	"errors"
	"sync"
	"time"

	"strowger/actors/envelope"
	"strowger/actors/meter"
	"strowger/actors/runtime"
)

// Message is one encoded envelope. All receivers share it, and nobody changes it. Encode makes it.
type Message struct {
	// Form is the envelope as the egress port writes it to sockets of its own. It ends with the JSON text.
	Form []byte
	// Begin is where in Form the JSON text begins.
	Begin int
	// Packed is the same as Form in fewer bytes, for sockets whose peers can read that. Nil: there is none.
	Packed *Packed
	// Lease is the share of a window that the message holds until every egress shard it was given to has
	// written or queued it. A message to the peer of that window, such as an answer, holds it until it is
	// written. Nil: none.
	Lease *runtime.Lease
	// Refused is told, instead of ending the connection, when a slow service has no room for the message.
	// It may be nil.
	Refused Refuser
	// Recorded says which broadcast the message is, if its peer has asked for positions or it may be dropped. It
	// may be nil.
	Recorded *Recorded
}

// Packed is a form of a message that is made when the first socket needs it. All sockets share it.
type Packed struct {
	once sync.Once
	make func() []byte
	form []byte
}

// NewPacked returns a form that f makes. F is called once, by any goroutine.
func NewPacked(f func() []byte) *Packed { return &Packed{make: f} }

// Form returns the form. It may be called from any goroutine.
func (p *Packed) Form() []byte {
	p.once.Do(func() {
		p.form = p.make()
		p.make = nil
	})
	return p.form
}

// Refuser is who takes back what an outlet has no room for.
type Refuser interface {
	// Refuse is called at most once, from any goroutine, and does not block.
	Refuse()
}

// Text returns the envelope as JSON.
func (m Message) Text() []byte { return m.Form[m.Begin:] }

// Outlet is where the messages to one peer go: the write side of a connection, or whatever else can take them.
// Its methods may be called from any goroutine, never block and keep their order. What is sent after Close is
// dropped. Outlets are compared with ==, so their types are comparable, as pointers are.
type Outlet interface {
	// Greet writes m at once, admitted or not. It is for the connection's own actor.
	Greet(m Message)
	// Admit writes m and then all that was sent before it; from then on Send writes at once. The
	// role decides how much the peer may send from now on.
	Admit(role Role, m Message)
	// Send writes m, or keeps it until Admit. A peer that lets more wait than the bound is cut off,
	// unless m says who is to be told instead.
	Send(m Message)
	// Close writes all that waits, tells the peer why the connection ends, and ends it.
	Close(why End)
	// Window bounds what the peer has under way. The router's answers to it take their share.
	Window() *runtime.Window
}

// Replacer is an Outlet that another one can take the place of.
type Replacer interface {
	// Replace has every message that is sent to the outlet after the call, directly or through a group, go to
	// another outlet in its order. Those sent before go to the outlet itself, which then tells its peer Moved
	// and ends. Nothing is lost or sent twice while both are open. Greet, Admit and Close are for the connection
	// of the outlet itself as before. The other outlet is called from the goroutine that owns this one.
	Replace(with Outlet)
}

// Knower is an Outlet that knows whose it is, for those who look at all connections.
type Knower interface {
	// Know is called once, when the peer has authenticated.
	Know(p *Peer)
}

// Sparer is an Outlet that may be closed to make room for others as long as it has not authenticated.
type Sparer interface {
	// Spare says whether the peer's token is being looked at. Meanwhile the connection is not closed to
	// make room, because its token would be lost.
	Spare(busy bool)
}

// Seater is an Outlet that asks for a place when its token turns out to be good.
type Seater interface {
	// Seat takes a place for a peer of a role. It returns ErrNoPlace if none is left, and ErrGivenWay if the
	// connection is being closed to make room. The place is free again when the connection ends.
	Seat(role Role) error
}

// Caller is an Outlet whose peer waits for the answer to each of its messages and takes nothing else, as one that comes
// by HTTP does.
type Caller interface {
	// Calls says that the peer is a member of no topic and gets no requests, whatever its token grants. Every request
	// of it is answered.
	Calls()
}

// calls reports whether an outlet is a caller's.
func calls(o Outlet) bool {
	_, ok := o.(Caller)
	return ok
}

// The errors of Seat.
var (
	ErrNoPlace  = errors.New("no place for a client is left")
	ErrGivenWay = errors.New("the connection is being closed to make room")
)

// End says why a connection is closed. The transport tells the peer in the words of its protocol.
type End int

// The reasons.
const (
	ReadOver        End = iota // nothing more is read from the peer; the transport knows why
	TokenExpired               // the peer may come back with a fresh token
	AuthTimeout                // no good token came in time
	TooManyAttempts            // too many tokens were refused
	NoPlace                    // there is no place for the peer, which may try again later
	GoingAway                  // the daemon stops; the peer may come back soon
	Crashed                    // the connection's actor panicked; the peer may come back
	Replaced                   // the peer is silent, and its holder has come back through another connection
	Moved                      // another outlet has taken the place of this one
	Resumed                    // its session goes on over another connection
)

// String returns the reason as logs show it.
func (e End) String() string {
	return [...]string{"read over", "token expired", "authentication timeout", "too many attempts", "no place", "going away", "crashed", "replaced", "moved", "resumed"}[e]
}

// Group is a set of outlets that get the same messages. It belongs to one actor, which also calls those outlets
// that are not the egress port's own.
type Group interface {
	// Add returns an error if the outlet cannot get the group's messages.
	Add(o Outlet) error
	Remove(o Outlet)
	// Send writes m to every outlet of the group but except, which may be nil.
	Send(m Message, except Outlet)
}

// Egress owns the write side of all connections.
type Egress interface {
	NewGroup() Group
	// Encode returns the envelope as a message without a lease. More is JSON that follows the envelope's own keys,
	// each key after a comma; nil: nothing. It keeps nothing of both. It may be called from any goroutine.
	Encode(e *envelope.Envelope, more envelope.Raw) Message
}

// Local is a service that runs in this process. Its methods may be called from any goroutine and
// never block.
type Local interface {
	// Ask hands over a request. The receiver calls Release once it is done with the message.
	Ask(r *Request)
	// Gone says that a subscriber that has asked before has left.
	Gone(subscriber string)
}

// Request is what a client asks of a service in this process.
type Request struct {
	Envelope *envelope.Envelope // stamped, as a remote service would get it
	From     *Peer
	Deadline time.Time
	// Part is not WholeRequest if another instance has asked in the name of From.
	Part PartKind
	// Trace is nil if the request is not traced.
	Trace Trace
	// Held is the share of the asker's window that the request holds. The receiver releases it once.
	runtime.Held

	elsewhere elsewhere
}

// Tracer begins traces of requests. Its methods may be called from any goroutine and must not wait.
type Tracer interface {
	// Trace begins the trace of a request, or returns nil if this one is not traced. The Tracer may keep the texts.
	Trace(service, topic string, from *Peer) Trace
}

// Trace is a request that is traced. Its methods may be called from any goroutine and must not wait.
type Trace interface {
	// Context returns a context with the trace, from which a service in this process may go on.
	Context() context.Context
	// HandedOn notes that the instance which had the request has left and another one gets it.
	HandedOn()
	// End ends the trace. It is called once, unless this process gives the request away.
	End(o meter.Outcome)
}

// Tokens is where tokens are presented. Claim blocks on files, so it runs on the pool.
type Tokens interface {
	// Claim returns what the token grants and uses it up, or an error that says why not. Before it uses the
	// token up it calls admit with the role that the token gives. If admit returns an error, the token stays
	// good and Claim returns an error that wraps it. An error with a method Used that returns true says that
	// there is no such token, as there is none after it was claimed.
	Claim(name, hash string, admit func(Role) error) (*Credentials, error)
}

// Renewer is a Tokens some of whose tokens can be presented again on an open connection, to move its end.
type Renewer interface {
	// Renew returns what the token grants and uses nothing up. It blocks as Claim does.
	Renew(name, hash string) (*Credentials, error)
}

// Pool looks at tokens outside the actors, a bounded number at once.
type Pool interface {
	// Go runs f soon, which looks at the token of that name. Tokens of one sort do not wait for those of another. It
	// returns false, and drops f, if too many tokens wait.
	Go(name string, f func()) bool
}

// Role is what a connection may do, from the least to the most.
type Role int

// The roles. Nothing but the token decides (protocol 1.2).
const (
	Unauthenticated Role = iota
	Client
	Service
)

// String returns the role as logs show it.
func (r Role) String() string {
	return [...]string{"unauthenticated", "client", "service"}[r]
}

// Credentials is what a claimed token says about its bearer.
type Credentials struct {
	Role        Role
	Services    []string // subscriptions
	Permissions []string // sorted, unique
	DomainName  string
	DomainUUID  string
	UserUUID    string
	UserName    string
	Extensions  []string // user@context
	Service     string   // name, for a service
	Class       string   // PHP class, for a service
	KnownClass  bool     // the class is built in or in services.classes
	// DeniedService and DeniedClass are the name and the class in a service's token whose holder is a client
	// because nobody knows the class (services.unknown_class).
	DeniedService, DeniedClass string
	ExpiresAt                  time.Time
	ClaimBy                    time.Time // the last moment at which the token may be claimed; zero: none
	// Bearer says whose token it is, if the token is not used up; empty for others. Such a token is good for any
	// number of connections, so it is not kept for those who come back.
	Bearer string
	// RenewBy is the name of the tokens with which the holder may move the end of its connection; empty: none.
	RenewBy string
	// Session is that of a ticket; nil for other tokens. Its Generation is that of the connection that got the ticket.
	Session *Session
}
