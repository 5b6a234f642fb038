package system

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"strowger/actors"
	"strowger/actors/filter"
	"strowger/config"
	"strowger/config/policy"
	"strowger/system/service"
)

func TestGovernors(t *testing.T) {
	cfg := config.Default()
	open := policy.Policy{Scopes: []policy.Scope{{To: policy.All}}}
	cfg.Policies = map[string]policy.Policy{"a": open, "b": open}
	var g governors
	of := func(cfg *config.Config, name string) *filter.Filter {
		t.Helper()
		p, err := g.policies(cfg)
		if err != nil {
			t.Fatal(err)
		}
		r := p.Of(&actors.Peer{Identity: actors.Identity{Name: name, Class: policy.BuiltinClass(name)}})
		if (r.Source == actors.FromDefault) != (name == "unknown") {
			t.Fatalf("%s has the policy %q, %s", name, r.Policy, r.Source)
		}
		return r.Filter
	}
	a, b, calls, dashboard := of(cfg, "a"), of(cfg, "b"), of(cfg, "active.calls"), of(cfg, "dashboard.system.information")
	same, err := g.policies(cfg)
	if err != nil || same != g.current || of(cfg, "a") != a {
		t.Error("the same configuration makes other filters")
	}
	if of(cfg, "unknown").AllowRequest(filter.Subject{}, nil, nil) {
		t.Error("a service without a policy is open")
	}

	changed := *cfg
	changed.Policies = map[string]policy.Policy{"a": open, "b": {Keys: []string{"k"}}, "active_calls_service": open}
	if of(&changed, "a") != a {
		t.Error("a policy that did not change was compiled again")
	}
	if of(&changed, "dashboard.system.information") != dashboard {
		t.Error("a built-in policy was compiled again")
	}
	if of(&changed, "b") == b || of(&changed, "active.calls") == calls {
		t.Error("a policy that changed was not compiled again")
	}
	if same == g.current {
		t.Error("the policies were changed, not swapped")
	}

	wrong := changed
	wrong.Policies = map[string]policy.Policy{"c": {}}
	before := g.current
	if _, err := g.policies(&wrong); err == nil || !strings.Contains(err.Error(), "policies.c: ") {
		t.Errorf("got %v", err)
	}
	if g.current != before || of(&changed, "a") != a {
		t.Error("a wrong configuration changed something")
	}

	allow := changed
	allow.Routing.DefaultPolicy = "allow"
	if !of(&allow, "unknown").AllowRequest(filter.Subject{}, nil, nil) {
		t.Error("a service without a policy is shut")
	}
}

// A reload may give the settings a policy for a service inside, by its name or by the class of FusionPBX's service
// of that name, and take it away again. Explain says whose policy counts.
func TestSettingsCountBeforeServiceInside(t *testing.T) {
	chatter := func(name string, own *policy.Policy) *service.Service {
		return &service.Service{Name: name, Policy: own, Setup: func(s service.Setup) error {
			s.Handle("say", func(r service.Request) error {
				s.Broadcast("said", map[string]int{"a": 1, "b": 2, "total": 3})
				r.End()
				return nil
			})
			return nil
		}}
	}
	cfg := testConfig(t)
	cfg.Dashboard.Enabled = false
	s := start(t, cfg, chatter("chat", &policy.Policy{Keys: []string{"a"}}), chatter("dashboard.system.information", nil), chatter("plain", nil))
	// Its policy lets everybody see its state, so p joins after the service has said that it is up.
	first := member(t, s, user("", nil))
	eventually(t, "the service is up", func() bool {
		state, err := ask(t, first, "dashboard.system.information", service.StateTopic, nil)
		return err == nil && strings.Contains(state, `"state":"up"`)
	})
	p := join(t, s, user("", nil, "chat", "dashboard.system.information", "plain"))
	keep := func(key string) policy.Policy { return policy.Policy{Keys: []string{key}} }
	type want struct{ payload, policy, source string }
	none := map[string]want{
		"chat":                         {`{"a":1}`, "chat", "service"},
		"dashboard.system.information": {`{"a":1,"b":2,"total":3}`, "system_dashboard_service", "builtin"},
		"plain":                        {"", "", "default"},
	}
	for _, step := range []struct {
		policies map[string]policy.Policy
		want     map[string]want
	}{
		{nil, none},
		{map[string]policy.Policy{"chat": keep("b"), "plain": keep("b"), "system_dashboard_service": keep("total")}, map[string]want{
			"chat":                         {`{"b":2}`, "chat", "configuration"},
			"dashboard.system.information": {`{"total":3}`, "system_dashboard_service", "configuration"},
			"plain":                        {`{"b":2}`, "plain", "configuration"},
		}},
		{nil, none},
		{map[string]policy.Policy{"dashboard.system.information": keep("a"), "system_dashboard_service": keep("total")}, map[string]want{
			"chat":                         none["chat"],
			"dashboard.system.information": {`{"a":1}`, "dashboard.system.information", "configuration"},
			"plain":                        none["plain"],
		}},
	} {
		next := *cfg
		next.Policies = step.policies
		if _, err := s.Reload(&next); err != nil {
			t.Fatal(err)
		}
		for name, want := range step.want {
			p.sendf(`{"service":%q,"topic":"say","request_id":"1"}`, name)
			if want.payload == "" {
				p.gets(`403 ` + name + `/say #"1" null`)
			} else {
				p.gets(`"" ` + name + `/said #"" ` + want.payload)
			}
			got := explained(t, s, name)
			if got.Policy != want.policy || got.Source != want.source {
				t.Errorf("%s goes by the policy %q, %s, want %q, %s", name, got.Policy, got.Source, want.policy, want.source)
			}
		}
	}
}

// explained returns what the only subscriber of a service is told about it.
func explained(t *testing.T, s *System, name string) *Explanation {
	t.Helper()
	web := httptest.NewServer(s.subscribersHandler())
	defer web.Close()
	response, err := web.Client().Get(web.URL + "/subscribers?service=" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var all []Subscriber
	if err := json.NewDecoder(response.Body).Decode(&all); err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	got, err := s.Explain(all[0].ID, name, nil)
	if err != nil || len(got) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	return got[0]
}
