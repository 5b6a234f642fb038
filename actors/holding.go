package actors

import (
	"container/list"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"strowger/actors/envelope"
)

// TokenKey is all that the router keeps of a token's name and hash: the SHA-256 of both.
type TokenKey [sha256.Size]byte

// keyOf returns the key of a token. Neither name nor hash can hold a colon.
func keyOf(name, hash string) TokenKey { return sha256.Sum256([]byte(name + ":" + hash)) }

// Holding is a token that was accepted and whose connection is gone. Its holder may come back with it.
type Holding struct {
	Key         TokenKey
	Address     string    // of the holder, who must come from the same
	Until       time.Time // when it is forgotten
	Credentials *Credentials
}

// Why a holder may not come back.
var (
	errTokenInUse   = errors.New("token is in use: the connection that has it is alive")
	errTokenOver    = errors.New("token is used up and its own time is over")
	errOtherAddress = errors.New("token is used up, and the connection that had it came from another address")
)

// Prober is an Outlet that can find out soon whether its peer is still there.
type Prober interface {
	// Probe asks the peer for a sign of life.
	Probe()
	// Silent reports whether none came since the last Probe.
	Silent() bool
}

// Messages of the holders' actor.
type (
	// held says which connection has a token now. It has credentials in place of a peer if the connection ended
	// before it had one.
	held struct {
		unmissed
		key         TokenKey
		address     string
		connection  Connection
		peer        *Peer
		credentials *Credentials
		claimBy     time.Time
	}
	// released says that a connection does not have its token any more. A token that is over is forgotten.
	released struct {
		unmissed
		key        TokenKey
		connection Connection
		over       bool
	}
	// reclaim asks for a token that is used up. The answer is a *tokenClaimed with again set.
	reclaim struct {
		unmissed
		key        TokenKey
		address    string
		connection Connection
		envelope   envelope.Envelope
		err        error // why the token store refused it
		// late stops the timer of probed; nil: there is none.
		late func() bool
	}
	// probed comes when the time is over that a connection had to show that it is alive.
	probed struct {
		unmissed
		asker *reclaim
	}
	// evicted tells a connection that it is given up because its holder has come back.
	evicted struct{ unmissed }
	// listHoldings asks for the tokens that could be claimed again if all connections ended now. The answer to
	// a patient one waits until all connections have said how they ended.
	listHoldings struct {
		unmissed
		patient bool
	}
)

func (*held) toHolders()         {}
func (*released) toHolders()     {}
func (*reclaim) toHolders()      {}
func (*probed) toHolders()       {}
func (*listHoldings) toHolders() {}
func (*evicted) toConnection()   {}

// holding is a token and the connection that has it.
type holding struct {
	key     TokenKey
	address string
	claimBy time.Time // the last moment at which the token may be claimed; zero: none

	connection Connection   // that has it; zero: it is gone
	peer       *Peer        // as which the holder was admitted; nil: not yet, or gone
	known      *Credentials // while there is no peer
	asker      *reclaim     // who waits to hear whether the connection is alive

	until time.Time     // when it is forgotten, once the connection is gone
	place *list.Element // in the order of that
}

// credentials returns what the token grants.
func (h *holding) credentials() *Credentials {
	if h.peer == nil {
		return h.known
	}
	c := h.peer.credentials()
	c.ClaimBy = h.claimBy
	return c
}

// over reports whether the token's own time has passed.
func (h *holding) over(now time.Time) bool {
	c := h.known
	return !h.claimBy.IsZero() && !now.Before(h.claimBy) || c != nil && !c.ExpiresAt.IsZero() && !now.Before(c.ExpiresAt) ||
		h.peer != nil && !h.peer.ExpiresAt.IsZero() && !now.Before(h.peer.ExpiresAt)
}

// address returns where a peer comes from, without the port, which is another one each time.
func address(remote fmt.Stringer) string {
	if r, ok := remote.(interface{ AddrPort() netip.AddrPort }); ok {
		return r.AddrPort().Addr().Unmap().String()
	}
	text := remote.String()
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return withPort.Addr().Unmap().String()
	}
	if bare, err := netip.ParseAddr(text); err == nil {
		return bare.Unmap().String()
	}
	return text
}
