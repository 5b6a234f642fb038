package config

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/config/policy"
)

// every is a policy with every rule there is.
const every = `
policies:
  active.calls:
    require: [view, watch]
    events: [CALL, "HEART.BEAT"]
    topic_permissions: {topic.one: [p]}
    scopes:
      - {permission: all, to: all}
      - permission: mine
        to: extensions
        keys: [presence]
      - permission: theirs
        to: domain
        keys: [room@, context]
        list_keys: [room@]
        accept: [default]
    absent: {events: ["HEART.BEAT"], topics: [pong], lists: [rooms]}
    keys: [event_name, room, context, a.b]
    key_permissions:
      a.b: [p, q]
    requests: {kill: [may_kill], "*": [any]}
    tenant_keys: [context, room@]
    plain_keys: [uuid]
    streams: [row]
    history: {messages: 10, bytes: 64KiB, age: 1m}
    slow: coalesce
    coalesce: [unique_id]
    presence: [user_name, extensions]
  wide_service:
    scopes: [{to: domain, keys: [d]}]
    absent: {pass: true}
`

func TestPoliciesAreRead(t *testing.T) {
	want := map[string]policy.Policy{
		"active.calls": {
			Require:          []string{"view", "watch"},
			Events:           []string{"CALL", "HEART.BEAT"},
			TopicPermissions: map[string][]string{"topic.one": {"p"}},
			Scopes: []policy.Scope{
				{Permission: "all", To: policy.All},
				{Permission: "mine", To: policy.Extensions, Keys: []string{"presence"}},
				{Permission: "theirs", To: policy.Domain, Keys: []string{"room@", "context"}, ListKeys: []string{"room@"}, Accept: []string{"default"}},
			},
			Absent:         policy.Absent{Events: []string{"HEART.BEAT"}, Topics: []string{"pong"}, Lists: []string{"rooms"}},
			Keys:           []string{"event_name", "room", "context", "a.b"},
			KeyPermissions: map[string][]string{"a.b": {"p", "q"}},
			Requests:       map[string][]string{"kill": {"may_kill"}, "*": {"any"}},
			TenantKeys:     []string{"context", "room@"},
			PlainKeys:      []string{"uuid"},
			Streams:        []string{"row"},
			History:        policy.History{Messages: 10, Bytes: 64 << 10, Age: time.Minute},
			Slow:           policy.Coalesce,
			Coalesce:       []string{"unique_id"},
			Presence:       []string{policy.UserName, policy.Extension},
		},
		"wide_service": {Scopes: []policy.Scope{{To: policy.Domain, Keys: []string{"d"}}}, Absent: policy.Absent{Pass: true}},
	}
	cfg := mustLoadYAML(t, every)
	if !reflect.DeepEqual(cfg.Policies, want) {
		t.Errorf("got  %+v\nwant %+v", cfg.Policies, want)
	}
	wantEqual(t, mustLoadYAML(t, written(t, cfg)), cfg)
}

// A rule that the policy has and the file cannot would be lost on the way.
func TestEveryRuleHasItsKey(t *testing.T) {
	p := mustLoadYAML(t, every).Policies
	var empty func(v reflect.Value, path string)
	empty = func(v reflect.Value, path string) {
		for i := range v.NumField() {
			field, name := v.Field(i), path+v.Type().Field(i).Name
			switch {
			case name == "Absent.Pass":
			case field.Kind() == reflect.Struct:
				empty(field, name+".")
			case field.IsZero():
				t.Errorf("%s is not set by the policy with every rule", name)
			}
		}
	}
	empty(reflect.ValueOf(p["active.calls"]), "")
	empty(reflect.ValueOf(p["active.calls"].Scopes[2]), "Scopes.")
}

func TestBuiltinPoliciesAreReadTheSame(t *testing.T) {
	want, err := policy.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	text.WriteString("policies:\n")
	for line := range strings.Lines(policy.BuiltinYAML()) {
		text.WriteString("  " + line)
	}
	if cfg := mustLoadYAML(t, text.String()); !reflect.DeepEqual(cfg.Policies, want) {
		t.Errorf("got  %+v\nwant %+v", cfg.Policies, want)
	}
}

