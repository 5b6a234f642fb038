package filter

import (
	"strings"
	"testing"
)

func TestCompileErrors(t *testing.T) {
	domain := []Scope{{To: Domain, Keys: []string{"d"}}}
	one := map[string][]string{"a": {"p"}}
	tests := map[string]struct {
		policy Policy
		want   []string // the lines, in order
	}{
		"nothing":                {Policy{}, []string{`scopes: no rule at all; write a scope to all to let everybody see everything`}},
		"empty and repeated":     {Policy{Require: []string{"", "p", "p"}}, []string{`require[0]: is empty`, `require[2]: "p" is there twice`}},
		"empty lists":            {Policy{Require: []string{}, Keys: []string{}, Scopes: domain}, []string{`require: is an empty list; leave it out`, `keys: is an empty list; leave it out`}},
		"no permission":          {Policy{Requests: map[string][]string{"t": {}}}, []string{`requests.t: names no permission`}},
		"empty permission":       {Policy{TopicPermissions: map[string][]string{"t": {""}}}, []string{`topic_permissions.t[0]: is empty`}},
		"key that is not listed": {Policy{Keys: []string{"b"}, KeyPermissions: one}, []string{`key_permissions.a: decides nothing, as keys does not allow this key`}},
		"several": {Policy{Events: []string{""}, KeyPermissions: map[string][]string{"a": nil}, Scopes: []Scope{{To: "everything"}}},
			[]string{`events[0]: is empty`, `key_permissions.a: names no permission`, `scopes[0].to: "everything" is none of all, domain, extensions, none`}},
		"scope never counts": {Policy{Scopes: []Scope{{To: None}, {To: All}}}, []string{`scopes[0].permission: is missing, so no scope after this one ever counts`}},
		"scope twice":        {Policy{Scopes: []Scope{{Permission: "p", To: All}, {Permission: "p", To: None}}}, []string{`scopes[1].permission: "p" has a scope before this one`}},
		"domain without key": {Policy{Scopes: []Scope{{To: Domain}}}, []string{`scopes[0].keys: names no payload key that tells the domain`}},
		"all with key":       {Policy{Scopes: []Scope{{To: All, Accept: []string{"x"}}}}, []string{`scopes[0]: to all takes no keys, list_keys or accept`}},
		"key in both forms":  {Policy{Scopes: []Scope{{To: Domain, Keys: []string{"d", "d@"}}}}, []string{`scopes[0].keys[1]: "d" is there twice`}},
		"only an at":         {Policy{Scopes: []Scope{{To: Domain, Keys: []string{"d"}, ListKeys: []string{"@"}}}}, []string{`scopes[0].list_keys[0]: is empty`}},
		"extensions": {Policy{Scopes: []Scope{{To: Extensions, Keys: []string{"e@"}, Accept: []string{"x"}}}},
			[]string{`scopes[0].accept: is for scopes to domain only`, `scopes[0].keys: "e@": a trailing @ is for scopes to domain only`}},
		"tenants of nobody": {Policy{Scopes: []Scope{{To: All}}, TenantKeys: []string{"d", "d@"}},
			[]string{`tenant_keys[1]: "d" is there twice`, `tenant_keys: decides nothing, as no scope is limited`}},
		"streams alone":       {Policy{Streams: []string{"t"}}, []string{`scopes: no rule at all; write a scope to all to let everybody see everything`}},
		"stream twice":        {Policy{Scopes: domain, Streams: []string{"t", "t"}}, []string{`streams[1]: "t" is there twice`}},
		"lists without keys":  {Policy{Scopes: domain, Absent: Absent{Lists: []string{"t"}}}, []string{`absent.lists: decides nothing, as no scope has list_keys`}},
		"absent without need": {Policy{KeyPermissions: one, Absent: Absent{Pass: true}}, []string{`absent: decides nothing, as neither events nor a scope needs a key`}},
		"absent twice":        {Policy{Scopes: domain, Absent: Absent{Pass: true, Topics: []string{"t"}}}, []string{`absent: pass lets everything pass, so events and topics decide nothing`}},
		"absent events":       {Policy{Events: []string{"E"}, Absent: Absent{Events: []string{"E"}}}, []string{`absent.events: decides nothing, as no scope needs a key`}},
		"absent event":        {Policy{Events: []string{"E"}, Scopes: domain, Absent: Absent{Events: []string{"F"}}}, []string{`absent.events[0]: "F" is not allowed by events`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f, err := Compile(test.policy)
			if err == nil || f != nil {
				t.Fatalf("got %v, %v", f, err)
			}
			if want := strings.Join(test.want, "\n"); err.Error() != want {
				t.Errorf("got\n%v\nwant\n%s", err, want)
			}
		})
	}
}

func TestCompileKeepsNothingOfThePolicy(t *testing.T) {
	p := Policy{
		Require:  []string{"p"},
		Scopes:   []Scope{{To: Domain, Keys: []string{"d"}, Accept: []string{"default"}}},
		Requests: map[string][]string{"t": {"q"}}, TenantKeys: []string{"d"},
	}
	f := compile(t, p)
	p.Require[0], p.Scopes[0].Accept[0], p.Requests["t"][0], p.TenantKeys[0] = "x", "x", "x", "x"
	s := subject("p q a.b")
	if got := applied(f, s, "t", `{"d":"default"}`); got == dropped || !f.AllowRequest(s, []byte(`"t"`), nil) || f.AllowRequest(s, nil, []byte(`{"d":"c.d"}`)) {
		t.Error("a change of the policy reached the filter")
	}
}

func TestParse(t *testing.T) {
	tests := map[string]struct{ yaml, want string }{
		"unknown key":   {"a:\n  require: [p]\n  scope: x\n", "line 3: field scope not found"},
		"class twice":   {"a:\n  require: [p]\na:\n  require: [p]\n", "line 3: mapping key \"a\" already defined"},
		"wrong type":    {"a:\n  require: p\n", "line 2: cannot unmarshal"},
		"bad policies":  {"a: {}\nb:\n  require: [p, p]\n", "policy a: scopes: no rule at all; write a scope to all to let everybody see everything\npolicy b: require[1]: \"p\" is there twice"},
		"two documents": {"a:\n  require: [p]\n---\nb:\n  require: [p]\n", "more than one document"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(test.yaml)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	if p, err := Parse(nil); err != nil || len(p) != 0 {
		t.Errorf("no document: got %v, %v", p, err)
	}
}

func TestBuiltin(t *testing.T) {
	policies, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse([]byte(BuiltinYAML()))
	if err != nil || len(again) != len(policies) {
		t.Errorf("the YAML holds %d policies, %v", len(again), err)
	}
	for _, class := range []string{"active_calls_service", "active_conferences_service", "system_dashboard_service", "operator_panel_service"} {
		p, found := policies[class]
		if !found {
			t.Errorf("%s is missing", class)
			continue
		}
		compile(t, p)
	}
	if len(policies) != 4 {
		t.Errorf("there are %d policies, want 4", len(policies))
	}
}
