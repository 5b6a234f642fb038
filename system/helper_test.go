package system

import (
	"testing"

	"strowger/config/policy"
)

// settled fails if a service was asked anything before. Whatever it has said has been taken.
func settled(p *peer) {
	p.t.Helper()
	p.sendf(`{"service":"authentication","request_id":"q","token":{"name":"n","hash":"h"}}`)
	p.gets(`200 authentication/authenticated #"q" null`)
}

// A class that is built in or declared speaks for the names that it serves, and is asked for its own only.
func TestHelperSpeaksForItsClass(t *testing.T) {
	cfg := testConfig(t)
	cfg.Routing.UnknownService = "503"
	cfg.Services.Classes = []string{"texts_service", "other_service"}
	texts := policy.Policy{Scopes: []policy.Scope{{To: policy.Domain, Keys: []string{"domain_name"}}}}
	cfg.Policies = map[string]policy.Policy{"texts_service": texts, "other_service": texts, "foreign_service": texts}
	s := start(t, cfg)
	service := join(t, s, remote("texts", "texts_service"))
	c, d := join(t, s, user("one.example", nil, "texts")), join(t, s, user("two.example", nil, "texts"))
	helper := join(t, s, remote("texts_push_1", "texts_service"))
	for _, foreign := range []*peer{
		join(t, s, remote("texts_push_2", "other_service")),
		join(t, s, remote("texts_push_3", "foreign_service")),
		join(t, s, remote("texts_push_4", "Texts_Service")),
	} {
		foreign.sendf(`{"service_name":"texts","topic":"MESSAGE","payload":{"domain_name":"one.example","text":"forged"}}`)
		settled(foreign)
	}
	helper.sendf(`{"service_name":"texts","topic":"MESSAGE","payload":{"domain_name":"one.example","text":"hello"}}`)
	c.gets(`"" texts/MESSAGE #"" {"domain_name":"one.example","text":"hello"}`)

	// Whoever helps is asked nothing, but may answer.
	c.sendf(`{"service":"texts","topic":"get","request_id":"1"}`)
	id := service.asked(`"" texts/get #"1" null`)
	helper.sendf(`{"service_name":"texts","topic":"get","request_id":"1","resource_id":%q,"payload":{"domain_name":"one.example"}}`, id)
	c.gets(`"" texts/get #"1" {"domain_name":"one.example"}`)
	settled(helper)
	d.quiet()
	c.quiet()
}

// A class that has a policy is declared. Its helpers speak for a name also while nobody offers it, if services of
// their class offered it last.
func TestHelperWithoutInstance(t *testing.T) {
	cfg := testConfig(t)
	cfg.Routing.UnknownService = "503" // for quiet
	texts := policy.Policy{Scopes: []policy.Scope{{To: policy.Domain, Keys: []string{"domain_name"}}}}
	cfg.Policies = map[string]policy.Policy{"texts_service": texts, "other_service": texts, "mails": texts}
	cfg.Services.Classes = []string{"listed_service"}
	s := start(t, cfg)
	c, d := join(t, s, user("one.example", nil, "texts", "mails", calls)), join(t, s, user("two.example", nil, "texts", "mails", calls))
	say := func(p *peer, name, text string) {
		t.Helper()
		p.sendf(`{"service_name":%q,"topic":"MESSAGE","payload":{"domain_name":"one.example","text":%q}}`, name, text)
		settled(p)
	}
	hears := func(name, text string) {
		t.Helper()
		c.gets(`"" ` + name + `/MESSAGE #"" {"domain_name":"one.example","text":"` + text + `"}`)
	}
	helper, other := join(t, s, remote("texts_push_1", "texts_service")), join(t, s, remote("texts_push_2", "other_service"))
	undeclared, builtin := join(t, s, remote("push_3", "unknown_service")), join(t, s, remote("push_4", "active_calls_service"))
	listed := join(t, s, remote("push_5", "listed_service"))

	say(undeclared, "texts", "undeclared")
	say(undeclared, "mails", "undeclared")
	say(builtin, "texts", "a built-in class")
	say(helper, calls, "for a built-in service")
	say(listed, calls, "for a built-in service")
	say(helper, "nobody.listens", "lost")
	say(helper, "texts", "before it was offered")

	// Who offered the name last may go on, and nobody else.
	service := join(t, s, remote("texts", "texts_service"))
	say(other, "texts", "forged")
	service.leave()
	say(helper, "texts", "after")
	hears("texts", "after")
	say(other, "texts", "forged")

	// The name has a policy, so its instances' class need not be declared.
	mails := join(t, s, remote("mails", "unknown_service"))
	say(undeclared, "mails", "of the same class")
	hears("mails", "of the same class")
	mails.leave()
	c.quiet()
	d.quiet()
}

