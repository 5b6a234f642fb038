package filter

import (
	"slices"
	"strings"

	"strowger/config/policy"
)

// Filter is a compiled Policy. It never changes and may be used by many goroutines at once. A nil
// Filter denies as Deny does.
type Filter struct {
	require    []string
	events     map[string]bool // nil: all
	readsEvent bool            // events or absent ask for the event's name
	scopes     []scope
	absent     absent
	listed     bool            // only the keys in keys are allowed
	keys       map[string]int  // a key's index in sets, or free
	topics     map[string]int  // the same for a topic
	sets       []permissionSet // each combination of permissions once
	requests   map[string][]string
	tenants    []carrier
	plain      map[string]bool // nil: none
	streams    map[string]bool
	history    policy.History
	slow       policy.Slow
	coalesce   []string
	presence   []string // fields of who watches; nil: nobody is told
}

// free is the place of an index in sets for a key that needs no permission.
const free = -1

// permissionSet is permissions of which one is enough, sorted.
type permissionSet struct {
	any   []string
	ofKey bool // guards a key, not only topics
}

type absent struct {
	pass   bool
	events map[string]bool
	topics map[string]bool
	lists  map[string]bool
}

// scope is a compiled Scope.
type scope struct {
	permission string
	to         policy.Reach
	keys       []carrier
	listKeys   []carrier
	accept     []string
	implied    bool // the policy has no scopes
}

// carrier is a payload key that tells whose a message is.
type carrier struct {
	name  string
	after bool // only what follows the last @ counts
	maybe bool // of a tenant key: the value need not have an @
}

// Pass returns a filter that gives everything to everybody and lets everybody ask.
func Pass() *Filter { return &Filter{scopes: []scope{{to: policy.All, implied: true}}} }

// Deny returns a filter that gives nothing to anybody and lets nobody ask: for services without a
// policy.
func Deny() *Filter { return &Filter{} }

// History returns what is to be kept of the broadcasts that pass the filter.
func (f *Filter) History() policy.History {
	if f == nil {
		return policy.History{}
	}
	return f.history
}

// Compile makes a filter of p, or returns what p.Check does. The caller may change p afterwards.
func Compile(p policy.Policy) (*Filter, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	f := &Filter{
		require:    slices.Clone(p.Require),
		events:     set(p.Events),
		readsEvent: len(p.Events)+len(p.Absent.Events) > 0,
		absent:     absent{pass: p.Absent.Pass, events: set(p.Absent.Events), topics: set(p.Absent.Topics), lists: set(p.Absent.Lists)},
		listed:     len(p.Keys) > 0,
		keys:       map[string]int{},
		topics:     map[string]int{},
		requests:   map[string][]string{},
		tenants:    carriers(p.TenantKeys),
		plain:      set(p.PlainKeys),
		streams:    set(p.Streams),
		history:    p.History,
		slow:       p.Slow,
		coalesce:   slices.Clone(p.Coalesce),
		presence:   slices.Clone(p.Presence),
	}
	for _, s := range p.Scopes {
		f.scopes = append(f.scopes, scope{permission: s.Permission, to: s.To, keys: carriers(s.Keys),
			listKeys: carriers(s.ListKeys), accept: slices.Clone(s.Accept)})
	}
	if len(p.Scopes) == 0 {
		f.scopes = []scope{{to: policy.All, implied: true}}
	}
	for _, key := range p.Keys {
		f.keys[key] = free
	}
	for key, permissions := range p.KeyPermissions {
		f.keys[key] = f.intern(permissions, true)
	}
	for topic, permissions := range p.TopicPermissions {
		f.topics[topic] = f.intern(permissions, false)
	}
	for topic, permissions := range p.Requests {
		f.requests[topic] = slices.Clone(permissions)
	}
	return f, nil
}

// intern returns the index of permissions in sets.
func (f *Filter) intern(permissions []string, ofKey bool) int {
	sorted := slices.Sorted(slices.Values(permissions))
	i := slices.IndexFunc(f.sets, func(s permissionSet) bool { return slices.Equal(s.any, sorted) })
	if i < 0 {
		i = len(f.sets)
		f.sets = append(f.sets, permissionSet{any: sorted})
	}
	f.sets[i].ofKey = f.sets[i].ofKey || ofKey
	return i
}

func carriers(keys []string) []carrier {
	var cs []carrier
	for _, key := range keys {
		key, maybe := strings.CutSuffix(key, "?")
		name, after := strings.CutSuffix(key, "@")
		cs = append(cs, carrier{name, after, maybe})
	}
	return cs
}

// set returns nil for no names.
func set(names []string) map[string]bool {
	if len(names) == 0 {
		return nil
	}
	m := make(map[string]bool, len(names))
	for _, name := range names {
		m[name] = true
	}
	return m
}
