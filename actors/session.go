package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/runtime"
)

// SessionID names an identity over all its connections, one after the other.
type SessionID [16]byte

// Session says which of the connections of an identity one is. Its tickets say the same.
type Session struct {
	ID         SessionID
	Generation uint32 // counts the connections before it
}

// Redemption says that the tickets of a session are used up, those of later generations excepted.
type Redemption struct {
	Session Session
	Until   time.Time // when the last of them ends
}

// sessions knows which connection a session has, so that there is never more than one. It is on the way of clients only that
// have asked for tickets.
// On restart: its table is kept; it lacks what the message that crashed it said.
type sessions struct {
	deps    *Deps
	all     map[SessionID]*sessionEntry
	waiting map[SessionID]*suspension // of clients without a connection
}

type sessionEntry struct {
	generation uint32
	connection Connection
	heir       *succession // who waits for its end; nil: nobody
}

// Messages of the sessions' actor.
type (
	// sessionBegun says which connection a session has now.
	sessionBegun struct {
		unmissed
		session    Session
		connection Connection
	}
	// sessionEnded says that a connection has its session no more.
	sessionEnded struct {
		id         SessionID
		connection Connection
		left       *suspension // nil: nobody waits for the client
	}
	// succession asks for a session on behalf of a connection whose ticket was good. The connection that has the session
	// ends first. The answer is a *succeeded.
	succession struct {
		unmissed
		claimed *tokenClaimed
	}
	// sessionElsewhere says that another node has taken a ticket, or has seen the end of the session.
	sessionElsewhere struct {
		unmissed
		session Session
	}
	// succeeded tells a connection that the session is its own.
	succeeded struct {
		claimed *tokenClaimed
		left    *suspension // what the client comes back to; nil: nothing
	}
	// superseded tells a connection that another one has its session.
	superseded struct {
		unmissed
		here bool // the other one waits for the end of this one
	}
)

func (*sessionBegun) toSessions()     {}
func (*sessionEnded) toSessions()     {}
func (*succession) toSessions()       {}
func (*sessionElsewhere) toSessions() {}
func (*succeeded) toConnection()      {}
func (*superseded) toConnection()     {}

// lost has nobody wait for the client.
func (m *sessionEnded) lost(*Deps, runtime.Loss) {
	if m.left != nil {
		m.left.end()
	}
}

// lost gives the ticket back if its connection has ended.
func (m *succeeded) lost(d *Deps, why runtime.Loss) {
	if m.left != nil {
		m.left.end()
	}
	m.claimed.lost(d, why)
}

// Continue starts the actor that lets clients go on with their sessions. It is called once, before the first connection;
// without it nobody gets a ticket.
func (d *Deps) Continue() {
	s := &sessions{deps: d, all: make(map[SessionID]*sessionEntry), waiting: make(map[SessionID]*suspension)}
	d.sessions = runtime.Spawn[toSessions](d.Runtime, "sessions", func() actor.Actor { return s }, actor.WithGuardian(d.Permanent))
}

// ContinuedElsewhere ends the connection of a session, if it is not a later one than session says. Any goroutine may call it.
func (d *Deps) ContinuedElsewhere(session Session) {
	if !d.sessions.Zero() {
		d.sessions.Send(&sessionElsewhere{session: session})
	}
}

// Discontinue has nobody wait any longer for clients whose connection is lost. It waits as long as patience for that to be
// done.
func (d *Deps) Discontinue(why string, patience time.Duration) {
	if !d.sessions.Zero() {
		_, _ = d.System.Root.RequestFuture(d.sessions.PID(), &waitNoMore{why: why}, patience).Result() // an actor that hangs has a line of its own
	}
}

// Receive handles one message.
func (s *sessions) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *sessionBegun:
		s.begun(m)
	case *sessionEnded:
		s.ended(m)
	case *succession:
		s.succeed(m)
	case *sessionElsewhere:
		if e := s.all[m.session.ID]; e != nil && e.generation <= m.session.Generation {
			e.connection.Send(&superseded{})
		}
		if w := s.waiting[m.session.ID]; w != nil && w.session.Generation <= m.session.Generation {
			s.abandon(w, "its session goes on over another node, or has ended")
		}
	case *waitOver:
		s.abandon(m.of, "tokens.resume_wait is over")
	case *waitSpilled:
		s.spilled(m.of)
	case *waitNoMore:
		s.abandonAll(m.why)
		ctx.Respond(true)
	default:
		s.deps.Unknown(ctx)
	}
	s.deps.Counters.Sessions.Store(int64(len(s.all)))
}

func (s *sessions) begun(m *sessionBegun) {
	e := s.all[m.session.ID]
	switch {
	case e == nil:
		e = new(sessionEntry)
		s.all[m.session.ID] = e
	case e.connection.Same(m.connection):
	case e.generation > m.session.Generation:
		m.connection.Send(&superseded{})
		return
	default:
		// Several wanted the session at once, two nodes have taken one ticket before they heard of each other, or a crash has
		// cost a message.
		e.connection.Send(&superseded{})
		if e.heir != nil {
			m.connection.Send(&superseded{}) // its end lets the heir in
		}
	}
	e.generation, e.connection = m.session.Generation, m.connection
}

func (s *sessions) ended(m *sessionEnded) {
	e := s.all[m.id]
	if e == nil || !e.connection.Same(m.connection) {
		if m.left != nil {
			m.left.end()
		}
		return
	}
	delete(s.all, m.id)
	switch {
	case e.heir != nil:
		s.grant(e.heir, m.left)
	case m.left != nil:
		s.wait(m.left)
	}
}

func (s *sessions) succeed(m *succession) {
	e := s.all[m.claimed.credentials.Session.ID]
	if e == nil {
		s.grant(m, s.returning(m.claimed.credentials.Session.ID))
		return
	}
	if e.heir != nil {
		s.grant(e.heir, nil) // and begun ends it
	}
	e.heir = m
	s.deps.Counters.TakenOver.Add(1)
	e.connection.Send(&superseded{here: true})
}

// grant lets a connection have a session, and what was kept for its client unless replies are missing in between.
func (s *sessions) grant(m *succession, left *suspension) {
	if left != nil {
		if setting := left.spilled.Load(); setting != nil {
			s.giveUp(left, tooMuchKept, *setting)
			left = nil
		}
	}
	m.claimed.connection.Send(&succeeded{claimed: m.claimed, left: left})
}
