package system

import (
	"fmt"
	"testing"

	"strowger/config"
)

// These are the cases of tenants that must not see one another, over real sockets and with the
// built-in policies; services are played by doubles with the real classes.

const (
	calls     = "active.calls"
	rooms     = "active.conferences"
	dashboard = "dashboard.system.information"
	panel     = "active.operator.panel"
)

// isolated runs a system with the built-in policies.
func isolated(t *testing.T) *System {
	t.Helper()
	cfg := testConfig(t)
	cfg.Routing.UnknownService = "503" // for quiet
	return start(t, cfg)
}

// adminGrants is what FusionPBX grants the group admin of active calls; a root also sees all domains.
func adminGrants() []string {
	return []string{"call_active_application", "call_active_codec", "call_active_domain", "call_active_eavesdrop", "call_active_hangup", "call_active_view"}
}

func rootGrants() []string {
	return append([]string{"call_active_all", "call_active_profile", "call_active_secure"}, adminGrants()...)
}

// call is an event of a channel of extension 1001 in a domain, as the service sends it.
func call(id, domain string) string {
	return fmt.Sprintf(`{"event_name":"CHANNEL_CREATE","unique_id":%q,"caller_context":%q,"channel_presence_id":"1001@%s",`+
		`"channel_read_codec_name":"PCMU","caller_channel_name":"sofia/internal/1001","secure":"srtp","application":"bridge","call_direction":"inbound","variable_sip_auth_password":"x"}`, id, domain, domain)
}

// seen is the call as the group admin sees it, spelled as gets wants it.
func seen(id, domain string) string {
	return fmt.Sprintf(`"" active.calls/CHANNEL_CREATE #"" {"event_name":"CHANNEL_CREATE","unique_id":%q,"caller_context":%q,"channel_presence_id":"1001@%s",`+
		`"channel_read_codec_name":"PCMU","application":"bridge"}`, id, domain, domain)
}

const (
	heartbeat = `{"service_name":"active.calls","topic":"HEARTBEAT","payload":{"event_name":"HEARTBEAT"}}`
	beat      = `"" active.calls/HEARTBEAT #"" {"event_name":"HEARTBEAT"}`
)

// say broadcasts a call event.
func (p *peer) sayCall(id, domain string) {
	p.t.Helper()
	p.sendf(`{"service_name":"active.calls","topic":"CHANNEL_CREATE","payload":%s}`, call(id, domain))
}

// C6, D5: what happens in b is for b and for roots.
func TestCallsOfTwoTenants(t *testing.T) {
	s := isolated(t)
	service := join(t, s, remote(calls, "active_calls_service"))
	a, b := join(t, s, user("a.example.com", adminGrants(), calls)), join(t, s, user("b.example.com", adminGrants(), calls))
	all := join(t, s, user("a.example.com", rootGrants(), calls))
	service.sayCall("1", "b.example.com")
	service.sendf(heartbeat)
	b.gets(seen("1", "b.example.com"), beat)
	a.gets(beat)
	all.gets(`"" active.calls/CHANNEL_CREATE #"" {"event_name":"CHANNEL_CREATE","unique_id":"1","caller_context":"b.example.com","channel_presence_id":"1001@b.example.com",`+
		`"channel_read_codec_name":"PCMU","caller_channel_name":"sofia/internal/1001","secure":"srtp","application":"bridge"}`, beat)
}

// C7: who leaves takes nothing away from others.
func TestTabOfAnotherTenantIsClosed(t *testing.T) {
	s := isolated(t)
	service := join(t, s, remote(calls, "active_calls_service"))
	a, b := join(t, s, user("a.example.com", adminGrants(), calls)), join(t, s, user("b.example.com", adminGrants(), calls))
	service.sayCall("1", "a.example.com")
	a.gets(seen("1", "a.example.com"))
	a.leave()
	service.sayCall("2", "b.example.com")
	b.gets(seen("2", "b.example.com"))
}

// C8: clients that were there before the service are filtered all the same, and again when the
// service comes back.
func TestServiceBehindItsClients(t *testing.T) {
	s := isolated(t)
	a, b := join(t, s, user("a.example.com", adminGrants(), calls)), join(t, s, user("b.example.com", adminGrants(), calls))
	for round := range 2 {
		service := join(t, s, remote(calls, "active_calls_service"))
		service.sayCall("1", "b.example.com")
		service.sendf(heartbeat)
		b.gets(seen("1", "b.example.com"), beat)
		a.gets(beat)
		service.leave()
		t.Log("round", round)
	}
}

