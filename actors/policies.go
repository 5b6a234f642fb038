package actors

import (
	"strowger/actors/filter"
	"strowger/actors/refusals"
)

// Policies says which filter stands between a service and its subscribers. It never changes: a
// reload puts another one into Settings. Its zero value, like a nil one, denies everything to services
// without a policy of their own.
type Policies struct {
	settings map[string]*filter.Filter
	builtin  map[string]*filter.Filter
	fallback *filter.Filter
	keeps    bool // some policy has a history
	tells    bool // some policy tells who watches
}

// Source says where a policy stands.
type Source string

// The sources of a policy, in the order in which they count.
const (
	FromSettings Source = "configuration" // the settings file
	FromService  Source = "service"       // the service itself, which runs in this process
	FromBuiltin  Source = "builtin"       // the policies of FusionPBX's services
	FromDefault  Source = "default"       // nowhere: routing.default_policy
)

// Ruling is the policy that counts for an instance of a service.
type Ruling struct {
	Filter *filter.Filter // nil denies everything
	Source Source
	Policy string // the name of the policy; empty for FromDefault
}

// unruled is an instance without a policy.
type unruled struct{ name, class string }

// NewPolicies returns the policies of the settings file, by the name of a service or the class of its
// token, the built-in ones, by class, and the filter of services that have none. The maps must not be
// changed afterwards.
func NewPolicies(settings, builtin map[string]*filter.Filter, fallback *filter.Filter) *Policies {
	p := &Policies{settings: settings, builtin: builtin, fallback: fallback}
	for _, all := range []map[string]*filter.Filter{settings, builtin} {
		for _, f := range all {
			p.keeps = p.keeps || f.History().Kept()
			p.tells = p.tells || f.Presence()
		}
	}
	return p
}

// keep reports whether some policy has a history.
func (p *Policies) keep() bool { return p != nil && p.keeps }

// tell reports whether some policy tells who watches its service.
func (p *Policies) tell() bool { return p != nil && p.tells }

// Of returns the policy of what an instance of a service says and is asked. The first of these that
// exists counts: the policy in the settings file for the instance's name, the one there for its class, the
// service's own, the built-in one for its class. Without any of them the fallback counts. Nothing else
// decides this order.
func (p *Policies) Of(service *Peer) Ruling {
	if p == nil {
		p = new(Policies)
	}
	if f := p.settings[service.Name]; f != nil {
		return Ruling{f, FromSettings, service.Name}
	}
	if f := p.settings[service.Class]; f != nil {
		return Ruling{f, FromSettings, service.Class}
	}
	if service.Policy != nil {
		return Ruling{service.Policy, FromService, service.Name}
	}
	if f := p.builtin[service.Class]; f != nil {
		return Ruling{f, FromBuiltin, service.Class}
	}
	return Ruling{Filter: p.fallback, Source: FromDefault}
}

// has reports whether there is a policy in the settings file or a built-in one under the name of a service
// or class.
func (p *Policies) has(name string) bool {
	return p != nil && (p.settings[name] != nil || p.builtin[name] != nil)
}

// open reports whether everybody gets all that services without a policy say.
func (p *Policies) open() bool {
	return p != nil && p.fallback.AllowRequest(filter.Subject{}, nil, nil)
}

// policy returns the filter of what an instance of a service says and is asked.
func (d *Deps) policy(service *Peer) *filter.Filter { return d.settings().Policies.Of(service).Filter }

// warnOfNone logs that an instance has no policy and what to set: once for each name and class, also
// after a reload, until the name or class has had a policy.
func (d *Deps) warnOfNone(service *Peer) {
	p, cause := d.settings().Policies, unruled{service.Name, service.Class}
	switch {
	case p == nil:
		return
	case p.Of(service).Source != FromDefault:
		d.unruled.Forget(cause)
		return
	case !d.unruled.First(cause):
		return
	}
	message := "service without a policy: what it says reaches nobody, and requests are refused"
	if p.open() {
		message = "service without a policy: everybody gets all it says"
	}
	d.Log.Warn(message, "service", refusals.Clip(service.Name), "class", refusals.Clip(service.Class),
		"setting", "policies, routing.default_policy")
}
