package system

import (
	"bytes"
	"log/slog"
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
		f, found := p.Of(&actors.Peer{Identity: actors.Identity{Name: name}})
		if found != (name != "unknown") {
			t.Fatalf("%s has a policy: %v", name, found)
		}
		return f
	}
	a, b, calls := of(cfg, "a"), of(cfg, "b"), of(cfg, "active_calls_service")
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
	if of(&changed, "b") == b || of(&changed, "active_calls_service") == calls {
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

// TestPolicyThatIsNotUsed: who writes a policy for a service that brings its own along reads in the log that
// it changes nothing.
func TestPolicyThatIsNotUsed(t *testing.T) {
	cfg := testConfig(t)
	cfg.Policies = map[string]policy.Policy{"active_calls_service": *service.Everyone(), "other": *service.Everyone()}
	var lines bytes.Buffer
	s, err := New(Options{Config: cfg, Log: slog.New(slog.NewTextHandler(&lines, nil))}, parrot("active.calls"), parrot("b"))
	if err != nil {
		t.Fatal(err)
	}
	changed := *cfg
	changed.Policies = map[string]policy.Policy{"b": *service.Everyone()}
	if _, err := s.Reload(&changed); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	const message = "policy is not used"
	for _, want := range []string{"service=active.calls setting=policies.active_calls_service", "service=b setting=policies.b"} {
		if !strings.Contains(lines.String(), want) {
			t.Errorf("no line has %q:\n%s", want, lines.String())
		}
	}
	if n := strings.Count(lines.String(), message); n != 2 {
		t.Errorf("%d warnings, want 2:\n%s", n, lines.String())
	}
}