// C12: each stream has its own filter.
func TestTwoSubscriptions(t *testing.T) {
	s := isolated(t)
	c := join(t, s, user("a.example.com", append(adminGrants(), "conference_active_view"), calls, rooms))
	callService, roomService := join(t, s, remote(calls, "active_calls_service")), join(t, s, remote(rooms, "active_conferences_service"))
	callService.sayCall("1", "a.example.com")
	c.gets(seen("1", "a.example.com"))
	// No rule of calls: their events and keys mean nothing here, as theirs of rooms mean nothing there.
	roomService.sendf(`{"service_name":"active.conferences","topic":"lock","payload":{"event_name":"conference::maintenance","conference_name":"3001@a.example.com","secure":"x"}}`)
	c.gets(`"" active.conferences/lock #"" {"event_name":"conference::maintenance","conference_name":"3001@a.example.com","secure":"x"}`)
	roomService.sendf(`{"service_name":"active.conferences","topic":"lock","payload":{"conference_name":"3001@b.example.com","caller_context":"a.example.com"}}`)
	roomService.sendf(`{"service_name":"active.conferences","topic":"pong","payload":1}`)
	c.gets(`"" active.conferences/pong #"" 1`)
}

// D4: columns that the group admin may not see are not in what its browsers get.
func TestColumnsOfCalls(t *testing.T) {
	s := isolated(t)
	service := join(t, s, remote(calls, "active_calls_service"))
	with := join(t, s, user("a.example.com", adminGrants(), calls))
	without := join(t, s, user("a.example.com", []string{"call_active_domain"}, calls))
	service.sayCall("1", "a.example.com")
	with.gets(seen("1", "a.example.com"))
	without.gets(`"" active.calls/CHANNEL_CREATE #"" {"event_name":"CHANNEL_CREATE","unique_id":"1","caller_context":"a.example.com"}`)
}

// D6: a user of one extension sees its calls only, also in the list at the beginning.
func TestCallsOfOneExtension(t *testing.T) {
	s := isolated(t)
	service := join(t, s, remote(calls, "active_calls_service"))
	spec := user("a.example.com", []string{"call_active_view"}, calls)
	spec.Extensions = []string{"1001@a.example.com"}
	own := join(t, s, spec)
	spec.Extensions = []string{"1002@a.example.com"}
	other := join(t, s, spec)
	const mine = `{"event_name":"CHANNEL_CREATE","unique_id":"1","channel_presence_id":"1001@a.example.com"}`
	service.sayCall("1", "a.example.com")
	service.sayCall("2", "b.example.com")
	service.sendf(`{"service_name":"active.calls","topic":"CHANNEL_CREATE","payload":{"event_name":"CHANNEL_CREATE","unique_id":"3"}}`)
	service.sendf(heartbeat)
	own.gets(`"" active.calls/CHANNEL_CREATE #"" `+mine, beat)
	other.gets(beat)

	own.sendf(`{"service":"active.calls","topic":"in.progress","request_id":"7","payload":{}}`)
	id := service.asked(`"" active.calls/in.progress #"7" {}`)
	for _, row := range []string{
		`{"event_name":"CHANNEL_CALLSTATE","unique_id":"2","channel_presence_id":"1001@b.example.com"}`,
		`{"event_name":"CHANNEL_CALLSTATE","unique_id":"3"}`,
		`{"event_name":"CHANNEL_CALLSTATE","unique_id":"1","channel_presence_id":"1001@a.example.com"}`,
	} {
		service.sendf(`{"service_name":"active.calls","topic":"CHANNEL_CALLSTATE","status_string":"ok","status_code":200,"request_id":"7","resource_id":%q,"payload":%s}`, id, row)
	}
	service.sendf(heartbeat)
	own.gets(`200 active.calls/CHANNEL_CALLSTATE #"7" {"event_name":"CHANNEL_CALLSTATE","unique_id":"1","channel_presence_id":"1001@a.example.com"}`, beat)
}

