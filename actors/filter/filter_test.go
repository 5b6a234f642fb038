package filter

import (
	"os"
	"slices"
	"strings"
	"testing"

	"strowger/config/policy"
)

func compile(t testing.TB, p policy.Policy) *Filter {
	t.Helper()
	f, err := Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// subject makes one of words: a@b is an extension, a.b the domain, else a permission.
func subject(words string) Subject {
	var s Subject
	for _, w := range strings.Fields(words) {
		switch {
		case strings.Contains(w, "@"):
			s.Extensions = append(s.Extensions, w)
		case strings.Contains(w, "."):
			s.Domain = w
		default:
			s.Permissions = append(s.Permissions, w)
		}
	}
	slices.Sort(s.Permissions)
	return s
}

// dropped stands in tables for a message that is not delivered.
const dropped = "dropped"

func applied(f *Filter, s Subject, topic, payload string) string {
	out, v := f.Apply(f.Class(s), topic, []byte(payload), nil)
	if v == Drop {
		return dropped
	}
	return string(out)
}

const call = `{"event_name":"CHANNEL_CREATE","unique_id":"u-1","caller_context":"one.example","channel_presence_id":"100@one.example","caller_channel_name":"sofia/internal/100","channel_read_codec_name":"PCMU","secure":"yes","application_name":"park","application_data":"x","call_direction":"inbound","caller_caller_id_number":"100","not_listed":"gone"}`

func TestPolicies(t *testing.T) {
	lab, err := os.ReadFile("testdata/lab.yaml")
	if err != nil {
		t.Fatal(err)
	}
	policies, err := policy.Parse(lab)
	if err != nil {
		t.Fatal(err)
	}
	builtin, err := policy.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for class, p := range builtin {
		policies[class] = p
	}
	const (
		calls = "active_calls_service"
		rooms = "active_conferences_service"
		load  = "system_dashboard_service"
		panel = "operator_panel_service"
		staff = `{"name":"Al","salary":10,"phone":"5","z":{"salary":3}}`
		every = "call_active_all call_active_application call_active_codec call_active_direction call_active_domain call_active_profile call_active_secure call_active_view"
	)
	tests := map[string]struct{ class, subject, topic, payload, want string }{
		"plain":                       {"lab_plain_service", "", "t", staff, staff},
		"all permissions":             {"lab_perm_service", "see_phone see_salary", "t", staff, staff},
		"one permission":              {"lab_perm_service", "see_phone", "t", staff, `{"name":"Al","phone":"5","z":{"salary":3}}`},
		"no permission":               {"lab_perm_service", "", "t", staff, `{"name":"Al","z":{"salary":3}}`},
		"a reply":                     {"lab_perm_service", "", "t", `{"salary":1,"name":"x"}`, `{"name":"x"}`},
		"key list":                    {"lab_keys_service", "", "t", `{"a":1,"x":2,"b":{"x":1}}`, `{"a":1,"b":{"x":1}}`},
		"key list, nothing left":      {"lab_keys_service", "", "t", `{"x":1}`, `{}`},
		"key list, case":              {"lab_keys_service", "", "t", `{"B":1}`, `{}`},
		"key list, list":              {"lab_keys_service", "", "t", `[1,2]`, `[]`},
		"foreign context":             {"lab_context_service", "one.example", "t", `{"k":1,"caller_context":"two.example"}`, dropped},
		"own context":                 {"lab_context_service", "one.example", "t", `{"caller_context":"one.example","k":1}`, `{"caller_context":"one.example","k":1}`},
		"no context":                  {"lab_context_service", "one.example", "t", `{"k":1}`, dropped},
		"context of a scalar":         {"lab_context_service", "one.example", "t", `1`, dropped},
		"denied":                      {"lab_deny_service", "", "t", `1`, dropped},
		"denied but permitted":        {"lab_deny_service", "lab_view", "t", `1`, `1`},
		"a filter that is never open": {"lab_boom_service", "lab_view", "t", `1`, dropped},

		"calls of all":                     {calls, "call_active_all", "CHANNEL_CREATE", call, `{"event_name":"CHANNEL_CREATE","unique_id":"u-1","caller_caller_id_number":"100"}`},
		"calls of all, all permissions":    {calls, every, "CHANNEL_CREATE", call, strings.Replace(call, `,"not_listed":"gone"`, "", 1)},
		"calls of the domain":              {calls, "call_active_domain call_active_view one.example", "CHANNEL_CREATE", call, `{"event_name":"CHANNEL_CREATE","unique_id":"u-1","caller_context":"one.example","channel_presence_id":"100@one.example","caller_caller_id_number":"100"}`},
		"calls of another domain":          {calls, "call_active_domain call_active_view two.example", "CHANNEL_CREATE", call, dropped},
		"calls without context":            {calls, "call_active_domain call_active_view two.example", "CHANNEL_CREATE", `{"event_name":"CHANNEL_CREATE","unique_id":"u-1"}`, dropped},
		"calls of own extension":           {calls, "call_active_codec one.example 100@one.example", "CHANNEL_CREATE", call, `{"event_name":"CHANNEL_CREATE","unique_id":"u-1","channel_read_codec_name":"PCMU","caller_caller_id_number":"100"}`},
		"calls of another extension":       {calls, "call_active_view one.example 999@one.example", "CHANNEL_CREATE", call, dropped},
		"calls, extension in another case": {calls, "call_active_view 100@ONE.example", "CHANNEL_CREATE", call, dropped},
		"calls without any extension":      {calls, "call_active_view one.example", "CHANNEL_CREATE", call, dropped},
		"calls, row without presence":      {calls, "call_active_view 1001@a.example", "CHANNEL_CALLSTATE", `{"event_name":"CHANNEL_CALLSTATE","unique_id":"u1"}`, dropped},
		"calls, unknown event":             {calls, "call_active_all", "MODULE_LOAD", `{"event_name":"MODULE_LOAD"}`, dropped},
		"calls, no event":                  {calls, "call_active_all", "CHANNEL_CREATE", `{"unique_id":"u"}`, dropped},
		"calls, two events":                {calls, "call_active_all", "x", `{"event_name":"MODULE_LOAD","event_name":"HEARTBEAT"}`, dropped},
		"calls, heartbeat to a domain":     {calls, "call_active_domain one.example", "HEARTBEAT", `{"event_name":"HEARTBEAT"}`, `{"event_name":"HEARTBEAT"}`},
		"calls, heartbeat to nobody much":  {calls, "", "HEARTBEAT", `{"event_name":"HEARTBEAT"}`, `{"event_name":"HEARTBEAT"}`},
		"calls, heartbeat and another":     {calls, "call_active_domain one.example", "HEARTBEAT", `{"event_name":"HEARTBEAT","event_name":"CHANNEL_PARK"}`, dropped},
		"calls, foreign heartbeat":         {calls, "call_active_domain one.example", "HEARTBEAT", `{"event_name":"HEARTBEAT","caller_context":"two.example"}`, dropped},
		"calls, hangup's result":           {calls, "call_active_domain one.example", "hangup", `"+OK"`, `"+OK"`},
		"calls, refusal":                   {calls, "call_active_domain one.example", "in.progress", `null`, `null`},

		"rooms without permission":        {rooms, "one.example", "lock", `{"conference_name":"3001@one.example"}`, dropped},
		"own room":                        {rooms, "conference_interactive_view one.example", "lock", `{"conference_name":"3001@one.example"}`, `{"conference_name":"3001@one.example"}`},
		"foreign room":                    {rooms, "conference_interactive_view one.example", "lock", `{"conference_name":"3001@two.example","caller_context":"one.example"}`, dropped},
		"room by the last at":             {rooms, "conference_active_view one.example", "lock", `{"conference_name":"x@one.example@two.example"}`, dropped},
		"room name without domain":        {rooms, "conference_active_view one.example", "lock", `{"caller_context":"two.example","conference_name":"3001","domain_name":"one.example"}`, `{"caller_context":"two.example","conference_name":"3001","domain_name":"one.example"}`},
		"room of nobody":                  {rooms, "conference_active_view one.example", "lock", `{"action":"lock"}`, dropped},
		"rooms in progress":               {rooms, "conference_active_view one.example", "in_progress", `[ {"conference_name":"1@two.example"}, {"conference_name":"2@one.example"} , 5, {"conference_name":"3@one.example"}]`, `[{"conference_name":"2@one.example"},{"conference_name":"3@one.example"}]`},
		"no rooms in progress":            {rooms, "conference_active_view one.example", "in_progress", `[]`, `[]`},
		"foreign rooms in progress":       {rooms, "conference_active_view one.example", "in_progress", `[{"conference_name":"1@two.example"}]`, `[]`},
		"rooms in progress of nobody":     {rooms, "conference_active_view one.example", "in_progress", `[{"locked":false}, {"conference_name":"3001"}]`, `[]`},
		"no list of rooms in progress":    {rooms, "conference_active_view one.example", "in_progress", `{"conference_name":"1@two.example"}`, dropped},
		"foreign rooms, another topic":    {rooms, "conference_active_view one.example", "x", `[{"conference_name":"1@two.example"}]`, dropped},
		"rooms, ping":                     {rooms, "conference_active_view one.example", "pong", `{"pong":1}`, `{"pong":1}`},
		"rooms, subject without a domain": {rooms, "conference_active_view", "lock", `{"domain_name":"","conference_name":"1@"}`, dropped},

		"load":                       {load, "xml_cdr_view", "cpu_status", `{"cpu_status":{"total":12.50,"per_core":[1,2.25]}}`, `{"cpu_status":{"total":12.50,"per_core":[1,2.25]}}`},
		"load without permission":    {load, "", "cpu_status", `{"cpu_status":{"total":12.5,"per_core":[1,2.25]}}`, `{}`},
		"load, own key":              {load, "", "x", `{"svc.rd1":1,"dashboard.system.information":2}`, `{"svc.rd1":1}`},
		"load, any permission":       {load, "whatever", "x", `{"dashboard.system.information":2}`, `{}`},
		"network":                    {load, "system_view_network", "network_status", `{"network_status":{"rx_bps":1.0}}`, `{"network_status":{"rx_bps":1.0}}`},
		"network without permission": {load, "xml_cdr_view", "network_status", `{"network_status":{"rx_bps":1.0}}`, dropped},

		"panel without permission":    {panel, "one.example", "pong", `{"pong":1}`, dropped},
		"panel, own call":             {panel, "operator_panel_view one.example", "channel_create", `{"caller_context":"one.example"}`, `{"caller_context":"one.example"}`},
		"panel, default context":      {panel, "operator_panel_view one.example", "channel_create", `{"caller_context":"default"}`, dropped},
		"panel, foreign call":         {panel, "operator_panel_view one.example", "channel_create", `{"caller_context":"two.example"}`, dropped},
		"panel, foreign registration": {panel, "operator_panel_view one.example", "registration_change", `{"caller_context":"default","domain_name":"two.example"}`, dropped},
		"panel, agents":               {panel, "operator_panel_view one.example", "agent_stats", `[{"n":1,"domain_name":"one.example"},{"n":2,"domain_name":"two.example"},{"n":3,"domain_name":"default"}]`, `[{"n":1,"domain_name":"one.example"}]`},
		"panel, foreign agents":       {panel, "operator_panel_view one.example", "agent_stats", `[{"domain_name":"two.example"}]`, dropped},
		"panel, extensions":           {panel, "operator_panel_view one.example", "extensions_active", `[{"extension":"1"}]`, `[{"extension":"1"}]`},
		"panel, foreign agents asked": {panel, "operator_panel_view one.example", "agents_active", `[{"domain_name":"two.example"}]`, `[]`},
		"panel, calls":                {panel, "operator_panel_view one.example", "calls_active", `[{"caller_context":"one.example"},{"caller_context":"public"}]`, `[{"caller_context":"one.example"}]`},
		"panel, action":               {panel, "operator_panel_view one.example", "action_response", `{"success":true}`, `{"success":true}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p, found := policies[test.class]
			if !found {
				t.Fatalf("no policy %s", test.class)
			}
			f := compile(t, p)
			if got := applied(f, subject(test.subject), test.topic, test.payload); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestPassAndDeny(t *testing.T) {
	for _, payload := range []string{`{"a":1}`, `[1]`, `null`, `"x"`, ``, `{"broken`} {
		if got := applied(Pass(), Subject{}, "t", payload); got != payload {
			t.Errorf("pass: %q became %q", payload, got)
		}
		if got := applied(Deny(), subject("a b.c"), "t", payload); got != dropped {
			t.Errorf("deny: %q became %q", payload, got)
		}
	}
	if !Pass().AllowRequest(Subject{}, []byte(`"t"`), nil) || Deny().AllowRequest(subject("a b.c"), []byte(`"t"`), nil) {
		t.Error("pass refuses a request, or deny allows one")
	}
	var none *Filter
	if got := applied(none, subject("a b.c"), "t", `1`); got != dropped {
		t.Errorf("no filter: got %s", got)
	}
	if e := none.Explain(Subject{}, "t", []byte(`1`)); e.Verdict != Drop || e.Rule != "no policy" {
		t.Errorf("no filter is explained as %+v", e)
	}
	if none.AllowRequest(Subject{}, nil, nil) || none.Streams("t") {
		t.Error("no filter allows a request or knows a stream")
	}
}

func TestApply(t *testing.T) {
	f := compile(t, policy.Policy{KeyPermissions: map[string][]string{"secret": {"p", "q"}}})
	tests := map[string]struct{ payload, want string }{
		"numbers and order":    {`{"z":1.00,"secret":1,"a":1E+2,"n":12345678901234567890}`, `{"z":1.00,"a":1E+2,"n":12345678901234567890}`},
		"first":                {` { "secret" : 1 , "a" : 2 } `, `{"a" : 2}`},
		"last":                 {`{ "a" : 2 , "secret":1}`, `{ "a" : 2}`},
		"twice":                {`{"secret":1,"a":1,"secret":2}`, `{"a":1}`},
		"kept twice":           {`{"a":1,"a":2,"secret":2}`, `{"a":1,"a":2}`},
		"spelled with escapes": {`{"sec\u0072et":1,"a":"\"secret\":1"}`, `{"a":"\"secret\":1"}`},
		"containers":           {`{"secret":{"a":["}",{"b":"]\\"}]},"b":[{"secret":1}]}`, `{"b":[{"secret":1}]}`},
		"another case":         {`{"Secret":1}`, `{"Secret":1}`},
		"empty":                {` {} `, ` {} `},
		"only":                 {`{"secret":1}`, `{}`},
		"list":                 {`[{"secret":1}]`, `[{"secret":1}]`},
		"text":                 {`"secret"`, `"secret"`},
		"null":                 {`null`, `null`},
		"nothing":              {``, ``},
		"no end":               {`{"a":1`, dropped},
		"something after":      {`{"a":1}}`, dropped},
		"comma":                {`{"a":1,}`, dropped},
		"broken escape":        {`{"\x":1}`, dropped},
		"broken list":          {`[1,2`, dropped},
		"list's comma":         {`[1,]`, dropped},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := applied(f, Subject{}, "t", test.payload); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestApplyReturnsThePayloadItself(t *testing.T) {
	f := compile(t, policy.Policy{KeyPermissions: map[string][]string{"secret": {"p"}}})
	for _, payload := range []string{`{"a":1}`, `[1]`, `1`} {
		in := []byte(payload)
		out, _ := f.Apply(f.Class(Subject{}), "t", in, nil)
		if &out[0] != &in[0] || len(out) != len(in) {
			t.Errorf("%s was copied", payload)
		}
	}
	dst := make([]byte, 3, 100)
	in := []byte(`{"secret":1,"a":1}`)
	out, _ := f.Apply(f.Class(Subject{}), "t", in, dst)
	if &out[0] != &dst[0] || string(out) != `{"a":1}` {
		t.Errorf("got %s, not written over dst", out)
	}
	if string(in) != `{"secret":1,"a":1}` {
		t.Errorf("the payload became %s", in)
	}
}

func TestTwoOwners(t *testing.T) {
	f := compile(t, policy.Policy{Scopes: []policy.Scope{{To: policy.Domain, Keys: []string{"d", "e"}}}})
	for payload, want := range map[string]bool{
		`{"d":"a.b"}`:                   true,
		`{"d":"a.b","d":"x.y"}`:         false,
		`{"d":"x.y","d":"a.b"}`:         false,
		`{"e":"x.y","d":"a.b"}`:         true,
		`{"e":"a.b","d":"x.y"}`:         false,
		`{"e":"x.y","e":"z","d":"a.b"}`: true,
		`{"d":null,"e":"a.b"}`:          false,
		`{"d":["a.b"]}`:                 false,
		`{"d":"A.b"}`:                   false,
		`{"d":"\u0061.b"}`:              true,
		`{"\u0064":"x.y","e":"a.b"}`:    false,
		`{"nested":{"d":"a.b"}}`:        false,
		`[{"d":"a.b"}]`:                 false,
	} {
		if got := applied(f, subject("a.b"), "t", payload) != dropped; got != want {
			t.Errorf("%s: delivered %t, want %t", payload, got, want)
		}
	}
}
