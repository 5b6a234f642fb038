package policy

import (
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
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
		"streams alone":        {Policy{Streams: []string{"t"}}, []string{`scopes: no rule at all; write a scope to all to let everybody see everything`}},
		"stream twice":         {Policy{Scopes: domain, Streams: []string{"t", "t"}}, []string{`streams[1]: "t" is there twice`}},
		"lists without keys":   {Policy{Scopes: domain, Absent: Absent{Lists: []string{"t"}}}, []string{`absent.lists: decides nothing, as no scope has list_keys`}},
		"absent without need":  {Policy{KeyPermissions: one, Absent: Absent{Pass: true}}, []string{`absent: decides nothing, as neither events nor a scope needs a key`}},
		"absent twice":         {Policy{Scopes: domain, Absent: Absent{Pass: true, Topics: []string{"t"}}}, []string{`absent: pass lets everything pass, so events and topics decide nothing`}},
		"absent events":        {Policy{Events: []string{"E"}, Absent: Absent{Events: []string{"E"}}}, []string{`absent.events: decides nothing, as no scope needs a key`}},
		"absent event":         {Policy{Events: []string{"E"}, Scopes: domain, Absent: Absent{Events: []string{"F"}}}, []string{`absent.events[0]: "F" is not allowed by events`}},
		"presence alone":       {Policy{Presence: []string{UserName}}, []string{`scopes: no rule at all; write a scope to all to let everybody see everything`}},
		"presence of what":     {Policy{Scopes: domain, Presence: []string{UserName, "password", UserName}}, []string{`presence[2]: "user_name" is there twice`, `presence[1]: "password" is none of user_name, user_uuid, domain_name, domain_uuid, extensions`}},
		"presence of nothing":  {Policy{Scopes: domain, Presence: []string{}}, []string{`presence: is an empty list; leave it out`}},
		"slow alone":           {Policy{Slow: DropOldest}, []string{`scopes: no rule at all; write a scope to all to let everybody see everything`}},
		"unknown slow":         {Policy{Scopes: domain, Slow: "wait"}, []string{`slow: "wait" is none of disconnect, drop_oldest, coalesce`}},
		"coalesce by nothing":  {Policy{Scopes: domain, Slow: Coalesce}, []string{`coalesce: names no payload key by which a broadcast takes the place of an older one`}},
		"coalesce for nothing": {Policy{Scopes: domain, Slow: DropOldest, Coalesce: []string{"k"}}, []string{`coalesce: decides nothing, as slow is not coalesce`}},
		"coalesce twice":       {Policy{Scopes: domain, Slow: Coalesce, Coalesce: []string{"k", "k"}}, []string{`coalesce[1]: "k" is there twice`}},
		"coalesce by too many": {Policy{Scopes: domain, Slow: Coalesce, Coalesce: strings.Split("abcdefghi", "")}, []string{`coalesce: names 9 keys, more than 8`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := test.policy.Check()
			if err == nil {
				t.Fatal("no error")
			}
			if want := strings.Join(test.want, "\n"); err.Error() != want {
				t.Errorf("got\n%v\nwant\n%s", err, want)
			}
		})
	}
}

func TestPlainKeysAreChecked(t *testing.T) {
	limited := []Scope{{To: Domain, Keys: []string{"d"}}}
	for name, p := range map[string]Policy{
		"no limited scope":    {Scopes: []Scope{{To: All}}, PlainKeys: []string{"p"}},
		"with an @":           {Scopes: limited, PlainKeys: []string{"p@"}},
		"with a ?":            {Scopes: limited, PlainKeys: []string{"p@?"}},
		"twice":               {Scopes: limited, PlainKeys: []string{"p", "p"}},
		"an empty list":       {Scopes: limited, PlainKeys: []string{}},
		"a ? without an @":    {Scopes: limited, TenantKeys: []string{"p?"}},
		"@? of a scope's key": {Scopes: []Scope{{To: Domain, Keys: []string{"d@?"}}}},
	} {
		if err := p.Check(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestSlowIsChecked(t *testing.T) {
	all := []Scope{{To: All}}
	for _, p := range []Policy{
		{Scopes: all}, {Scopes: all, Slow: Disconnect}, {Scopes: all, Slow: DropOldest},
		{Scopes: all, Slow: Coalesce, Coalesce: strings.Split("abcdefgh", "")},
	} {
		if err := p.Check(); err != nil {
			t.Errorf("%+v: %v", p, err)
		}
		if want := p.Slow == DropOldest || p.Slow == Coalesce; p.Slow.Drops() != want {
			t.Errorf("%q drops: %t", p.Slow, !want)
		}
	}
}
