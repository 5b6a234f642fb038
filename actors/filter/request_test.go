package filter

import "testing"

func TestRefusal(t *testing.T) {
	f := compile(t, Policy{
		Require:  []string{"view", "watch"},
		Scopes:   []Scope{{Permission: "banned", To: None}, {To: All}},
		Requests: map[string][]string{"hangup": {"kill", "root"}},
	})
	tests := map[string]struct{ subject, topic, want string }{
		"with it":             {"view kill", `"hangup"`, ""},
		"with the other":      {"watch root", `"hangup"`, ""},
		"without it":          {"view", `"hangup"`, "requests.hangup"},
		"spelled differently": {"view", `"h\u0061ngup"`, "requests.hangup"},
		"a topic not named":   {"view", `"ping"`, ""},
		"no topic":            {"view", ``, ""},
		"null":                {"view", `null`, ""},
		"a list":              {"view kill", `["hangup"]`, "requests: the topic is no text"},
		"a number":            {"view kill", `5`, "requests: the topic is no text"},
		"kept out":            {"kill", `"hangup"`, "require: has none of view, watch"},
		"kept out of ping":    {"", `"ping"`, "require: has none of view, watch"},
		"banned":              {"view kill banned", `"hangup"`, "scopes[0] to none by banned"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := subject(test.subject)
			if got := f.Refusal(s, []byte(test.topic), nil); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if f.AllowRequest(s, []byte(test.topic), nil) != (test.want == "") {
				t.Error("AllowRequest says otherwise")
			}
		})
	}
}

func TestTopicOfAnyKind(t *testing.T) {
	f := compile(t, Policy{Scopes: []Scope{{To: All}}})
	for _, topic := range []string{`["a"]`, `5`, `{}`, `"x"`} {
		if got := f.Refusal(Subject{}, []byte(topic), nil); got != "" {
			t.Errorf("%s: %s, though no topic is ruled", topic, got)
		}
	}
}

// protocol 11.23
func TestTenantKeys(t *testing.T) {
	f := compile(t, Policy{
		Scopes: []Scope{
			{Permission: "root", To: All},
			{Permission: "own", To: Extensions, Keys: []string{"e"}},
			{To: Domain, Keys: []string{"d"}},
		},
		TenantKeys: []string{"d", "room@"},
	})
	const d, room = "tenant_keys.d: names another tenant", "tenant_keys.room: names another tenant"
	tests := map[string]struct{ subject, payload, want string }{
		"own":                      {"a.x", `{"d":"a.x","room":"1@a.x"}`, ""},
		"other":                    {"a.x", `{"d":"b.x"}`, d},
		"other, for root":          {"root a.x", `{"d":"b.x","room":"1@b.x"}`, ""},
		"other, own extensions":    {"own a.x 1@a.x", `{"d":"b.x"}`, d},
		"another case":             {"a.x", `{"d":"A.x"}`, d},
		"empty":                    {"a.x", `{"d":""}`, d},
		"null":                     {"a.x", `{"d":null,"room":null}`, ""},
		"list":                     {"a.x", `{"d":["b.x"]}`, d},
		"number":                   {"a.x", `{"d":1}`, d},
		"twice":                    {"a.x", `{"d":"a.x","d":"b.x"}`, d},
		"escaped key":              {"a.x", `{"\u0064":"b.x"}`, d},
		"escaped value":            {"a.x", `{"d":"\u0061.x"}`, ""},
		"nested":                   {"a.x", `{"o":{"d":"b.x"}}`, ""},
		"other key":                {"a.x", `{"D":"b.x"}`, ""},
		"no object":                {"a.x", `["b.x"]`, ""},
		"nothing":                  {"a.x", ``, ""},
		"not JSON":                 {"a.x", `{"o"`, "tenant_keys: not JSON"},
		"room of another":          {"a.x", `{"room":"1@b.x"}`, room},
		"room by the last at":      {"a.x", `{"room":"1@b.x@a.x"}`, room},
		"room without domain":      {"a.x", `{"room":"1"}`, room},
		"room without name":        {"a.x", `{"room":"@a.x"}`, room},
		"empty room":               {"a.x", `{"room":""}`, ""},
		"room that is decoded":     {"a.x", `{"room":"1%40b.x%20kick@a.x"}`, room},
		"room with an entity":      {"a.x", `{"room":"1&commat;b.x@a.x"}`, room},
		"room with a command":      {"a.x", `{"room":"1@b.x kick@a.x"}`, room},
		"room with a line":         {"a.x", `{"room":"1\n\napi status@a.x"}`, room},
		"subscriber of no domain":  {"", `{"d":""}`, d},
		"room of no domain":        {"", `{"room":"1@"}`, room},
		"no domain, nothing named": {"", `{"x":1}`, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := f.Refusal(subject(test.subject), nil, []byte(test.payload)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestBuiltinRequests(t *testing.T) {
	policies, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		class, subject, topic, payload string
		allowed                        bool
	}{
		"calls":                   {"active_calls_service", "call_active_view a.x", "in.progress", `{}`, true},
		"calls without view":      {"active_calls_service", "a.x", "in.progress", `{}`, false},
		"hangup without it":       {"active_calls_service", "call_active_view a.x", "hangup", `{"unique_id":"u"}`, false},
		"rooms":                   {"active_conferences_service", "conference_active_view a.x", "in_progress", `{"domain_name":"a.x"}`, true},
		"rooms of another":        {"active_conferences_service", "conference_active_view a.x", "in_progress", `{"domain_name":"b.x"}`, false},
		"rooms without view":      {"active_conferences_service", "a.x", "ping", `{}`, false},
		"lock of another":         {"active_conferences_service", "conference_interactive_view a.x", "action", `{"action":"lock","conference_name":"1@b.x","domain_name":"a.x"}`, false},
		"lock":                    {"active_conferences_service", "conference_interactive_view a.x", "action", `{"action":"lock","conference_name":"7d5-e_1@a.x","domain_name":"a.x"}`, true},
		"panel":                   {"operator_panel_service", "operator_panel_view a.x", "extensions_active", `{"domain_name":"a.x"}`, true},
		"panel of another":        {"operator_panel_service", "operator_panel_view a.x", "extensions_active", `{"domain_name":"b.x"}`, false},
		"load":                    {"system_dashboard_service", "system_view_cpu", "cpu_status", `{}`, true},
		"load without permission": {"system_dashboard_service", "", "cpu_status", `{}`, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := compile(t, policies[test.class])
			if got := f.AllowRequest(subject(test.subject), []byte(`"`+test.topic+`"`), []byte(test.payload)); got != test.allowed {
				t.Errorf("got %t, want %t", got, test.allowed)
			}
		})
	}
	if f := compile(t, policies["active_calls_service"]); !f.Streams("CHANNEL_CALLSTATE") || f.Streams("hangup") {
		t.Error("calls: only the rows of in.progress are a stream")
	}
}

func TestRefusalDoesNotAllocate(t *testing.T) {
	policies, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	f, s := compile(t, policies["active_conferences_service"]), subject("conference_active_view a.x")
	topic, payload := []byte(`"action"`), []byte(`{"action":"lock","conference_name":"1@a.x","domain_name":"a.x"}`)
	if n := testing.AllocsPerRun(100, func() {
		if !f.AllowRequest(s, topic, payload) {
			t.Fatal("refused")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
