package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/filter"
	"strowger/actors/refusals"
	"strowger/transport/wire"
)

// speaker returns the peer as a helper that speaks for another name. It is an instance of neither name's
// service: it is asked nothing. What it says goes by the policy of that name or of its class.
func (p *Peer) speaker(name string) *Peer {
	return &Peer{
		ID: p.ID, Role: p.Role, Socket: p.Socket, Name: name, Class: p.Class, KnownClass: p.KnownClass,
		Remote: p.Remote, resourceID: p.resourceID, tenant: p.tenant, grants: p.grants,
	}
}

// help passes on what a service of a known class said under another name than its own. The service's
// actor of that name decides whether it may. It returns false if that is not even a question.
func (c *connection) help(ctx actor.Context, name string, m *wire.Message, lease *Lease) bool {
	if !c.peer.KnownClass || name == "" || name == c.peer.Name || m.Overflow {
		return false
	}
	route := c.deps.Registry.Lookup(name)
	if route == nil {
		return false
	}
	if c.speaks == nil || c.speaks.Name != name {
		c.speaks = c.peer.speaker(name)
	}
	ctx.Send(route.Service, &say{envelope: &m.Envelope, from: c.speaks, lease: lease, helper: true})
	return true
}

// mayHelp reports whether a peer that is no instance may speak for this name: if it is the name of its
// built-in class, or if an instance of its class offers the name now (protocol 11.15).
func (s *service) mayHelp(peer *Peer) bool {
	if filter.BuiltinService(peer.Class) == s.name {
		return true
	}
	for _, i := range s.instances {
		if i.peer.local == nil && i.peer.serving() && i.peer.KnownClass && i.peer.Class == peer.Class {
			return true
		}
	}
	return false
}

// foreign drops what a helper said that may not speak for this name. The log names it once.
func (s *service) foreign(m *say) {
	if !s.deps.notices.again(notice{name: s.name, class: m.from.Class, rule: "foreign name"}) {
		s.deps.Log.Warn("service spoke under a foreign name: no service of its class offers it", "name", refusals.Clip(s.name),
			"class", refusals.Clip(m.from.Class), "subscriber", m.from.ID, "remote", m.from.Remote)
	}
	s.deps.Counters.Dead(ForeignName)
	m.lease.Release()
}
