package actors

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/envelope"
	"strowger/actors/refusals"
)

// Ticketer is a Tokens that makes tickets, with which an identity goes on over another connection. Claim takes them. Its
// methods may be called from any goroutine.
type Ticketer interface {
	// Ticket returns a ticket and when it ends. The error is ErrNoTickets if none is made; another one says which setting
	// is in the way.
	Ticket(c *Credentials, s Session) (text string, until time.Time, err error)
	// Ended has no ticket of a session be good any more. Until is when the last one ends.
	Ended(id SessionID, until time.Time)
	// Returned has the ticket of a session be good again that Claim has taken and nobody came in with.
	Returned(s Session)
}

// ErrNoTickets says that no tickets are made.
var ErrNoTickets = errors.New("tickets are off")

// ticketTopic is the topic of the message with a fresh ticket (protocol 16.4).
const ticketTopic = "ticket"

// resumption is what a connection has that may go on as another one. It belongs to the connection.
type resumption struct {
	session Session
	resumed bool // it goes on with what another connection was
	// elsewhere says that another connection has the session already, which does not wait for the end of this one.
	elsewhere bool
	until     time.Time   // when the last ticket ends; zero: there was none
	stop      func() bool // stops the timer of the next ticket; nil: none is set
}

// ticketDue has a connection give its peer a fresh ticket.
type ticketDue struct{ unmissed }

func (*ticketDue) toConnection() {}

// tickets returns who makes tickets, nil if nobody does.
func (d *Deps) tickets() Ticketer {
	if d.sessions.Zero() {
		return nil
	}
	t, _ := d.Tokens.(Ticketer)
	return t
}

// succeed asks for the session of a ticket, and reports whether it did. The verdict comes as another message.
func (c *connection) succeed(m *tokenClaimed) bool {
	if m.err != nil || m.credentials.Session == nil || m.succeeded || c.deps.sessions.Zero() {
		return false
	}
	c.deps.sessions.Send(&succession{claimed: m})
	return true
}

func (c *connection) succeeded(m *succeeded) {
	m.claimed.succeeded = true
	c.before = m.left
	c.claimed(m.claimed)
}

// beginSession gives a client that has asked for tickets its session. Others that came with a ticket end theirs.
func (c *connection) beginSession(m *tokenClaimed) {
	before := m.credentials.Session
	if calls(c.socket) || !c.peer.resumes() || c.deps.tickets() == nil {
		return
	}
	r := &resumption{resumed: before != nil}
	if before != nil {
		r.session = Session{before.ID, before.Generation + 1}
	} else {
		_, _ = rand.Read(r.session.ID[:]) // it never fails
	}
	c.enterSession(r)
}

func (c *connection) enterSession(r *resumption) {
	c.resumption = r
	c.deps.sessions.Send(&sessionBegun{session: r.session, connection: c.self})
}

// adoptSession goes on with the session of a connection that another process has had.
func (c *connection) adoptSession(s *ConnectionState) {
	if s.Session == nil || c.deps.tickets() == nil {
		return
	}
	r := &resumption{session: *s.Session, until: s.TicketUntil}
	if !r.until.IsZero() {
		r.stop = c.self.After(c.deps.Clock, max(r.until.Sub(c.deps.Clock.Now())/2, 0), &ticketDue{})
	}
	c.enterSession(r)
}

// endSession tells the sessions' actor that the connection ends, and who waits for its client. If nobody is to come back,
// its tickets end too.
func (c *connection) endSession(left *suspension) {
	r := c.resumption
	if r == nil {
		return
	}
	c.resumption = nil
	if r.stop != nil {
		r.stop()
	}
	if t := c.deps.tickets(); (c.over || c.peer.dismissed.Load()) && !r.until.IsZero() && t != nil {
		t.Ended(r.session.ID, r.until)
	}
	c.deps.sessions.Send(&sessionEnded{id: r.session.ID, connection: c.self, left: left})
}

// superseded ends the connection because another one has its session. It does not wait for its peer, who may be gone.
func (c *connection) superseded(ctx actor.Context, m *superseded) {
	if c.resumption != nil {
		c.resumption.elsewhere = !m.here
	}
	c.log(slog.LevelInfo, "connection given up: its session goes on over another one", slog.String("subscriber", c.peer.ID))
	c.close(Resumed)
	ctx.Stop(ctx.Self())
}

// ticket returns the keys of a payload that give the peer a ticket; nil if there is none for it. It sets the timer for
// the next one.
func (c *connection) ticket() envelope.Raw {
	r := c.resumption
	if r.stop != nil {
		r.stop()
		r.stop = nil
	}
	text, until, err := c.deps.tickets().Ticket(c.peer.credentials(), r.session)
	if err != nil {
		if !errors.Is(err, ErrNoTickets) {
			c.refused(&refusals.Event{Cause: refusals.Ticket, Kind: kind(err), Setting: settingOf(err), More: []any{"err", err}})
		}
		return nil
	}
	r.until = until
	left := until.Sub(c.deps.Clock.Now())
	r.stop = c.self.After(c.deps.Clock, left/2, &ticketDue{})
	out := append(envelope.Raw(`"ticket":`), envelope.QuoteString(text)...)
	out = append(out, `,"lifetime":`...)
	return strconv.AppendInt(out, int64(left/time.Second), 10)
}

// renewTicket sends the peer a fresh ticket.
func (c *connection) renewTicket() {
	if c.state != authenticated || c.resumption == nil || c.peer.expired(c.deps.Clock) {
		return
	}
	keys := c.ticket()
	if keys == nil {
		return
	}
	e := envelope.Authenticated.Answer(&envelope.Envelope{ServiceName: envelope.QuoteString("authentication")})
	e.Topic = envelope.QuoteString(ticketTopic)
	e.Payload = append(append(envelope.Raw{'{'}, keys...), '}')
	c.deps.own(c.socket, e, c.socket.Send)
}

// continuation returns the key of the payload of a 200 that says what goes on; nil for a peer that has not asked.
func (c *connection) continuation() envelope.Raw {
	r := c.resumption
	if r == nil {
		return nil
	}
	out := strconv.AppendBool(envelope.Raw(`"resume":{"resumed":`), r.resumed)
	if c.keeps() {
		out = appendOpen(append(out, `,"requests":`...), c.entry.open)
	}
	if keys := c.ticket(); keys != nil {
		out = append(append(out, ','), keys...)
	}
	return append(out, '}')
}

// Dismiss has the peer's tickets end with its connection, which the caller closes next. It may be called from any
// goroutine.
func (p *Peer) Dismiss() { p.dismissed.Store(true) }

// resumes reports whether the peer has asked for tickets.
func (p *Peer) resumes() bool { return p.wishes != nil && p.wishes.resumes }
