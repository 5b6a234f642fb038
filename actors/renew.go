package actors

import (
	"errors"
	"log/slog"
	"slices"
	"strconv"

	"strowger/actors/envelope"
	"strowger/actors/refusals"
	"strowger/actors/runtime"
)

// tokenRenewed is the verdict about a token that an authenticated peer has presented again. It holds the message's share of
// the peer's window.
type tokenRenewed struct {
	runtime.Held
	envelope    envelope.Envelope
	credentials *Credentials
	err         error
}

func (m *tokenRenewed) lost(*Deps, runtime.Loss) {}

// Why a token does not move the end of a connection, besides that it is not good.
var (
	errOtherBearer = errors.New("the new token is another subject's")
	errNotLookedAt = errors.New("the new token could not be looked at")
	errOtherGrants = errors.New("the new token grants something else: it takes a new connection")
)

// renews reports whether a message of an authenticated peer has a token that may move the connection's end.
func (c *connection) renews(m *envelope.Message) bool {
	if c.peer.RenewBy == "" {
		return false
	}
	name, ok := envelope.Text(m.TokenName)
	return ok && name == c.peer.RenewBy
}

// renew has the pool look at a token, one at a time. Whatever else the peer sends goes its way meanwhile.
func (c *connection) renew(m *envelope.Message, received *Received) {
	renewer, ok := c.deps.Tokens.(Renewer)
	hash, okHash := envelope.Text(m.TokenHash)
	if !ok || !okHash {
		c.notRenewed(&m.Envelope, errIncompleteToken)
		return
	}
	if c.renewing {
		c.deps.Counters.NotRenewed.Add(1)
		c.deps.answer(c.socket, envelope.Unavailable, withServiceName(&m.Envelope))
		return
	}
	c.renewing = true
	verdict := &tokenRenewed{Held: received.Pass(), envelope: m.Envelope}
	self, name := c.self, c.peer.RenewBy
	if !c.deps.Pool.Go(name, func() {
		// The connection must hear of it whatever happens, because an upgrade waits for it.
		verdict.err = errNotLookedAt
		defer self.Send(verdict)
		verdict.credentials, verdict.err = renewer.Renew(name, hash)
	}) {
		received.Held = verdict.Pass()
		c.renewing = false
		c.notRenewed(&m.Envelope, errTokensWait)
	}
}

// renewed goes on with the verdict.
func (c *connection) renewed(m *tokenRenewed) {
	c.renewing = false
	if c.state != authenticated {
		return
	}
	if m.err == nil && c.peer.expired(c.deps.Clock) {
		return // its end is on the way
	}
	if m.err == nil {
		m.err = c.peer.differs(m.credentials)
	}
	if m.err != nil {
		c.notRenewed(&m.envelope, m.err)
		return
	}
	c.unrenewed = 0
	c.deps.Counters.Renewed.Add(1)
	if at := m.credentials.ExpiresAt; at.After(c.peer.Expiry()) {
		c.peer.until.Store(at.UnixNano())
		c.subscriber.Send(&expiryMoved{})
		c.log(slog.LevelInfo, "token renewed", slog.String("subscriber", c.peer.ID), slog.Time("expires", at))
	}
	c.deps.answer(c.socket, envelope.Authenticated, withServiceName(&m.envelope))
	c.renewTicket()
}

// notRenewed tells the peer that its connection ends when it would have, and ends one that goes on trying.
func (c *connection) notRenewed(e *envelope.Envelope, err error) {
	c.deps.Counters.NotRenewed.Add(1)
	if temporary(err) {
		c.refused(&refusals.Event{Cause: refusals.Unchecked, Kind: kind(err), Setting: settingOf(err), More: []any{"err", err}})
		c.deps.answer(c.socket, envelope.Unavailable, withServiceName(e))
		return
	}
	c.unrenewed++
	c.refused(&refusals.Event{Cause: refusals.Renewal, Kind: kind(err), Setting: settingOf(err), More: []any{"attempt", int(c.unrenewed), "err", err}})
	a := envelope.Unauthorized.Answer(withServiceName(e))
	a.Payload = envelope.Raw(`{"reason":"` + renewalReason(err) + `"}`)
	c.deps.own(c.socket, a, c.socket.Send)
	if limit := c.deps.settings().AuthenticationAttempts; int(c.unrenewed) >= limit {
		c.refused(&refusals.Event{Cause: refusals.Attempts, More: []any{"limit", strconv.Itoa(limit)}})
		c.close(TooManyAttempts)
	}
}

// renewalReason is what the peer is told. It is authenticated already, and must know whether a new connection helps.
func renewalReason(err error) string {
	switch {
	case errors.Is(err, errOtherBearer):
		return "subject"
	case errors.Is(err, errOtherGrants):
		return "grants"
	}
	return "token"
}

// differs returns why a token cannot take the place of the one with which the peer came. What a peer may is looked at by
// many actors, so it stays what it is as long as the connection lasts.
func (p *Peer) differs(c *Credentials) error {
	switch {
	case c.Bearer != p.Bearer:
		return errOtherBearer
	case !sameGrants(p.Identity.credentials(), c):
		return errOtherGrants
	}
	return nil
}

// sameGrants reports whether two tokens say the same.
func sameGrants(a, b *Credentials) bool {
	return a.Role == b.Role && a.DomainName == b.DomainName && a.DomainUUID == b.DomainUUID && a.UserUUID == b.UserUUID && a.UserName == b.UserName &&
		a.Service == b.Service && a.Class == b.Class && a.KnownClass == b.KnownClass && a.RenewBy == b.RenewBy &&
		sameSet(a.Services, b.Services) && sameSet(a.Permissions, b.Permissions) && sameSet(a.Extensions, b.Extensions)
}

// sameSet reports whether two lists hold the same, in whatever order.
func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