// E3, E4, E10: whoever may take part sees the room of the own domain, a token without permissions
// nothing at all, and another tenant's lock changes nothing.
func TestRooms(t *testing.T) {
	s := isolated(t)
	service := join(t, s, remote(rooms, "active_conferences_service"))
	ordinary := join(t, s, user("a.example.com", []string{"conference_interactive_view"}, rooms))
	nobody := join(t, s, user("", nil, rooms))
	for _, topic := range []string{"lock", "conference_create"} {
		service.sendf(`{"service_name":"active.conferences","topic":%q,"payload":{"action":"lock","conference_name":"3001@b.example.com"}}`, topic)
		service.sendf(`{"service_name":"active.conferences","topic":%q,"payload":{"action":"lock"}}`, topic)
	}
	service.sendf(`{"service_name":"active.conferences","topic":"lock","payload":{"action":"lock","conference_name":"3001@a.example.com","caller_context":"public"}}`)
	service.sendf(`{"service_name":"active.conferences","topic":"pong","payload":{"pong":1}}`)
	ordinary.gets(`"" active.conferences/lock #"" {"action":"lock","conference_name":"3001@a.example.com","caller_context":"public"}`,
		`"" active.conferences/pong #"" {"pong":1}`)
	nobody.quiet()
	nobody.sendf(`{"service":"active.conferences","topic":"in_progress","request_id":"1","payload":{}}`)
	nobody.gets(`403 active.conferences/in_progress #"1" null`)

	// protocol 11.23: a request cannot reach for another tenant's room.
	for i, payload := range []string{
		`{"action":"lock","conference_name":"3001@b.example.com","domain_name":"a.example.com"}`,
		`{"action":"lock","conference_name":"3001@a.example.com","domain_name":"b.example.com"}`,
		`{"action":"kick","conference_name":"3001@b.example.com%%20kick%%2042@a.example.com"}`,
		`{"action":"kick","conference_name":"3001@b.example.com\nlock"}`,
	} {
		ordinary.sendf(`{"service":"active.conferences","topic":"action","request_id":"%d","payload":`+payload+`}`, i+2)
		ordinary.gets(fmt.Sprintf(`403 active.conferences/action #"%d" null`, i+2))
	}
	ordinary.sendf(`{"service":"active.conferences","topic":"in_progress","request_id":"9","payload":{"domain_name":"a.example.com"}}`)
	id := service.asked(`"" active.conferences/in_progress #"9" {"domain_name":"a.example.com"}`)
	service.sendf(`{"service_name":"active.conferences","topic":"in_progress","request_id":"9","resource_id":%q,"payload":[{"conference_name":"1@b.example.com"},{"conference_name":"2@a.example.com"}]}`, id)
	ordinary.gets(`"" active.conferences/in_progress #"9" [{"conference_name":"2@a.example.com"}]`)
}

// F5: the network's load is for those who may see it.
func TestDashboard(t *testing.T) {
	s := isolated(t)
	service := join(t, s, remote(dashboard, "system_dashboard_service"))
	all := join(t, s, user("a.example.com", []string{"system_view_cpu", "system_view_network"}, dashboard))
	cpu := join(t, s, user("a.example.com", []string{"xml_cdr_view"}, dashboard))
	none := join(t, s, user("a.example.com", []string{"other"}, dashboard))
	service.sendf(`{"service_name":"dashboard.system.information","topic":"network_status","payload":{"network_status":{"rx_bps":1.50}}}`)
	service.sendf(`{"service_name":"dashboard.system.information","topic":"cpu_status","payload":{"cpu_status":{"total":2}}}`)
	all.gets(`"" dashboard.system.information/network_status #"" {"network_status":{"rx_bps":1.50}}`,
		`"" dashboard.system.information/cpu_status #"" {"cpu_status":{"total":2}}`)
	cpu.gets(`"" dashboard.system.information/cpu_status #"" {"cpu_status":{"total":2}}`)
	none.gets(`"" dashboard.system.information/cpu_status #"" {}`)
}

