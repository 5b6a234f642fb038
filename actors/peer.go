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

// Identity is who a peer is, what it may and until when. It never changes.
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
	ExpiresAt     time.Time // zero: never

	resourceID envelope.Raw
	tenant     *tenant // nil for a service in this process, as grants are
	grants     *grants
}

// Peer is an identity as the others see it: who it is and where to write to it. It is immutable but for gone.
// Its outlet stays the address of the peer when another outlet takes its place.
type Peer struct {
	Identity
	Outlet Outlet
	// Remote is the peer's address; nil for a service in this process.
	Remote fmt.Stringer

	// local is the service itself where it runs in this process; it has no outlet then.
	local Local

	// route is where the service in this process spoke last; nil: nowhere yet.
	route atomic.Pointer[Route]

	// gone is set before the peer can see its connection end: who has seen a service leave must
	// not find it serving, although the news of it is still on its way through the actors.
	gone atomic.Bool
}

func (d *Deps) newPeer(c *Credentials, s Outlet) *Peer { return d.peerOf(envelope.NewID(), c, s) }

// peerOf returns the peer of an id.
func (d *Deps) peerOf(id string, c *Credentials, s Outlet) *Peer {
	return &Peer{Outlet: s, Identity: Identity{
		ID: id, Role: c.Role, Name: c.Service, Class: c.Class, KnownClass: c.KnownClass,
		Subscriptions: c.Services, UserUUID: c.UserUUID, UserName: c.UserName,
		Extensions: c.Extensions, ExpiresAt: c.ExpiresAt,
		resourceID: envelope.QuoteString(id), tenant: d.tenantOf(c.DomainName, c.DomainUUID), grants: d.grantsOf(c.Permissions),
	}}
}

// credentials returns what the token said, as far as a peer knows it.
func (p *Identity) credentials() *Credentials {
	c := &Credentials{
		Role: p.Role, Services: p.Subscriptions, UserUUID: p.UserUUID, UserName: p.UserName, Extensions: p.Extensions,
		Service: p.Name, Class: p.Class, KnownClass: p.KnownClass, ExpiresAt: p.ExpiresAt,
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
	return &Peer{local: l, Identity: Identity{
		ID: id, Role: Service, Name: name, Class: policy.BuiltinClass(name), Policy: own, resourceID: envelope.QuoteString(id),
	}}
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
// by what the token says (protocol 5.2).
func (p *Identity) stamp(request *envelope.Envelope) {
	request.ResourceID, request.DomainName, request.DomainUUID = p.resourceID, p.tenant.name, p.tenant.uuid
	request.Permissions = p.grants.wire
}

func (p *Identity) expired(c clock.Clock) bool {
	return !p.ExpiresAt.IsZero() && !c.Now().Before(p.ExpiresAt)
}

// serving reports whether the connection behind it still takes messages.
func (p *Peer) serving() bool { return !p.gone.Load() }
