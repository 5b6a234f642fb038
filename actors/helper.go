package actors

import (
	"slices"
	"strings"

	"strowger/actors/envelope"
	"strowger/actors/refusals"
	"strowger/config/policy"
)

// speaker returns the peer as a helper that speaks for another name. It is an instance of neither name's
// service: it is asked nothing. What it says goes by the policy of that name or of its class.
func (p *Peer) speaker(name string) *Peer {
	return &Peer{Outlet: p.Outlet, Remote: p.Remote, Identity: Identity{
		ID: p.ID, Role: p.Role, Name: name, Class: p.Class, KnownClass: p.KnownClass,
		resourceID: p.resourceID, tenant: p.tenant, grants: p.grants,
	}}
}

// help passes on what a service said under another name than its own. The service's actor of that name
// decides whether it may. A name that nobody offers or watches has no actor, and the message is a dead letter.
// It returns false if the peer may speak under no name but its own.
func (c *connection) help(name string, m *envelope.Message, received *Received) bool {
	if name == "" || name == c.peer.Name || m.Overflow {
		return false
	}
	if c.speaks == nil || c.speaks.Name != name {
		c.speaks = c.peer.speaker(strings.Clone(name))
	}
	if !c.deps.governed(c.speaks) {
		return false
	}
	route := c.deps.Registry.Lookup(name)
	if route == nil && !c.deps.declared(c.speaks) {
		return false
	}
	if route == nil {
		c.deps.Counters.Dead(UnknownService)
		c.refused(&refusals.Event{Cause: refusals.UnknownName, Kind: c.peer.Class, More: []any{"name", name, "class", c.peer.Class}})
		return true
	}
	c.tell(route, received, c.speaks, true)
	return true
}

// declared reports whether the class of a service is built in, in services.classes, or has a policy.
func (d *Deps) declared(peer *Peer) bool {
	return peer.KnownClass || peer.Class != "" && d.settings().Policies.has(peer.Class)
}

// governed reports whether what a helper says under a name is governed by what the operator has set: its class is
// declared, or the name has a policy, or all is allowed that has none.
func (d *Deps) governed(peer *Peer) bool {
	p := d.settings().Policies
	return d.declared(peer) || peer.Class != "" && (p.has(peer.Name) || p.open())
}

// mayHelp reports whether a peer that is no instance may speak for this name (protocol 5.4.1).
func (s *service) mayHelp(peer *Peer) bool {
	if policy.BuiltinService(peer.Class) == s.name {
		return true
	}
	offered := false
	for _, i := range s.instances {
		if !i.peer.serving() {
			continue
		}
		if i.peer.Class == peer.Class {
			return true
		}
		offered = true
	}
	return !offered && s.classes[peer.Class]
}

// offeredBy notes the class of an instance that has come. While nobody offers the name, those that offered it
// last may go on to speak for it.
func (s *service) offeredBy(class string) {
	if len(s.instances) == 0 {
		s.classes = make(map[string]bool)
	}
	s.classes[class] = true
}

// offeredNoMore forgets the class of an instance that has gone while other classes still offer the name.
func (s *service) offeredNoMore(class string) {
	if len(s.instances) > 0 && !slices.ContainsFunc(s.instances, func(i *instance) bool { return i.peer.Class == class }) {
		delete(s.classes, class)
	}
}

// foreign drops what a helper said that may not speak for this name.
func (s *service) foreign(m *say) {
	s.deps.spokeForeign(m.from, s.name, "no service of its class offers the name or was the last to offer it")
}

// Passive counts and logs that a service says something by HTTP under a name that a service inside has.
func (d *Deps) Passive(peer *Peer) {
	d.spokeForeign(peer, peer.Name, "a service in the router has the name")
}

// spokeForeign counts and logs that a service spoke under a name that is not its own. Names that somebody
// offers or watches have lines of their own. All others share one, because the sender may invent them.
func (d *Deps) spokeForeign(peer *Peer, name, why string) {
	d.Counters.Dead(ForeignName)
	known, told := "", strings.Clone(refusals.Clip(name)) // it may share the memory of the message
	if d.Registry.Lookup(name) != nil {
		known = told
	}
	d.refusals.Add(refusals.Event{
		Cause: refusals.ForeignName, Role: Service.String(), Kind: peer.Class + " " + known, Remote: peer.Remote.String(),
		More: append(peer.Who(), []any{"name", told, "class", peer.Class, "why", why}...),
	})
}
