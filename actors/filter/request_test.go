package filter

import (
	"strings"
	"testing"

	"strowger/config/policy"
)

func TestRefusal(t *testing.T) {
	f := compile(t, policy.Policy{
		Require:  []string{"view", "watch"},
		Scopes:   []policy.Scope{{Permission: "banned", To: policy.None}, {To: policy.All}},
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
	f := compile(t, policy.Policy{Scopes: []policy.Scope{{To: policy.All}}})
	for _, topic := range []string{`["a"]`, `5`, `{}`, `"x"`} {
		if got := f.Refusal(Subject{}, []byte(topic), nil); got != "" {
			t.Errorf("%s: %s, though no topic is ruled", topic, got)
		}
	}
}

// protocol 11.23
func TestTenantKeys(t *testing.T) {
	f := compile(t, policy.Policy{
		Scopes: []policy.Scope{
			{Permission: "root", To: policy.All},
			{Permission: "own", To: policy.Extensions, Keys: []string{"e"}},
			{To: policy.Domain, Keys: []string{"d"}},
		},
		TenantKeys: []string{"d", "room@"},
	})
	const d, room = "tenant_keys.d: names another tenant", "tenant_keys.room: names another tenant"
	const noAnswer = "scopes[2] to domain: no answer could reach one without a domain or extension of its own"
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
		"room with a plus":         {"a.x", `{"room":"1+kick+2@a.x"}`, room},
		"room in a list":           {"a.x", `{"room":["1@a.x"]}`, room},
		"subscriber of no domain":  {"", `{"d":""}`, noAnswer},
		"room of no domain":        {"", `{"room":"1@"}`, noAnswer},
		"no domain, nothing named": {"", `{"x":1}`, noAnswer},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := f.Refusal(subject(test.subject), nil, []byte(test.payload)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// A request that its asker could get no answer to is refused, so that it is not carried out in vain.
func TestRefusalOfWhatGetsNoAnswer(t *testing.T) {
	domain := policy.Scope{To: policy.Domain, Keys: []string{"d"}}
	extensions := policy.Scope{To: policy.Extensions, Keys: []string{"e"}}
	lists := policy.Scope{To: policy.Domain, Keys: []string{"d"}, ListKeys: []string{"d"}}
	accept := policy.Scope{To: policy.Domain, Keys: []string{"d"}, Accept: []string{"default"}}
	const none = "scopes[0] to %: no answer could reach one without a domain or extension of its own"
	at := func(reach string) string { return strings.ReplaceAll(none, "%", reach) }
	tests := map[string]struct {
		policy        policy.Policy
		subject, want string
	}{
		"a domain":                  {policy.Policy{Scopes: []policy.Scope{domain}}, "a.x", ""},
		"no domain":                 {policy.Policy{Scopes: []policy.Scope{domain}}, "", at("domain")},
		"no extension":              {policy.Policy{Scopes: []policy.Scope{extensions}}, "a.x", at("extensions")},
		"an extension":              {policy.Policy{Scopes: []policy.Scope{extensions}}, "a.x 1@a.x", ""},
		"lists":                     {policy.Policy{Scopes: []policy.Scope{lists}}, "", at("domain")},
		"lists that may be empty":   {policy.Policy{Scopes: []policy.Scope{lists}, Absent: policy.Absent{Lists: []string{"t"}}}, "", ""},
		"events, which are said":    {policy.Policy{Scopes: []policy.Scope{domain}, Absent: policy.Absent{Events: []string{"HEARTBEAT"}}}, "", at("domain")},
		"answers without a domain":  {policy.Policy{Scopes: []policy.Scope{domain}, Absent: policy.Absent{Topics: []string{"pong"}}}, "", ""},
		"all without a domain":      {policy.Policy{Scopes: []policy.Scope{domain}, Absent: policy.Absent{Pass: true}}, "", ""},
		"what belongs to everybody": {policy.Policy{Scopes: []policy.Scope{accept}}, "", ""},
		"a topic of others": {policy.Policy{TopicPermissions: map[string][]string{"t": {"see"}}}, "a.x",
			"topic_permissions.t: no answer could reach one without the permission"},
		"a topic of its own": {policy.Policy{TopicPermissions: map[string][]string{"t": {"see"}}}, "see", ""},
		"another topic":      {policy.Policy{TopicPermissions: map[string][]string{"u": {"see"}}}, "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := compile(t, test.policy).Refusal(subject(test.subject), []byte(`"t"`), nil); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestPlainKeys(t *testing.T) {
	f := compile(t, policy.Policy{
		Scopes:     []policy.Scope{{Permission: "root", To: policy.All}, {To: policy.Domain, Keys: []string{"d"}}},
		TenantKeys: []string{"agent@?"},
		PlainKeys:  []string{"p"},
	})
	const plain, agent = "plain_keys.p: is no plain name", "tenant_keys.agent: names another tenant"
	tests := map[string]struct{ subject, payload, want string }{
		"a call":               {"a.x", `{"p":"5524d3c1-920a-4b78-ba5c-414389a39604"}`, ""},
		"an extension":         {"a.x", `{"p":"*5901"}`, ""},
		"a telephone number":   {"a.x", `{"p":"+15550003001"}`, ""},
		"of the own domain":    {"a.x", `{"p":"1001@a.x"}`, ""},
		"of another domain":    {"a.x", `{"p":"1001@b.x"}`, plain},
		"of two domains":       {"a.x", `{"p":"1001@b.x@a.x"}`, plain},
		"a plus":               {"a.x", `{"p":"1+2"}`, plain},
		"a plus and a domain":  {"a.x", `{"p":"1+2@a.x"}`, plain},
		"only a domain":        {"a.x", `{"p":"@a.x"}`, plain},
		"a percent code":       {"a.x", `{"p":"1%40b.x"}`, plain},
		"a space":              {"a.x", `{"p":"1 2"}`, plain},
		"a line":               {"a.x", `{"p":"1\n\napi status"}`, plain},
		"the end of a line":    {"a.x", `{"p":"1\n"}`, plain},
		"a slash":              {"a.x", `{"p":"user/1001"}`, plain},
		"another alphabet":     {"a.x", `{"p":"１"}`, plain},
		"empty":                {"a.x", `{"p":""}`, ""},
		"null":                 {"a.x", `{"p":null}`, ""},
		"a number":             {"a.x", `{"p":7}`, ""},
		"true":                 {"a.x", `{"p":true}`, ""},
		"an object":            {"a.x", `{"p":{"x":"1"}}`, plain},
		"a list":               {"a.x", `{"p":["1","2",3]}`, ""},
		"a list with another":  {"a.x", `{"p":["1","2@b.x"]}`, plain},
		"a list in a list":     {"a.x", `{"p":[["2@b.x"]]}`, plain},
		"twice":                {"a.x", `{"p":"1","p":"1@b.x"}`, plain},
		"an escaped key":       {"a.x", `{"\u0070":"1@b.x"}`, plain},
		"whoever sees all":     {"root a.x", `{"p":"1@b.x"}`, ""},
		"an agent":             {"a.x", `{"agent":"Zoë Müller"}`, ""},
		"an agent of its own":  {"a.x", `{"agent":"Zoë@a.x"}`, ""},
		"an agent of another":  {"a.x", `{"agent":"Zoë@b.x"}`, agent},
		"an agent and a line":  {"a.x", `{"agent":"Zoë\n\napi status"}`, agent},
		"an agent and a plus":  {"a.x", `{"agent":"a+b"}`, agent},
		"an agent that is 40%": {"a.x", `{"agent":"a%40b.x"}`, agent},
		"a list of agents":     {"a.x", `{"agent":["a"]}`, agent},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := f.Refusal(subject(test.subject), nil, []byte(test.payload)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// requestKeys are the payload keys on which the four services act, by topic or action, each with a value
// that its page may send. The dashboard's service reads no payload.
func requestKeys() map[string]map[string]string {
	const call, room = `"5524d3c1-920a-4b78-ba5c-414389a39604"`, `"3001@a.x"`
	return map[string]map[string]string{
		"active_calls_service": {
			"unique_id":                  call, // hangup, eavesdrop
			"origination_caller_id_name": `"Eavesdrop"`,
			"origination_caller_contact": `"1005"`,
			"caller_caller_id_number":    `"1001"`,
			"caller_destination_number":  `"*5901"`,
		},
		"active_conferences_service": {
			"domain_name":     `"a.x"`, // in_progress and all actions
			"uuid":            `"3001"`,
			"action":          `"volume_in"`,
			"conference_name": room,
			"member_id":       `"5"`,
			"direction":       `"up"`,
		},
		"operator_panel_service": {
			"domain_name":           `"a.x"`, // all topics
			"action":                `"transfer_attended_complete"`,
			"uuid":                  call, // hangup, transfer, intercept, eavesdrop, whisper, barge, record, kick
			"uuids":                 "[" + call + "]",
			"parked_uuid":           call, // transfer_attended_complete, transfer_attended_cancel
			"operator_uuid":         call,
			"bleg":                  `true`,
			"stop":                  `false`,
			"context":               `"a.x"`,
			"source":                `"1002"`, // originate
			"source_extension":      `"1001"`,
			"destination":           `"*5901"`,
			"destination_extension": `"1005"`,
			"extension":             `"1005"`,
			"conference_name":       room, // mute, deaf, energy, volume_in, volume_out and their opposites
			"member_id":             `"6"`,
			"direction":             `"down"`,
			"agent_name":            `"Zoë Müller"`, // agent_status
			"status":                `"On Break"`,
			"user_status":           `"Available (On Demand)"`,
			"user_uuid":             call,
		},
		"system_dashboard_service": nil,
	}
}

// No key of a request lets a client name another tenant, or more than one argument of a command.
func TestBuiltinRequestKeys(t *testing.T) {
	policies, err := policy.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	evil := []string{
		`"1001@b.x"`, `"1001@b.x@a.x"`, `"1001@a.x@b.x"`, `"1001@A.X"`, `"1001@"`, `"1+2@a.x"`, `"1+2"`, `"1%40b.x"`, `"1%2Bkick@a.x"`,
		`"1&commat;b.x"`, `"1\n\napi status"`, `"1\u000aapi"`, `"1\r"`, `"1\u0000"`, `["1001@b.x"]`, `[["1"]]`, `{"0":"b.x"}`,
		`"x}loopback/1001/b.x"`, `"x,a=b"`, `"${x}"`, `"x;y"`, `"x|y"`, `"\"x"`, `"\\"`,
	}
	who := subject("call_active_view call_active_hangup call_active_eavesdrop conference_active_view operator_panel_view a.x 1@a.x")
	for class, keys := range requestKeys() {
		f := compile(t, policies[class])
		for key, own := range keys {
			request := func(value string) string {
				return f.Refusal(who, []byte(`"action"`), []byte(`{"`+key+`":`+value+`}`))
			}
			if rule := request(own); rule != "" {
				t.Errorf("%s: %s: %s is refused: %s", class, key, own, rule)
			}
			for _, value := range evil {
				if request(value) == "" {
					t.Errorf("%s: %s: %s passes", class, key, value)
				}
			}
		}
	}
}

// A tenant key without @ takes the own domain and nothing else.
func TestBuiltinDomainKeys(t *testing.T) {
	policies, err := policy.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	who := subject("conference_active_view operator_panel_view a.x")
	for class, keys := range map[string][]string{
		"active_conferences_service": {"domain_name"},
		"operator_panel_service":     {"domain_name", "context"},
	} {
		f := compile(t, policies[class])
		for _, key := range keys {
			for _, value := range []string{`"b.x"`, `"default"`, `"public"`, `""`, `"A.x"`, `"a.x."`, `"a.x:443"`, `" a.x"`, `1`, `true`, `["a.x"]`} {
				if f.AllowRequest(who, []byte(`"action"`), []byte(`{"`+key+`":`+value+`}`)) {
					t.Errorf("%s: %s: %s passes", class, key, value)
				}
			}
		}
	}
}

// What the pages send passes.
func TestBuiltinRequestsOfThePages(t *testing.T) {
	policies, err := policy.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	who := subject("call_active_view call_active_eavesdrop conference_interactive_view operator_panel_view a.x 1@a.x")
	for payload, class := range map[string]string{
		`{"unique_id":"02e64483-a333-4257-bcb4-76492cdeffe1","origination_caller_id_name":"Eavesdrop","origination_caller_contact":"1005","caller_caller_id_number":"1001","caller_destination_number":"1002"}`: "active_calls_service",
		`{"action":"energy","conference_name":"3001@a.x","domain_name":"a.x","member_id":"5","uuid":"7dd3e14e-1ef1-49b6-a5e3-698415091be0","direction":"up"}`:                                                   "active_conferences_service",
		`{"action":"transfer","domain_name":"a.x","uuid":"00642c13-7d68-4df7-8c6b-f7e524cdbd43","destination":"*5901","context":"a.x","source_extension":"1001","bleg":true}`:                                   "operator_panel_service",
		`{"action":"recording_state","domain_name":"a.x","uuids":["5524d3c1-920a-4b78-ba5c-414389a39604"]}`:                                                                                                     "operator_panel_service",
		`{"action":"agent_status","domain_name":"a.x","agent_name":"Agent 3","status":"On Break"}`:                                                                                                              "operator_panel_service",
	} {
		if got := compile(t, policies[class]).Refusal(who, []byte(`"action"`), []byte(payload)); got != "" {
			t.Errorf("%s: %s", payload, got)
		}
	}
}

// The extension tells first whose message it is, then the domain, then the context: legs that the panel
// originates are in a context that all domains share, and such a leg without an extension is nobody's.
func TestBuiltinPanelTenant(t *testing.T) {
	policies, err := policy.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	f := compile(t, policies["operator_panel_service"])
	c := f.Class(subject("operator_panel_view a.x"))
	for element, own := range map[string]bool{
		`{"channel_presence_id":"1001@b.x","caller_context":"default"}`:                     false,
		`{"caller_context":"default","channel_presence_id":"1001@b.x"}`:                     false,
		`{"caller_context":"a.x","channel_presence_id":"1001@b.x"}`:                         false,
		`{"domain_name":"a.x","caller_context":"a.x","channel_presence_id":"1001@b.x"}`:     false,
		`{"channel_presence_id":"1001@b.x","domain_name":"a.x"}`:                            false,
		`{"channel_presence_id":"1001@a.x@b.x","domain_name":"a.x"}`:                        false,
		`{"channel_presence_id":"1001@","domain_name":"a.x"}`:                               false,
		`{"channel_presence_id":"1001@a.x","channel_presence_id":"1001@b.x"}`:               false,
		`{"channel_presence_id":"","domain_name":"b.x","caller_context":"a.x"}`:             false,
		`{"domain_name":"b.x","caller_context":"default"}`:                                  false,
		`{"caller_context":"default"}`:                                                      false,
		`{"caller_context":"default","channel_presence_id":""}`:                             false,
		`{"caller_context":"default","channel_presence_id":null}`:                           false,
		`{"caller_context":"default","channel_presence_id":"1001"}`:                         false,
		`{"caller_context":"public"}`:                                                       false,
		`{"caller_context":""}`:                                                             false,
		`{"caller_context":"b.x"}`:                                                          false,
		`{"channel_presence_id":"1001@a.x","caller_context":"default"}`:                     true,
		`{"channel_presence_id":"1001@a.x","domain_name":"b.x","caller_context":"default"}`: true,
		`{"channel_presence_id":"","domain_name":"a.x","caller_context":"b.x"}`:             true,
		`{"channel_presence_id":"1001","caller_context":"a.x"}`:                             true,
		`{"caller_context":"a.x"}`:                                                          true,
	} {
		out, _ := f.Apply(c, "channel_create", []byte(element), nil)
		if (string(out) == element) != own {
			t.Errorf("%s: got %q, want delivered: %t", element, out, own)
		}
		out, _ = f.Apply(c, "calls_active", []byte("["+element+"]"), nil)
		if (string(out) == "["+element+"]") != own {
			t.Errorf("in a list: %s: got %q, want delivered: %t", element, out, own)
		}
	}
}

// What in a list is of another tenant is left out. An answer that is a list stays one.
func TestBuiltinPanelLists(t *testing.T) {
	policies, err := policy.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	f := compile(t, policies["operator_panel_service"])
	c := f.Class(subject("operator_panel_view a.x"))
	for _, test := range []struct{ topic, payload, want string }{
		{"calls_active", `[{"channel_presence_id":"1@b.x","caller_context":"default"},{"channel_presence_id":"1@a.x"}]`, `[{"channel_presence_id":"1@a.x"}]`},
		{"calls_active", `[{"channel_presence_id":"1@b.x"}]`, `[]`},
		{"conferences_active", `[{"conference_name":"3001@b.x"}]`, `[]`},
		{"parked_active", `[{"unique_id":"1"}]`, `[{"unique_id":"1"}]`},
		{"agent_stats", `[{"domain_name":"b.x"}]`, ""},
	} {
		out, _ := f.Apply(c, test.topic, []byte(test.payload), nil)
		if string(out) != test.want {
			t.Errorf("%s %s: got %q, want %q", test.topic, test.payload, out, test.want)
		}
	}
}

func TestBuiltinRequests(t *testing.T) {
	policies, err := policy.Builtin()
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
	policies, err := policy.Builtin()
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
