package actors

import (
	"errors"

	"github.com/asynkron/protoactor-go/actor"
)

// keeps reports whether the token is kept for its holder. Services make a new one each time they connect.
func (m *tokenClaimed) keeps() bool {
	return m.key != TokenKey{} && m.credentials != nil && m.credentials.Role == Client
}

// reclaim asks the holders' actor about a token that the store does not have any more, and reports whether
// it did. The verdict comes as another message.
func (c *connection) reclaim(ctx actor.Context, m *tokenClaimed) bool {
	if m.err == nil || m.again || !used(m.err) || m.key == (TokenKey{}) || !c.deps.holds() {
		return false
	}
	ctx.Send(c.deps.holders, &reclaim{key: m.key, address: m.address, connection: m.connection, envelope: m.envelope, err: m.err})
	return true
}

// hold tells the holders' actor who has the token.
func (c *connection) hold(ctx actor.Context, m *tokenClaimed) {
	if m.again {
		c.deps.Counters.Reclaimed.Add(1)
	}
	if !m.keeps() {
		return
	}
	c.token = m.key
	ctx.Send(c.deps.holders, &held{key: m.key, address: m.address, connection: m.connection, peer: c.peer, claimBy: m.credentials.ClaimBy})
}

// release tells the holders' actor that the connection has its token no more.
func (c *connection) release() {
	if c.token != (TokenKey{}) {
		c.deps.send(c.deps.holders, &released{key: c.token, connection: c.inbox.PID, over: c.over})
		c.token = TokenKey{}
	}
}

// unneeded gives a token back whose connection ended before it heard of it.
func (d *Deps) unneeded(m *tokenClaimed, over bool) {
	if !m.keeps() {
		return
	}
	d.send(d.holders, &held{key: m.key, address: m.address, connection: m.connection, credentials: m.credentials, claimBy: m.credentials.ClaimBy})
	d.send(d.holders, &released{key: m.key, connection: m.connection, over: over})
}

// used reports whether a token was refused because there is none, which is how it is with one that was
// claimed before.
func used(err error) bool {
	u, ok := errors.AsType[interface {
		error
		Used() bool
	}](err)
	return ok && u.Used()
}
