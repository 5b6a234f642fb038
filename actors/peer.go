package actors

import (
	"fmt"
	"sync/atomic"
	"time"

	"strowger/actors/clock"
	"strowger/actors/envelope"
	"strowger/actors/filter"
	"strowger/config/policy"
)

// Identity is who a peer is and what it may, by the token with which it came. It never changes.
type Identity struct {
	ID    string // 32 hex digits, never given twice; resource_id on the wire
	Role  Role
	Name  string // the service's name, for a service
	Class string // of a service: the class in its token; in this process, the built-in class of its name
	// KnownClass is true if the class is built in or in services.classes, so that the peer may speak for the
	// names that its class serves.
	KnownClass bool
	// Policy is the service's own policy, nil if it has none. Policies.Of says when it counts.
	Policy *filter.Filter
	// Subscriptions are the services whose broadcasts it gets.
	Subscriptions []string
	UserUUID      string
	UserName      string
	Extensions    []string
	ExpiresAt     time.Time // when the token ends with which it came; zero: never. See Peer.Expiry.
	Bearer        string    // see Credentials, as the next
	RenewBy       string

	resourceID envelope.Raw
	tenant     *tenant // nil for a service in this process, as grants are
	grants     *grants
}

// Peer is an identity as the others see it: who it is and where to write to it. It is immutable but for gone, route
// and until. Its outlet stays the address of the peer when another outlet takes its place.
type Peer struct {
	Identity
	Outlet Outlet
	// Remote is the peer's address, or the node that it is on; nil for a service in this process.
	Remote fmt.Stringer

	// local is the service itself where it runs in this process; it has no outlet then.
	local *local
	// wishes is what the peer has asked for; nil: nothing.
	wishes *wishes
	// node is the other node that the peer is on; nil: this one. The peer has no outlet then. It is an instance of a
	// service, or a visitor: a client that asks a service of this node.
	node Node

	// route is where the service in this process spoke last; nil: nowhere yet.
	route atomic.Pointer[Route]

	// gone is set before the peer can see its connection end: who has seen a service leave must
	// not find it serving, although the news of it is still on its way through the actors.
	gone atomic.Bool

	// dismissed says that nobody is to come back with its tickets.
	dismissed atomic.Bool

	// inside is true for a service that runs in the process of its node.
	inside bool
	// everywhere is true for one of which all nodes have an instance that each knows a part of the answer.
	everywhere bool

	// until is when a renewed token ends, in nanoseconds since 1970; 0: none was renewed. Its connection sets it.
	until atomic.Int64
}

// local is a service in this process, with what other nodes must know of it.
type local struct {
	Local
	policy *policy.Policy // that it has in code; nil: none
}

// Expiry returns when the peer's connection ends for want of a newer token; zero: never.
func (p *Peer) Expiry() time.Time {
	if until := p.until.Load(); until != 0 {
		return time.Unix(0, until)
	}
	return p.ExpiresAt
}

// credentials returns what the token said, as far as a peer knows it, with the end that it has now.
func (p *Peer) credentials() *Credentials {
	c := p.Identity.credentials()
	c.ExpiresAt = p.Expiry()
	return c
}

func (d *Deps) newPeer(c *Credentials, s Outlet) *Peer { return d.peerOf(envelope.NewID(), c, s) }

// peerOf returns the peer of an id.
func (d *Deps) peerOf(id string, c *Credentials, s Outlet) *Peer {
	return &Peer{Outlet: s, Identity: Identity{
		ID: id, Role: c.Role, Name: c.Service, Class: c.Class, KnownClass: c.KnownClass,
		Subscriptions: c.Services, UserUUID: c.UserUUID, UserName: c.UserName,
		Extensions: c.Extensions, ExpiresAt: c.ExpiresAt, Bearer: c.Bearer, RenewBy: c.RenewBy,
		resourceID: envelope.QuoteString(id), tenant: d.tenantOf(c.DomainName, c.DomainUUID), grants: d.grantsOf(c.Permissions),
	}}
}

// credentials returns what the token said, as far as a peer knows it.
func (p *Identity) credentials() *Credentials {
	c := &Credentials{
		Role: p.Role, Services: p.Subscriptions, UserUUID: p.UserUUID, UserName: p.UserName, Extensions: p.Extensions,
		Service: p.Name, Class: p.Class, KnownClass: p.KnownClass, ExpiresAt: p.ExpiresAt, Bearer: p.Bearer, RenewBy: p.RenewBy,
	}
	if p.grants != nil {
		c.Permissions = p.grants.names
	}
	if p.tenant != nil {
		c.DomainName = p.tenant.domain
		c.DomainUUID, _ = envelope.Text(p.tenant.uuid)
	}
	return c
}

// Who returns the attributes with which a line of the log names the peer.
func (p *Identity) Who() []any {
	who := []any{"subscriber", p.ID}
	if p.Name != "" {
		who = append(who, "service", p.Name)
	}
	if p.UserName != "" {
		who = append(who, "user", p.UserName)
	}
	if domain := p.Domain(); domain != "" {
		who = append(who, "domain", domain)
	}
	return who
}

// elsewhere returns the attributes with which the log says that a peer is on another node.
func (p *Peer) elsewhere() []any {
	if p.node == nil {
		return nil
	}
	return []any{"remote", p.Remote.String()}
}

// Domain returns the domain in the peer's token.
func (p *Identity) Domain() string {
	if p.tenant == nil {
		return ""
	}
	return p.tenant.domain
}

// NewLocal returns the instance of a service that runs in this process, to be offered to the
// router. Own is the policy that the service has in code, nil for none. It has no token, so its class is
// that of FusionPBX's service of this name, if there is one.
func NewLocal(name string, own *filter.Filter, l Local) *Peer {
	id := envelope.NewID()
	return &Peer{local: &local{Local: l}, inside: true, Identity: Identity{
		ID: id, Role: Service, Name: name, Class: policy.BuiltinClass(name), Policy: own, resourceID: envelope.QuoteString(id),
	}}
}

// Share says what other nodes must know of a service in this process: the policy that it has in code, nil for none,
// and whether requests go to its instances on all nodes, because each knows a part of the answer. The caller calls it
// before it offers the peer.
func (p *Peer) Share(own *policy.Policy, everywhere bool) {
	p.local.policy, p.everywhere = own, everywhere
}

// subject returns what filters must know of the peer.
func (p *Identity) subject() filter.Subject {
	s := filter.Subject{Extensions: p.Extensions, Domain: p.Domain()}
	if p.grants != nil {
		s.Permissions = p.grants.names
	}
	return s
}

// stamp makes the request what the service gets: whatever the client wrote about itself is replaced
// by what the token says (protocol 5.2). The node of a visitor has done that, but for the id, by which replies find it.
func (p *Peer) stamp(request *envelope.Envelope) {
	request.ResourceID = p.resourceID
	if p.node != nil {
		return
	}
	request.DomainName, request.DomainUUID = p.tenant.name, p.tenant.uuid
	request.Permissions = p.grants.wire
}

func (p *Peer) expired(c clock.Clock) bool {
	at := p.Expiry()
	return !at.IsZero() && !c.Now().Before(at)
}

// serving reports whether the connection behind it still takes messages.
func (p *Peer) serving() bool { return !p.gone.Load() }
