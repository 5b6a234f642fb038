package system

import (
	"errors"
	"net"
	"path/filepath"
	"time"

	"strowger/actors"
	"strowger/config"
	"strowger/system/internal/introspect"
	"strowger/system/ticket"
)

// ticketName is the name under which tickets are presented, in place of the name of a file. No file has such a name.
const ticketName = "resume"

// ticketFiles returns where the key of tickets is, and where it is kept which are used up. Both are empty where they have no
// place, because nobody finds a router again that listens on any free port.
func ticketFiles(cfg *config.Config, tokens string) (key, used string) {
	key = cfg.Tokens.TicketKeyFile
	_, port, err := net.SplitHostPort(cfg.Listen.Address)
	if err != nil {
		port = "0"
	}
	switch {
	case key == "" && port == "0":
		return "", ""
	case key == "":
		key = filepath.Join(tokens, ".strowger-tickets-"+port)
		return key, key + ".used"
	}
	return key, key + ".used"
}

func ticketBounds(cfg *config.Config) ticket.Bounds {
	t := &cfg.Tokens
	return ticket.Bounds{Lifetime: t.Tickets, MaxBytes: int(t.TicketBytes), Count: t.TicketCount}
}

// resume is Claim for a ticket.
func (t *tokens) resume(text string, admit func(actors.Role) error) (*actors.Credentials, error) {
	c, err := t.tickets.Redeem(text, func() error { return admit(actors.Client) })
	if err != nil {
		return nil, err
	}
	return &actors.Credentials{
		Role: actors.Client, Services: c.Services, Permissions: c.Permissions, DomainName: c.DomainName, DomainUUID: c.DomainUUID,
		UserUUID: c.UserUUID, UserName: c.UserName, Extensions: c.Extensions, ExpiresAt: c.ExpiresAt, Bearer: c.Bearer, RenewBy: c.RenewBy,
		Session: &actors.Session{ID: c.Session.ID, Generation: c.Session.Generation},
	}, nil
}

// Ticket implements actors.Ticketer.
func (t *tokens) Ticket(c *actors.Credentials, s actors.Session) (string, time.Time, error) {
	text, until, err := t.tickets.Seal(ticket.Contents{
		Session:  ticket.Session{ID: s.ID, Generation: s.Generation},
		Services: c.Services, Permissions: c.Permissions, DomainName: c.DomainName, DomainUUID: c.DomainUUID,
		UserUUID: c.UserUUID, UserName: c.UserName, Extensions: c.Extensions, ExpiresAt: c.ExpiresAt, Bearer: c.Bearer, RenewBy: c.RenewBy,
	})
	if errors.Is(err, ticket.ErrOff) || errors.Is(err, ticket.ErrExpired) {
		err = actors.ErrNoTickets
	}
	return text, until, err
}

// Ended implements actors.Ticketer. The file is written to beside, because an actor waits for no file.
func (t *tokens) Ended(id actors.SessionID, until time.Time) {
	if write := t.tickets.End(id, until); write != nil {
		t.work(write)
	}
}

// Returned implements actors.Ticketer.
func (t *tokens) Returned(s actors.Session) {
	t.tickets.Return(ticket.Session{ID: s.ID, Generation: s.Generation})
}

// ticketStats returns what happened to tickets.
func (s *System) ticketStats() introspect.Tickets {
	t, c := &s.tokens.tickets.Counters, s.deps.Counters
	return introspect.Tickets{
		Issued: t.Issued.Load(), TooBig: t.TooBig.Load(), Accepted: t.Accepted.Load(), Refused: t.Refused.Load(),
		Used: t.Used.Load(), Forgotten: t.Forgotten.Load(), Sessions: c.Sessions.Load(), TakenOver: c.TakenOver.Load(),
		Waiting: c.Waiting.Load(), Returned: c.Returned.Load(), Unreturned: c.Unreturned.Load(),
	}
}

// shareTickets has other nodes hear of tickets that are used here, and this one of theirs.
func (s *System) shareTickets() {
	if s.cluster == nil {
		return
	}
	s.tokens.tickets.Tell(func(u ticket.Use) { s.cluster.links.Redeemed(redemption(u)) })
}

func redemption(u ticket.Use) actors.Redemption {
	return actors.Redemption{Session: actors.Session{ID: u.Session.ID, Generation: u.Session.Generation}, Until: u.Until}
}

// redemptions returns what a node has to hear when it is linked.
func (s *System) redemptions() []actors.Redemption {
	uses := s.tokens.tickets.Uses()
	all := make([]actors.Redemption, len(uses))
	for i, u := range uses {
		all[i] = redemption(u)
	}
	return all
}

// redeemedElsewhere notes what another node tells.
func (s *System) redeemedElsewhere(r actors.Redemption) {
	u := ticket.Use{Session: ticket.Session{ID: r.Session.ID, Generation: r.Session.Generation}, Until: r.Until}
	if s.tokens.tickets.Learn(u) {
		s.deps.ContinuedElsewhere(r.Session)
	}
}
