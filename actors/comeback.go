package actors

import (
	"errors"

	"strowger/actors/runtime"
)

// lost gives the token back if its connection has ended.
func (m *tokenClaimed) lost(d *Deps, why runtime.Loss) {
	if why == runtime.Stopped {
		d.unneeded(m, false)
	}
}

// keeps reports whether the token is kept for its holder. Services make a new one each time they connect, and one that
// is not used up needs not be kept. A ticket has a way of its own to come back.
func (m *tokenClaimed) keeps() bool {
	return m.key != TokenKey{} && m.credentials != nil && m.credentials.Role == Client && m.credentials.Bearer == "" && m.credentials.Session == nil
}

// reclaim asks the holders' actor about a token that the store does not have any more, and reports whether
// it did. The verdict comes as another message.
func (c *connection) reclaim(m *tokenClaimed) bool {
	if m.err == nil || m.again || !used(m.err) || m.key == (TokenKey{}) || !c.deps.holds() {
		return false
	}
	c.askHolders(&reclaim{key: m.key, address: m.address, connection: m.connection, envelope: m.envelope, err: m.err})
	return true
}

func (c *connection) askHolders(m *reclaim) {
	c.entry.asking = m
	c.deps.holders.Send(m)
}

// hold tells the holders' actor that this connection has the token.
func (c *connection) hold(m *tokenClaimed) {
	if m.again {
		c.deps.Counters.Reclaimed.Add(1)
	}
	if !m.keeps() || c.resumption != nil {
		return
	}
	c.token = m.key
	c.deps.holders.Send(&held{key: m.key, address: m.address, connection: m.connection, peer: c.peer, claimBy: m.credentials.ClaimBy})
}

// release tells the holders' actor that the connection has its token no more.
func (c *connection) release() {
	if c.token != (TokenKey{}) {
		c.deps.holders.Send(&released{key: c.token, connection: c.self, over: c.over})
		c.token = TokenKey{}
	}
}

// unneeded gives a token back whose connection ended before it heard of it.
func (d *Deps) unneeded(m *tokenClaimed, over bool) {
	if t := d.tickets(); t != nil && m.credentials != nil && m.credentials.Session != nil {
		t.Returned(*m.credentials.Session)
	}
	if !m.keeps() {
		return
	}
	d.holders.Send(&held{key: m.key, address: m.address, connection: m.connection, credentials: m.credentials, claimBy: m.credentials.ClaimBy})
	d.holders.Send(&released{key: m.key, connection: m.connection, over: over})
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