// Where everything is allowed that has no policy, a helper's class need not be declared either. It is still the
// class of the service for which it speaks.
func TestHelperWhereAllIsAllowed(t *testing.T) {
	cfg := testConfig(t)
	cfg.Routing.UnknownService, cfg.Routing.DefaultPolicy = "503", "allow"
	s := start(t, cfg)
	c := join(t, s, user("one.example", nil, "texts"))
	join(t, s, remote("texts", "texts_service"))
	for _, foreign := range []*peer{join(t, s, remote("push_1", "other_service")), join(t, s, remote("push_2", ""))} {
		foreign.sendf(`{"service_name":"texts","topic":"MESSAGE","payload":"forged"}`)
		settled(foreign)
	}
	helper := join(t, s, remote("push_3", "texts_service"))
	for _, name := range []string{`"Texts"`, `"texts "`, `""`, `null`, `["texts"]`, `5`} {
		helper.sendf(`{"service_name":%s,"topic":"MESSAGE","payload":"misspelled"}`, name)
	}
	helper.sendf(`{"service_name":"texts","topic":"MESSAGE","payload":"hello"}`)
	c.gets(`"" texts/MESSAGE #"" "hello"`)
	c.quiet()
}

// A built-in class under the name of another built-in service has its own name.
func TestBuiltinClassUnderAnotherName(t *testing.T) {
	cfg := testConfig(t)
	cfg.Routing.UnknownService = "503"
	cfg.Dashboard.Enabled = false
	s := start(t, cfg)
	dashboard := join(t, s, remote("active.calls", "system_dashboard_service"))
	calls := join(t, s, remote("active.calls", "active_calls_service"))
	c := join(t, s, user("", []string{"call_active_view", "call_active_all", "system_view_cpu"}, "dashboard.system.information", "active.calls"))
	dashboard.sendf(`{"service_name":"dashboard.system.information","topic":"cpu_status","payload":{"cpu_status":{"total":1}}}`)
	c.gets(`"" dashboard.system.information/cpu_status #"" {"cpu_status":{"total":1}}`)
	c.sendf(`{"service":"active.calls","topic":"in.progress","request_id":"1","payload":[]}`)
	calls.asked(`"" active.calls/in.progress #"1" []`)
	// It may not speak for the other service.
	dashboard.sendf(`{"service_name":"active.calls","topic":"HEARTBEAT","payload":{"event_name":"HEARTBEAT"}}`)
	// A helper of a built-in class speaks for the class's service.
	helper := join(t, s, remote("active.calls.push", "active_calls_service"))
	helper.sendf(`{"service_name":"active.calls","topic":"HEARTBEAT","payload":{"event_name":"HEARTBEAT","action":"x"}}`)
	c.gets(`"" active.calls/HEARTBEAT #"" {"event_name":"HEARTBEAT","action":"x"}`)
	c.sendf(`{"service":"dashboard.system.information","topic":"cpu_status","request_id":"2"}`)
	dashboard.asked(`"" dashboard.system.information/cpu_status #"2" null`)
	settled(helper)
	settled(dashboard)
}
