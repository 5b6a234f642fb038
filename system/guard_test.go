package system

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"strowger/config/policy"
	activecalls "strowger/system/fusionpbx/calls"
	"strowger/system/fusionpbx/conferences"
	"strowger/system/fusionpbx/database"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/link"
	operatorpanel "strowger/system/fusionpbx/panel"
	"strowger/system/fusionpbx/switchsim"
	"strowger/system/service"
	"strowger/system/token"
)

const (
	callOfA = "aaaaaaaa-0000-4000-8000-000000000001"
	callOfB = "bbbbbbbb-0000-4000-8000-000000000001"
	roomOfB = "3001@b.example.com"
)

// domains is a database that notes for which domains it is asked.
type domains struct {
	mu    sync.Mutex // Protects following.
	asked []string
}

func (d *domains) note(domain string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, domain)
}

func (d *domains) Extensions(_ context.Context, domain string) ([]database.Extension, error) {
	d.note(domain)
	return nil, nil
}

func (d *domains) UserContext(_ context.Context, _, domain string) (string, error) {
	d.note(domain)
	return domain, nil
}

func (d *domains) Queues(_ context.Context, domain string) ([]database.Queue, error) {
	d.note(domain)
	return nil, nil
}

func (d *domains) Agents(_ context.Context, domain string) ([]database.Agent, error) {
	d.note(domain)
	return nil, nil
}

func (d *domains) Conference(_ context.Context, key, domain string) (database.Conference, error) {
	d.note(domain)
	return database.Conference{Name: key}, nil
}

func (d *domains) CachedConference(key, _ string) (database.Conference, bool) {
	return database.Conference{Name: key}, true
}

func (d *domains) SetUserStatus(_ context.Context, by database.Asker, _, _ string) error {
	d.note(by.Domain)
	return database.ErrNotFound
}

func (d *domains) SetAgentStatus(_ context.Context, by database.Asker, _, _ string) error {
	d.note(by.Domain)
	return database.ErrNotFound
}

// TestTenantGuardUnderAnOpenPolicy gives FusionPBX's services inside a policy in the settings that restricts nothing.
// It must not let anybody act on another tenant: that guard is the services' own.
func TestTenantGuardUnderAnOpenPolicy(t *testing.T) {
	sim, db := twoTenants(t), new(domains)
	sw, err := link.New(eventsocket.Options{Address: sim.Addr(), Password: "ClueCon"})
	if err != nil {
		t.Fatal(err)
	}
	cfg := testConfig(t)
	cfg.Policies = map[string]policy.Policy{}
	for _, class := range policy.Classes() {
		cfg.Policies[class.Service] = *service.Everyone()
	}
	s, err := New(Options{Config: cfg, Log: slog.New(slog.DiscardHandler), Switch: sw},
		activecalls.New(activecalls.Options{Events: sw.Events, Commands: sw.Commands}),
		conferences.New(conferences.Options{Events: sw.Events, Commands: sw.Commands}),
		operatorpanel.New(operatorpanel.Options{Events: sw.Events, Commands: sw.Commands, Database: db, AgentStats: -1}))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	// A command means that the connection for commands is there.
	if err := sim.Await(ctx, func(all []switchsim.Command) bool {
		return slices.ContainsFunc(all, func(c switchsim.Command) bool { return strings.Contains(c.Text, "show channels") })
	}); err != nil {
		t.Fatal(err)
	}
	for _, domain := range []string{"a.example.com", ""} {
		for _, test := range foreign(domain) {
			t.Run(fmt.Sprintf("%s %s %s of %q", test.service, test.topic, test.payload, domain), func(t *testing.T) {
				p := join(t, s, operator(domain))
				p.sendf(`{"service":%q,"topic":%q,"request_id":"1","payload":%s}`, test.service, test.topic, test.payload)
				got := p.answers()
				if !strings.Contains(got, test.want) || strings.Contains(got, "b.example.com") || strings.Contains(got, callOfB) {
					t.Errorf("got %s, want %s and nothing of b", got, test.want)
				}
			})
		}
	}
	for _, c := range sim.Commands() {
		if strings.Contains(c.Text, callOfB) || strings.Contains(c.Text, roomOfB) || strings.Contains(c.Text, "1001@b.example.com") {
			t.Errorf("the switch was told %q", c.Text)
		}
	}
	if slices.Contains(db.asked, "b.example.com") {
		t.Errorf("the database was asked for the domains %q", db.asked)
	}
}

type foreignRequest struct{ service, topic, payload, want string }

