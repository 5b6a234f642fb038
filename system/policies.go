package system

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"strowger/actors"
	"strowger/actors/filter"
	"strowger/config"
	"strowger/config/policy"
)

// governors makes policies into filters. What a reload leaves as it was stays the same filter, so
// that no topic has to sort its members anew.
type governors struct {
	current *actors.Policies // nil: none yet
	sources map[string]policy.Policy
	filters map[string]*filter.Filter
	unknown string // what holds for services without a policy
}

// policies returns the policies of cfg. On error, which names the policy and is not to be expected
// of a configuration that was loaded, everything stays as it was.
func (g *governors) policies(cfg *config.Config) (*actors.Policies, error) {
	sources, err := cfg.EffectivePolicies()
	if err != nil {
		return nil, err
	}
	if g.current != nil && g.unknown == cfg.Routing.DefaultPolicy && reflect.DeepEqual(g.sources, sources) {
		return g.current, nil
	}
	filters := make(map[string]*filter.Filter, len(sources))
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		if old, had := g.sources[name]; had && reflect.DeepEqual(old, sources[name]) {
			filters[name] = g.filters[name]
			continue
		}
		if filters[name], err = filter.Compile(sources[name]); err != nil {
			return nil, fmt.Errorf("policies.%s: %w", name, err)
		}
	}
	g.sources, g.filters, g.unknown = sources, filters, cfg.Routing.DefaultPolicy
	g.current = actors.NewPolicies(filters, fallback(g.unknown))
	return g.current, nil
}

// fallback returns the filter of services without a policy: only the word allow opens them.
func fallback(word string) *filter.Filter {
	if word == "allow" {
		return filter.Pass()
	}
	return filter.Deny()
}

// warnOfUnused logs which policies of cfg change nothing because a service in the router has its own.
func (s *System) warnOfUnused(cfg *config.Config) {
	for _, h := range s.services.homes {
		if h.peer.Policy == nil {
			continue
		}
		name := h.peer.Name
		for _, written := range []string{name, policy.BuiltinClass(name)} {
			if _, found := cfg.Policies[written]; found {
				s.log.Warn("policy is not used, the service in the router has its own", "service", name, "setting", "policies."+written)
			}
		}
	}
}