// G4: of two tenants' panels each shows its own.
func TestPanelsOfTwoTenants(t *testing.T) {
	s := isolated(t)
	service := join(t, s, remote(panel, "operator_panel_service"))
	view := []string{"operator_panel_view"}
	a, b := join(t, s, user("a.example.com", view, panel)), join(t, s, user("b.example.com", view, panel))
	none := join(t, s, user("a.example.com", nil, panel))
	say := func(topic, payload string) {
		t.Helper()
		service.sendf(`{"service_name":"active.operator.panel","topic":%q,"payload":%s}`, topic, payload)
	}
	say("channel_create", `{"unique_id":"1","caller_context":"a.example.com"}`)
	say("channel_create", `{"unique_id":"2","caller_context":"default"}`) // nobody's
	say("channel_create", `{"unique_id":"3","caller_context":"default","channel_presence_id":"1001@b.example.com"}`)
	say("channel_create", `{"unique_id":"4","caller_context":"default","channel_presence_id":"1001@a.example.com"}`)
	say("channel_create", `{"unique_id":"5","caller_context":"a.example.com","domain_name":"a.example.com","channel_presence_id":"1001@b.example.com"}`)
	say("agent_stats", `[{"agent_name":"x","domain_name":"a.example.com"}]`)
	say("agent_stats", `[{"agent_name":"x","domain_name":"a.example.com"},{"agent_name":"y","domain_name":"b.example.com"}]`)
	say("registration_change", `{"extension":"1","domain_name":"b.example.com","registered":true}`)
	say("pong", `1`)
	const is = `"" active.operator.panel/`
	a.gets(is+`channel_create #"" {"unique_id":"1","caller_context":"a.example.com"}`,
		is+`channel_create #"" {"unique_id":"4","caller_context":"default","channel_presence_id":"1001@a.example.com"}`,
		is+`agent_stats #"" [{"agent_name":"x","domain_name":"a.example.com"}]`,
		is+`agent_stats #"" [{"agent_name":"x","domain_name":"a.example.com"}]`,
		is+`pong #"" 1`)
	b.gets(is+`channel_create #"" {"unique_id":"3","caller_context":"default","channel_presence_id":"1001@b.example.com"}`,
		is+`channel_create #"" {"unique_id":"5","caller_context":"a.example.com","domain_name":"a.example.com","channel_presence_id":"1001@b.example.com"}`,
		is+`agent_stats #"" [{"agent_name":"y","domain_name":"b.example.com"}]`,
		is+`registration_change #"" {"extension":"1","domain_name":"b.example.com","registered":true}`,
		is+`pong #"" 1`)
	none.quiet()

	a.sendf(`{"service":"active.operator.panel","topic":"extensions_active","request_id":"1","payload":{"domain_name":"b.example.com"}}`)
	a.gets(`403 active.operator.panel/extensions_active #"1" null`)
	a.sendf(`{"service":"active.operator.panel","topic":"extensions_active","request_id":"2","payload":{"domain_name":"a.example.com"}}`)
	id := service.asked(`"" active.operator.panel/extensions_active #"2" {"domain_name":"a.example.com"}`)
	service.sendf(`{"service_name":"active.operator.panel","topic":"calls_active","status_string":"ok","status_code":200,"request_id":"2","resource_id":%q,"payload":`+
		`[{"unique_id":"1","caller_context":"default","channel_presence_id":"1001@b.example.com"},{"unique_id":"2","caller_context":"default"},{"unique_id":"3","caller_context":"a.example.com"}]}`, id)
	a.gets(`200 active.operator.panel/calls_active #"2" [{"unique_id":"3","caller_context":"a.example.com"}]`)
	service.sendf(`{"service_name":"active.operator.panel","topic":"extensions_active","status_string":"ok","status_code":200,"request_id":"2","resource_id":%q,"payload":[{"extension":"1001"}]}`, id)
	a.gets(`200 active.operator.panel/extensions_active #"2" [{"extension":"1001"}]`)
}

// A reload that shuts a service shuts it for the next message, and no later.
func TestReloadOfPolicies(t *testing.T) {
	s := isolated(t)
	service := join(t, s, remote("weather", "weather_service"))
	p := join(t, s, user("a.example.com", nil, "weather"))
	shift := func(edit func(*config.Config)) {
		t.Helper()
		changed := *s.running.Load()
		edit(&changed)
		if changes, err := s.Reload(&changed); err != nil || len(changes.Changes()) != 1 {
			t.Errorf("changes %v, %v, want 1", changes, err)
		}
	}
	for n := range 3 {
		service.sendf(`{"service_name":"weather","topic":"denied","payload":%d}`, n)
		// The connection answers behind it, then the service's actor, and then its topic.
		service.sendf(`{"service":"authentication","request_id":"done"}`)
		service.gets(`200 authentication/authenticated #"done" null`)
		p.sendf(`{"service":"weather","topic":"t","request_id":"1"}`)
		p.gets(`403 weather/t #"1" null`)
		if _, err := s.Explain("nobody", "weather", nil); err != ErrNoMember {
			t.Fatal(err)
		}
		shift(func(c *config.Config) { c.Routing.DefaultPolicy = "allow" })
		service.sendf(`{"service_name":"weather","topic":"allowed","payload":%d}`, n)
		p.gets(fmt.Sprintf(`"" weather/allowed #"" %d`, n))
		shift(func(c *config.Config) { c.Routing.DefaultPolicy = "deny" })
	}
	p.quiet()
}
