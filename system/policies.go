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
	current  *actors.Policies // nil: none yet
	settings compiled
	builtin  compiled
	unknown  string // what holds for services without a policy
}

// compiled are policies and the filters that they came to, by name.
type compiled struct {
	sources map[string]policy.Policy
	filters map[string]*filter.Filter
}

// policies returns the policies of cfg. On error, which names the policy and is not to be expected
// of a configuration that was loaded, everything stays as it was.
func (g *governors) policies(cfg *config.Config) (*actors.Policies, error) {
	sources, err := policy.Builtin()
	if err != nil {
		return nil, err
	}
	if g.current != nil && g.unknown == cfg.Routing.DefaultPolicy && same(g.settings.sources, cfg.Policies) {
		return g.current, nil
	}
	builtin, err := g.builtin.compile(sources)
	if err != nil {
		return nil, err
	}
	settings, err := g.settings.compile(cfg.Policies)
	if err != nil {
		return nil, err
	}
	g.settings, g.builtin, g.unknown = settings, builtin, cfg.Routing.DefaultPolicy
	g.current = actors.NewPolicies(settings.filters, builtin.filters, fallback(g.unknown))
	return g.current, nil
}

// same reports whether two sets of policies are equal. A nil set equals an empty one.
func same(a, b map[string]policy.Policy) bool {
	return maps.EqualFunc(a, b, func(one, other policy.Policy) bool { return reflect.DeepEqual(one, other) })
}

// compile returns sources with their filters. A policy that c has too keeps its filter.
func (c compiled) compile(sources map[string]policy.Policy) (compiled, error) {
	next := compiled{sources: maps.Clone(sources), filters: make(map[string]*filter.Filter, len(sources))}
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		if old, had := c.sources[name]; had && reflect.DeepEqual(old, sources[name]) {
			next.filters[name] = c.filters[name]
			continue
		}
		f, err := filter.Compile(sources[name])
		if err != nil {
			return compiled{}, fmt.Errorf("policies.%s: %w", name, err)
		}
		next.filters[name] = f
	}
	return next, nil
}

// fallback returns the filter of services without a policy: only the word allow opens them.
func fallback(word string) *filter.Filter {
	if word == "allow" {
		return filter.Pass()
	}
	return filter.Deny()
}
