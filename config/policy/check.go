package policy

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Error is one thing wrong with a policy. What Check returns joins all of them.
type Error struct {
	Path string // of the rule, such as scopes[0].to
	Msg  string
}

// Error returns path and message on one line.
func (e *Error) Error() string { return e.Path + ": " + e.Msg }

// checker gathers what is wrong with a policy.
type checker struct{ errs []error }

func (c *checker) add(path, format string, args ...any) {
	c.errs = append(c.errs, &Error{path, fmt.Sprintf(format, args...)})
}

// Check returns all that is wrong with p, joined, each an *Error, in the order of the rules; nil if p is good.
func (p Policy) Check() error { return errors.Join(p.check()...) }

func (p Policy) check() []error {
	ruled := p
	ruled.Streams, ruled.History = nil, History{} // they decide nothing about who sees what
	ruled.Slow, ruled.Coalesce, ruled.Presence = "", nil, nil
	if reflect.ValueOf(ruled).IsZero() {
		return []error{&Error{"scopes", "no rule at all; write a scope to all to let everybody see everything"}}
	}
	c := new(checker)
	c.names("require", p.Require)
	c.names("events", p.Events)
	c.names("keys", p.Keys)
	c.permissions("key_permissions", p.KeyPermissions)
	c.permissions("topic_permissions", p.TopicPermissions)
	c.permissions("requests", p.Requests)
	for _, key := range slices.Sorted(maps.Keys(p.KeyPermissions)) {
		if len(p.Keys) > 0 && !slices.Contains(p.Keys, key) {
			c.add("key_permissions."+key, "decides nothing, as keys does not allow this key")
		}
	}
	c.scopes(p.Scopes)
	c.absent(p)
	c.tenants(p)
	c.names("streams", p.Streams)
	c.history(p.History)
	c.slow(p)
	c.presence(p.Presence)
	return c.errs
}

// names wants texts that are not empty and come once. A list that is there and empty could mean
// nobody as well as everybody.
func (c *checker) names(path string, names []string) {
	if names != nil && len(names) == 0 {
		c.add(path, "is an empty list; leave it out")
	}
	seen := map[string]bool{}
	for i, name := range names {
		switch {
		case name == "":
			c.add(fmt.Sprintf("%s[%d]", path, i), "is empty")
		case seen[name]:
			c.add(fmt.Sprintf("%s[%d]", path, i), "%q is there twice", name)
		}
		seen[name] = true
	}
}

func (c *checker) permissions(path string, rules map[string][]string) {
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		at := path + "." + name
		if len(rules[name]) == 0 {
			c.add(at, "names no permission")
			continue
		}
		c.names(at, rules[name])
	}
}

func (c *checker) scopes(scopes []Scope) {
	seen := map[string]bool{}
	for i, s := range scopes {
		path := fmt.Sprintf("scopes[%d]", i)
		switch {
		case s.Permission == "" && i < len(scopes)-1:
			c.add(path+".permission", "is missing, so no scope after this one ever counts")
		case s.Permission != "" && seen[s.Permission]:
			c.add(path+".permission", "%q has a scope before this one", s.Permission)
		}
		seen[s.Permission] = true
		c.scope(path, s)
	}
}

func (c *checker) scope(path string, s Scope) {
	c.names(path+".accept", s.Accept)
	switch s.To {
	case All, None:
		if len(s.Keys)+len(s.ListKeys)+len(s.Accept) > 0 {
			c.add(path, "to %s takes no keys, list_keys or accept", s.To)
		}
	case Domain:
		c.carriers(path, s)
	case Extensions:
		c.carriers(path, s)
		if len(s.Accept) > 0 {
			c.add(path+".accept", "is for scopes to domain only")
		}
		for _, key := range slices.Concat(s.Keys, s.ListKeys) {
			if strings.HasSuffix(key, "@") {
				c.add(path+".keys", "%q: a trailing @ is for scopes to domain only", key)
			}
		}
	default:
		c.add(path+".to", "%q is none of all, domain, extensions, none", s.To)
	}
}

func (c *checker) carriers(path string, s Scope) {
	for _, key := range slices.Concat(s.Keys, s.ListKeys) {
		if strings.HasSuffix(key, "@?") {
			c.add(path+".keys", "%q: a trailing @? is for tenant_keys only", key)
		}
	}
	if len(s.Keys) == 0 {
		c.add(path+".keys", "names no payload key that tells the %s", s.To)
	}
	c.names(path+".keys", bare(s.Keys))
	c.names(path+".list_keys", bare(s.ListKeys))
}

// bare returns the keys without the @ or @? that some of them end in.
func bare(keys []string) []string {
	var names []string
	for _, key := range keys {
		names = append(names, strings.TrimSuffix(strings.TrimSuffix(key, "?"), "@"))
	}
	return names
}

func (c *checker) tenants(p Policy) {
	c.names("tenant_keys", bare(p.TenantKeys))
	if len(p.TenantKeys) > 0 && !p.limited() {
		c.add("tenant_keys", "decides nothing, as no scope is limited")
	}
	c.names("plain_keys", p.PlainKeys)
	if len(p.PlainKeys) > 0 && !p.limited() {
		c.add("plain_keys", "decides nothing, as no scope is limited")
	}
	for i, key := range p.TenantKeys {
		if strings.HasSuffix(key, "?") && !strings.HasSuffix(key, "@?") {
			c.add(fmt.Sprintf("tenant_keys[%d]", i), "%q: a ? comes only after an @", key)
		}
	}
	for i, key := range p.PlainKeys {
		if strings.ContainsAny(key, "@?") {
			c.add(fmt.Sprintf("plain_keys[%d]", i), "%q: takes no @ or ?", key)
		}
	}
}

// limited tells whether some scope limits whose messages its subscribers see.
func (p Policy) limited() bool {
	return slices.ContainsFunc(p.Scopes, func(s Scope) bool { return s.To == Domain || s.To == Extensions })
}

func (c *checker) absent(p Policy) {
	c.names("absent.events", p.Absent.Events)
	c.names("absent.topics", p.Absent.Topics)
	c.names("absent.lists", p.Absent.Lists)
	scoped := p.limited()
	some := len(p.Absent.Events)+len(p.Absent.Topics) > 0
	switch {
	case p.Absent.Pass && some:
		c.add("absent", "pass lets everything pass, so events and topics decide nothing")
	case (p.Absent.Pass || some) && !scoped && len(p.Events) == 0:
		c.add("absent", "decides nothing, as neither events nor a scope needs a key")
	case len(p.Absent.Events) > 0 && !scoped:
		c.add("absent.events", "decides nothing, as no scope needs a key")
	}
	if len(p.Absent.Lists) > 0 && !slices.ContainsFunc(p.Scopes, func(s Scope) bool { return len(s.ListKeys) > 0 }) {
		c.add("absent.lists", "decides nothing, as no scope has list_keys")
	}
	for i, event := range p.Absent.Events {
		if len(p.Events) > 0 && !slices.Contains(p.Events, event) {
			c.add(fmt.Sprintf("absent.events[%d]", i), "%q is not allowed by events", event)
		}
	}
}
