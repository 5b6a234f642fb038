package actors

import (
	"strowger/actors/filter"
	"strowger/actors/refusals"
)

// Policies says which filter stands between a service and its subscribers. It never changes: a
// reload puts another one into Settings. Its zero value, like a nil one, denies everything.
type Policies struct {
	filters  map[string]*filter.Filter
	fallback *filter.Filter
}

// unruled is an instance without a policy.
type unruled struct{ name, class string }

// NewPolicies returns policies by the name of a service or the class of its token, and the filter
// of those that have none. The map must not be changed afterwards.
func NewPolicies(filters map[string]*filter.Filter, fallback *filter.Filter) *Policies {
	return &Policies{filters: filters, fallback: fallback}
}

// Of returns the filter of what an instance of a service says and is asked: the instance's own, or
// that of its name, or that of its class, or else the fallback, and then found is false.
func (p *Policies) Of(service *Peer) (f *filter.Filter, found bool) {
	switch {
	case service.Policy != nil:
		return service.Policy, true
	case p == nil:
		return nil, false
	}
	if f, found = p.filters[service.Name]; found {
		return f, true
	}
	if f, found = p.filters[service.Class]; found {
		return f, true
	}
	return p.fallback, false
}

// has reports whether there is a policy under the name of a service or class.
func (p *Policies) has(name string) bool { return p != nil && p.filters[name] != nil }

// open reports whether everybody gets all that services without a policy say.
func (p *Policies) open() bool {
	return p != nil && p.fallback.AllowRequest(filter.Subject{}, nil, nil)
}

// policy returns the filter of what an instance of a service says and is asked.
func (d *Deps) policy(service *Peer) *filter.Filter {
	f, _ := d.settings().Policies.Of(service)
	return f
}

// warnOfNone logs that an instance has no policy and what to set: once for each name and class, also
// after a reload, until the name or class has had a policy.
func (d *Deps) warnOfNone(service *Peer) {
	p, cause := d.settings().Policies, unruled{service.Name, service.Class}
	_, found := p.Of(service)
	switch {
	case p == nil:
		return
	case found:
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
