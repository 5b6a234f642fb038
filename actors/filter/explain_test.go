package filter

import (
	"reflect"
	"testing"

	"strowger/config/policy"
)

func TestExplain(t *testing.T) {
	f := compile(t, policy.Policy{
		Require:          []string{"view"},
		Events:           []string{"CREATE"},
		TopicPermissions: map[string][]string{"secret": {"boss"}},
		Scopes: []policy.Scope{
			{Permission: "dom", To: policy.Domain, Keys: []string{"d"}, ListKeys: []string{"d"}},
			{Permission: "ext", To: policy.Extensions, Keys: []string{"e"}},
			{Permission: "no", To: policy.None},
		},
		Absent:         policy.Absent{Topics: []string{"list"}},
		Keys:           []string{EventKey, "d", "pay"},
		KeyPermissions: map[string][]string{"pay": {"boss", "root"}},
	})
	const own = `{"event_name":"CREATE","d":"a.b","pay":1,"x":2}`
	own2 := []Field{
		{EventKey, true, "keys: allowed"}, {"d", true, "keys: allowed"},
		{"pay", false, "key_permissions.pay: any of boss, root"}, {"x", false, "keys: not allowed"},
	}
	none := []Field{{EventKey, false, "keys: allowed"}, {"d", false, "keys: allowed"}}
	tests := map[string]struct {
		subject, topic, payload string
		want                    Explanation
	}{
		"delivered": {"dom view a.b", "t", own, Explanation{Deliver, "", "scopes[0] to domain by dom", own2, []byte(`{"event_name":"CREATE","d":"a.b"}`), false, ""}},
		"required":  {"dom a.b", "t", own, Explanation{Rule: "require: has none of view", Out: true, Refused: "require: has none of view"}},
		"no scope":  {"view a.b", "t", own, Explanation{Rule: "scopes: has the permission of none", Out: true, Refused: "scopes: has the permission of none"}},
		"to none":   {"view no", "t", own, Explanation{Rule: "scopes[2] to none by no", Out: true, Refused: "scopes[2] to none by no"}},
		"topic":     {"dom view a.b", "secret", own, Explanation{Rule: "topic_permissions.secret", Scope: "scopes[0] to domain by dom", Refused: "topic_permissions.secret: no answer could reach one without the permission"}},
		"foreign": {"dom view a.b", "t", `{"event_name":"CREATE","d":"c.d"}`,
			Explanation{Rule: "scopes[0] to domain by dom: the key that tells whose it is does not match", Scope: "scopes[0] to domain by dom", Fields: none}},
		"extension absent": {"ext view 1@a", "t", `{"event_name":"CREATE","d":"c.d"}`,
			Explanation{Rule: "scopes[1] to extensions by ext: the key that tells whose it is is absent", Scope: "scopes[1] to extensions by ext", Fields: none}},
		"event":  {"dom view a.b", "t", `{"event_name":"X","d":"a.b"}`, Explanation{Rule: "events: event_name does not match", Scope: "scopes[0] to domain by dom", Fields: none}},
		"scalar": {"dom view a.b", "t", `1`, Explanation{Rule: "events: event_name is absent", Scope: "scopes[0] to domain by dom"}},
		"list": {"dom view a.b", "list", `[{"d":"a.b"},{"d":"c.d"}]`,
			Explanation{Deliver, "", "scopes[0] to domain by dom", []Field{{"0", false, "keys: a list has none"}, {"1", false, "scopes[0] to domain by dom: foreign"}}, []byte(`[]`), false, ""}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := f.Explain(subject(test.subject), test.topic, []byte(test.payload)); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

func TestExplainWithoutDomain(t *testing.T) {
	f := compile(t, policy.Policy{Scopes: []policy.Scope{{To: policy.Domain, Keys: []string{"d"}}}})
	got := f.Explain(Subject{}, "t", []byte(`{"d":""}`))
	if got.Verdict != Drop || !got.Out || got.Rule != "scopes[0] to domain: has no domain or extension of its own" {
		t.Errorf("got %+v", got)
	}
}
