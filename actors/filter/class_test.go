package filter

import (
	"testing"

	"strowger/config/policy"
)

func TestClass(t *testing.T) {
	f := compile(t, policy.Policy{
		Keys: []string{"a", "b", "c"},
		Scopes: []policy.Scope{
			{Permission: "all", To: policy.All},
			{Permission: "dom", To: policy.Domain, Keys: []string{"d"}},
			{Permission: "dom2", To: policy.Domain, Keys: []string{"d"}},
			{Permission: "nothing", To: policy.None},
			{Permission: "ext", To: policy.Extensions, Keys: []string{"e"}},
		},
		KeyPermissions:   map[string][]string{"a": {"p", "q"}, "b": {"q", "p"}, "c": {"r"}},
		TopicPermissions: map[string][]string{"t": {"s"}},
	})
	tests := map[string]struct {
		a, b string
		same bool
	}{
		"themselves":                   {"all p r", "all p r", true},
		"permissions without a rule":   {"all x", "all y", true},
		"either permission of a rule":  {"all p", "all q", true},
		"both permissions of a rule":   {"all p", "all p q", true},
		"a rule more":                  {"all p", "all p r", false},
		"a topic more":                 {"all", "all s", false},
		"domain that does not count":   {"all a.b", "all c.d 1@a", true},
		"domain":                       {"dom a.b", "dom c.d", false},
		"domain, extension not asked":  {"dom a.b 1@a", "dom a.b 2@a", true},
		"scopes with the same limits":  {"dom a.b", "dom2 a.b", true},
		"first scope counts":           {"all dom a.b", "all", true},
		"all and domain":               {"all a.b", "dom a.b", false},
		"extensions":                   {"ext 1@a", "ext 2@a", false},
		"extensions in another order":  {"ext 1@a 2@a", "ext 2@a 1@a 1@a", true},
		"an extension more":            {"ext 1@a 2@a", "ext 1@a", false},
		"none, and no scope":           {"nothing p a.b", "p", true},
		"no domain to compare":         {"dom p", "nothing", true},
		"no extension to compare":      {"ext p a.b", "", true},
		"a domain like the extensions": {"dom 1@a", "ext 1@a", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if same := f.Class(subject(test.a)) == f.Class(subject(test.b)); same != test.same {
				t.Errorf("same class: %t, want %t", same, test.same)
			}
		})
	}
}

func TestManyPermissionRules(t *testing.T) {
	p := policy.Policy{KeyPermissions: map[string][]string{}}
	for c := 'A'; c <= 'Z'; c++ {
		p.KeyPermissions[string(c)] = []string{"see" + string(c)}
	}
	f := compile(t, p)
	if got := applied(f, subject("seeB seeQ seeZ"), "t", `{"A":1,"B":2,"Q":3,"R":4,"Z":5}`); got != `{"B":2,"Q":3,"Z":5}` {
		t.Errorf("got %s", got)
	}
}

func TestForeignClassGetsNothing(t *testing.T) {
	f := compile(t, policy.Policy{Scopes: []policy.Scope{{To: policy.All}}})
	g := compile(t, policy.Policy{Scopes: []policy.Scope{{To: policy.All}}})
	for name, c := range map[string]Class{"zero": {}, "another filter's": g.Class(Subject{})} {
		if out, v := f.Apply(c, "t", []byte(`1`), nil); v != Drop || out != nil {
			t.Errorf("%s class got %s", name, out)
		}
	}
}

func TestExtensionWithSeparator(t *testing.T) {
	f := compile(t, policy.Policy{Scopes: []policy.Scope{{To: policy.Extensions, Keys: []string{"e"}}}})
	s := Subject{Extensions: []string{"1@a\n2@b", "", "3@c"}}
	for payload, want := range map[string]string{`{"e":"2@b"}`: dropped, `{"e":"1@a\n2@b"}`: dropped, `{"e":""}`: dropped, `{"e":"3@c"}`: `{"e":"3@c"}`} {
		if got := applied(f, s, "t", payload); got != want {
			t.Errorf("%s: got %s", payload, got)
		}
	}
}

func TestRuleOfKeyAndTopic(t *testing.T) {
	f := compile(t, policy.Policy{
		KeyPermissions:   map[string][]string{"a": {"p"}},
		TopicPermissions: map[string][]string{"t": {"p"}},
	})
	if got := applied(f, Subject{}, "u", `{"a":1}`); got != `{}` {
		t.Errorf("got %s", got)
	}
	if got := applied(f, Subject{}, "t", `{}`); got != dropped {
		t.Errorf("got %s", got)
	}
}