// foreign are requests of somebody in a domain about another one, and a part of their first answer.
func foreign(domain string) []foreignRequest {
	all := []foreignRequest{
		{policy.ActiveCalls, "hangup", `{"unique_id":"` + callOfB + `"}`, "403"},
		{policy.ActiveCalls, "eavesdrop", `{"unique_id":"` + callOfB + `","origination_caller_contact":"1001","origination_caller_id_name":"x","caller_caller_id_number":"1"}`, ""},
		{policy.ActiveCalls, "eavesdrop", `{"unique_id":"` + callOfA + `","origination_caller_contact":"1001@b.example.com"}`, "400"},
		{policy.ActiveConferences, "in_progress", `{"domain_name":"b.example.com"}`, "[]"},
		{policy.ActiveConferences, "in_progress", `{"uuid":"` + roomOfB + `"}`, "400"},
		{policy.ActiveConferences, "action", `{"action":"lock","conference_name":"` + roomOfB + `","domain_name":"b.example.com"}`, "403"},
		{policy.OperatorPanel, "calls_active", `{"domain_name":"b.example.com"}`, "200"},
		{policy.OperatorPanel, "conferences_active", `{"domain_name":"b.example.com"}`, "[]"},
		{policy.OperatorPanel, "extensions_active", `{"domain_name":"b.example.com"}`, "[]"},
		{policy.OperatorPanel, "agents_active", `{"domain_name":"b.example.com"}`, "[]"},
		{policy.OperatorPanel, "action", `{"action":"transfer","uuid":"` + callOfA + `","destination":"1001","context":"b.example.com"}`, "Invalid context"},
		{policy.OperatorPanel, "action", `{"action":"mute","member_id":"1","conference_name":"` + roomOfB + `"}`, "not of your domain"},
		{policy.OperatorPanel, "action", `{"action":"registrations_state","domain_name":"b.example.com"}`, `"states":[]`},
		{policy.OperatorPanel, "action", `{"action":"user_status","user_uuid":"x","status":"Available","domain_name":"b.example.com"}`, "not found"},
		{policy.OperatorPanel, "action", `{"action":"agent_status","agent_name":"x","status":"Available","domain_name":"b.example.com"}`, "not found"},
	}
	if domain != "" { // of no domain there is no call, and so no answer
		all = append(all, foreignRequest{policy.ActiveCalls, "in.progress", `[]`, callOfA})
	}
	for _, action := range []string{"hangup", "hangup_caller", "kick", "intercept", "transfer", "eavesdrop", "whisper", "barge", "record"} {
		payload, _ := json.Marshal(map[string]string{"action": action, "uuid": callOfB, "destination": "1001", "destination_extension": "1001", "extension": "1001"})
		all = append(all, foreignRequest{policy.OperatorPanel, "action", string(payload), `"success":false`})
	}
	return all
}

// operator may do everything in one domain, and sees no more than it.
func operator(domain string) token.Spec {
	return user(domain, []string{
		"call_active_view", "call_active_domain", "call_active_hangup", "call_active_eavesdrop",
		"conference_active_view", "conference_interactive_lock", "operator_panel_view", "operator_panel_manage",
		"operator_panel_hangup", "operator_panel_transfer_attended", "operator_panel_eavesdrop", "active_call_whisper",
		"active_call_barge", "operator_panel_record", "operator_panel_originate",
	})
}

// answers returns the answer to the request 1.
func (p *peer) answers() string {
	p.t.Helper()
	for {
		if e := p.next(); string(e.RequestID) == `"1"` {
			return e.String()
		}
	}
}

// twoTenants is a switch with a call and a conference of each of two domains.
func twoTenants(t *testing.T) *switchsim.Simulator {
	t.Helper()
	call := func(uuid, domain string) string {
		return fmt.Sprintf(`{"uuid":%q,"callstate":"ACTIVE","context":%q,"presence_id":"1001@%s"}`, uuid, domain, domain)
	}
	list := fmt.Sprintf(`{"row_count":2,"rows":[%s,%s]}`, call(callOfB, "b.example.com"), call(callOfA, "a.example.com"))
	rooms := `[{"conference_name":"` + roomOfB + `","member_count":1,"members":[]}]`
	registered := `{"row_count":1,"rows":[{"reg_user":"1001","realm":"b.example.com"}]}`
	api, err := json.Marshal(map[string][][2]any{"show channels as json": {{0, list}}, "conference json_list": {{0, rooms}}, "show registrations as json": {{0, registered}}})
	if err != nil {
		t.Fatal(err)
	}
	recording, err := switchsim.Load(fstest.MapFS{"x/switch.jsonl": {Data: nil}, "x/api.json": {Data: api}}, "x")
	if err != nil {
		t.Fatal(err)
	}
	sim, err := switchsim.Start(recording, switchsim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	return sim
}
