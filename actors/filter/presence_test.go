package filter

import (
	"slices"
	"testing"

	"strowger/config/policy"
)

func mustCompile(t *testing.T, p policy.Policy) *Filter {
	t.Helper()
	f, err := Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Whom a subject is told of depends on its scope and on the tokens of both, and on nothing else.
func TestOnlooker(t *testing.T) {
	f := mustCompile(t, policy.Policy{
		Require: []string{"in"},
		Events:  []string{"E"},
		Keys:    []string{"x"},
		Scopes: []policy.Scope{
			{Permission: "none", To: policy.None},
			{Permission: "all", To: policy.All},
			{Permission: "phone", To: policy.Extensions, Keys: []string{"e"}},
			{To: policy.Domain, Keys: []string{"d"}, Accept: []string{"default"}},
		},
		TopicPermissions: map[string][]string{PresenceTopic: {"see"}},
		KeyPermissions:   map[string][]string{"x": {"top"}},
		Presence:         []string{policy.UserName, policy.DomainName},
	})
	others := map[string]*Subject{
		"a": {Domain: "a", Extensions: []string{"1@a", "2@a"}}, "b": {Domain: "b", Extensions: []string{"1@b"}}, "default": {Domain: "default"}, "nobody": {},
	}
	for name, tt := range map[string]struct {
		subject Subject
		sees    []string // nil: it is told nothing
	}{
		"no permission":      {Subject{Domain: "a", Permissions: []string{"see"}}, nil},
		"not the topic's":    {Subject{Domain: "a", Permissions: []string{"in"}}, nil},
		"scope to none":      {Subject{Domain: "a", Permissions: []string{"in", "none", "see"}}, nil},
		"scope to all":       {Subject{Permissions: []string{"all", "in", "see"}}, []string{"a", "b", "default", "nobody"}},
		"own extension":      {Subject{Domain: "b", Extensions: []string{"2@a"}, Permissions: []string{"in", "phone", "see"}}, []string{"a"}},
		"part of an address": {Subject{Domain: "a", Extensions: []string{"1"}, Permissions: []string{"in", "phone", "see"}}, []string{}},
		"own domain":         {Subject{Domain: "a", Permissions: []string{"in", "see"}}, []string{"a"}},
		"no domain":          {Subject{Permissions: []string{"in", "see"}}, []string{}},
	} {
		o, told := f.Onlooker(f.Class(tt.subject))
		if told != (tt.sees != nil) {
			t.Errorf("%s: told is %t", name, told)
			continue
		}
		if told && !slices.Equal(o.Fields(), []string{policy.UserName, policy.DomainName}) {
			t.Errorf("%s: it is told %v", name, o.Fields())
		}
		for who, other := range others {
			if told && o.Sees(other) != slices.Contains(tt.sees, who) {
				t.Errorf("%s: sees %s is %t", name, who, o.Sees(other))
			}
		}
	}
}

// A filter tells nothing without the rule, and nothing to a class of another filter.
func TestNoOnlooker(t *testing.T) {
	p := policy.Policy{Scopes: []policy.Scope{{To: policy.All}}}
	off := mustCompile(t, p)
	p.Presence = []string{policy.UserName}
	on := mustCompile(t, p)
	for name, f := range map[string]*Filter{"nil": nil, "deny": Deny(), "pass": Pass(), "without the rule": off} {
		if _, told := f.Onlooker(f.Class(Subject{})); told || f.Presence() {
			t.Errorf("%s tells", name)
		}
	}
	if _, told := on.Onlooker(off.Class(Subject{})); told {
		t.Error("a class of another filter is told something")
	}
	if _, told := on.Onlooker(on.Class(Subject{})); !told {
		t.Error("a class of its own is told nothing")
	}
	if on.Alike(off) || !on.Alike(mustCompile(t, p)) {
		t.Error("filters of the same policy are alike, and no others")
	}
}