func TestPoliciesThatAreWrong(t *testing.T) {
	tests := map[string]struct {
		text string
		want []string
	}{
		"no mapping":  {"policies: [a]", []string{"test.yaml:1: policies: must hold keys, not a list"}},
		"no policy":   {"policies:\n  a.b: 5", []string{"test.yaml:2: policies.a.b: must hold keys, not a single value"}},
		"empty":       {"policies:\n  a.b:\n  c: {}", []string{"test.yaml:2: policies.a.b.scopes: no rule at all; write a scope to all to let everybody see everything", "test.yaml:3: policies.c.scopes: no rule at all; write a scope to all to let everybody see everything"}},
		"unknown":     {"policies:\n  a.b:\n    key: [x]", []string{"test.yaml:3: policies.a.b.key: unknown key, did you mean keys?"}},
		"twice":       {"policies:\n  a: {keys: [x]}\n  a: {keys: [y]}", []string{"test.yaml:3: policies.a: is there twice, first on line 2"}},
		"no list":     {"policies:\n  a:\n    keys: x", []string{"test.yaml:3: policies.a.keys: takes a list, not a single value"}},
		"no value":    {"policies:\n  a:\n    keys:\n    scopes: [{to: all}]", []string{"test.yaml:3: policies.a.keys: has no value; leave the line out to have no such rule"}},
		"empty list":  {"policies:\n  a:\n    require: []\n    scopes: [{to: all}]", []string{"test.yaml:3: policies.a.require: is an empty list; leave the line out to have no such rule"}},
		"nested list": {"policies:\n  a:\n    keys:\n      - [x]", []string{"test.yaml:4: policies.a.keys[0]: is a list, not a value"}},
		"alias":       {"policies:\n  a: &p {keys: [x]}\n  b: *p", []string{"test.yaml:3: policies.b: must hold keys, not an alias (*), which is not supported"}},
		"merge":       {"policies:\n  a:\n    <<: {keys: [x]}", []string{"test.yaml:3: policies.a: has a merge key (<<), which is not supported"}},
		"no bool":     {"policies:\n  a:\n    scopes: [{to: domain, keys: [d]}]\n    absent: {pass: yes}", []string{"test.yaml:4: policies.a.absent.pass: yes is neither true nor false"}},
		"scope":       {"policies:\n  a:\n    scopes:\n      - to: all\n      - to: some", []string{"test.yaml:4: policies.a.scopes[0].permission: is missing, so no scope after this one ever counts", `test.yaml:5: policies.a.scopes[1].to: "some" is none of all, domain, extensions, none`}},
		"dotted keys": {"policies:\n  a.b:\n    keys: [a]\n    key_permissions:\n      x.y: [p]", []string{"test.yaml:5: policies.a.b.key_permissions.x.y: decides nothing, as keys does not allow this key"}},
		"huge":        {"policies:\n  a:\n    scopes: [{to: all}]\n    history: {bytes: 4100MiB}", []string{"test.yaml:4: policies.a.history.bytes: 4100MiB is out of range"}},
		"name":        {"policies:\n  \"a\\nb\": {keys: [x]}", []string{"test.yaml:2: policies: has a name that has control characters"}},
		"all at once": {"limits: {depth: 1}\npolicies:\n  a: {keys: x}\n  b: {events: [E, E]}", []string{"test.yaml:1: limits.depth: 1 is too small, the smallest is 8", "test.yaml:3: policies.a.keys: takes a list, not a single value", `test.yaml:4: policies.b.events[1]: "E" is there twice`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := loadYAML(test.text)
			wantError(t, err, test.want...)
		})
	}
}

func TestPoliciesAreNoEnvironment(t *testing.T) {
	_, err := Load(Options{Environ: []string{"STROWGER_POLICIES=x"}})
	if err == nil || !strings.Contains(err.Error(), "STROWGER_POLICIES: policies:") {
		t.Errorf("got %v", err)
	}
}

func TestDiffOfPolicies(t *testing.T) {
	before, after := mustLoadYAML(t, every), mustLoadYAML(t, every)
	delete(after.Policies, "wide_service")
	after.Policies["active.calls"] = policy.Policy{Keys: []string{"a"}}
	after.Policies["new"] = policy.Policy{Scopes: []policy.Scope{{To: policy.All}}}
	changes := Diff(before, after)
	var got []string
	for _, c := range changes {
		got = append(got, c.Key)
		if !c.Reloadable || strings.ContainsRune(c.Old+c.New, '\n') {
			t.Errorf("%+v", c)
		}
	}
	if want := []string{"policies.active.calls", "policies.new", "policies.wide_service"}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	if changes[0].New != `{keys: [a]}` || changes[1].Old != "" || changes[2].New != "" {
		t.Errorf("got %+v", changes)
	}
}

func TestEffectivePolicies(t *testing.T) {
	cfg := Default()
	builtin, err := cfg.EffectivePolicies()
	if err != nil {
		t.Fatal(err)
	}
	own := policy.Policy{Keys: []string{"a"}}
	cfg.Policies = map[string]policy.Policy{"active_calls_service": own, "x": own}
	got, err := cfg.EffectivePolicies()
	if err != nil {
		t.Fatal(err)
	}
	want := maps.Clone(builtin)
	want["active_calls_service"], want["x"] = own, own
	if !reflect.DeepEqual(got, want) || len(builtin) != 4 {
		t.Errorf("got %+v", got)
	}
}
