package database

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"strowger/system/fusionpbx/database/databasetest"
)

// testExtensions compares with what the original service answered on this site.
func testExtensions(t *testing.T, cluster *databasetest.Cluster) {
	s := newSite(t, cluster)
	found, err := s.Extensions(ctx(t), domainA)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range found {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(text))
	}
	want := []string{
		`{"extension_uuid":"e0000000-0000-4000-8000-000000000201","extension":"201","effective_caller_id_name":"Two Oh One","effective_caller_id_number":"201","description":"short","call_group":null,"do_not_disturb":null,"user_context":"a.example.com","enabled":true,"voicemail_enabled":"false","user_uuid":null,"user_status":"","contact_image":null}`,
		`{"extension_uuid":"e0000000-0000-4000-8000-000000001001","extension":"1001","effective_caller_id_name":"Zoë \"Z\" Müller; 100%","effective_caller_id_number":"1001","description":"Reception","call_group":"sales","do_not_disturb":null,"user_context":"a.example.com","enabled":true,"voicemail_enabled":"true","user_uuid":"d0000000-0000-4000-8000-000000000003","user_status":"On Break","contact_image":"ca000000-0000-4000-8000-000000000101"}`,
		`{"extension_uuid":"e0000000-0000-4000-8000-000000001002","extension":"1002","effective_caller_id_name":"Bob Plain","effective_caller_id_number":"1002","description":null,"call_group":"sales","do_not_disturb":false,"user_context":"a.example.com","enabled":true,"voicemail_enabled":"false","user_uuid":"d0000000-0000-4000-8000-000000000004","user_status":"Do Not Disturb","contact_image":null}`,
		`{"extension_uuid":"e0000000-0000-4000-8000-000000001003","extension":"1003","effective_caller_id_name":"","effective_caller_id_number":"1003","description":"no name","call_group":"support","do_not_disturb":true,"user_context":"a.example.com","enabled":true,"voicemail_enabled":"false","user_uuid":"d0000000-0000-4000-8000-000000000004","user_status":"Do Not Disturb","contact_image":null}`,
		`{"extension_uuid":"e0000000-0000-4000-8000-000000001004","extension":"1004","effective_caller_id_name":"D'Arcy, \"Q\"","effective_caller_id_number":"1004","description":"quotes","call_group":null,"do_not_disturb":null,"user_context":"a.example.com","enabled":true,"voicemail_enabled":"false","user_uuid":null,"user_status":"","contact_image":null}`,
		`{"extension_uuid":"e0000000-0000-4000-8000-000000001005","extension":"1005","effective_caller_id_name":"Agent Five","effective_caller_id_number":"1005","description":"agent","call_group":"support","do_not_disturb":null,"user_context":"a.example.com","enabled":true,"voicemail_enabled":"false","user_uuid":"d0000000-0000-4000-8000-000000000007","user_status":"Available","contact_image":null}`,
		`{"extension_uuid":"e0000000-0000-4000-8000-000000001010","extension":"1010","effective_caller_id_name":"Ten","effective_caller_id_number":"1010","description":"sorts after 201 and before none","call_group":null,"do_not_disturb":null,"user_context":"a.example.com","enabled":true,"voicemail_enabled":"false","user_uuid":null,"user_status":"","contact_image":null}`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if other, err := s.Extensions(ctx(t), "c.example.com"); err != nil || len(other) != 0 {
		t.Errorf("a domain that is none has %v, %v", other, err)
	}
}

func testOddExtensions(t *testing.T, cluster *databasetest.Cluster) {
	s := newSite(t, cluster)
	s.exec(`insert into v_extensions (extension_uuid, domain_uuid, extension, enabled) values
			(gen_random_uuid(), '6b077f47-8d50-4436-82af-364316fb8671', 'alice', true),
			(gen_random_uuid(), '6b077f47-8d50-4436-82af-364316fb8671', '200', true),
			(gen_random_uuid(), '6b077f47-8d50-4436-82af-364316fb8671', '99999999999999999999', true),
			(gen_random_uuid(), '6b077f47-8d50-4436-82af-364316fb8671', null, true);
		insert into v_extension_users values (gen_random_uuid(), '6b077f47-8d50-4436-82af-364316fb8671',
			'e0000000-0000-4000-8000-00000000b001', 'd0000000-0000-4000-8000-000000000006')`)
	found, err := s.Extensions(ctx(t), domainB)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range found {
		got = append(got, e.Number)
	}
	want := []string{"200", "1001", "1002", "1003", "1004", "1005", "1006", "99999999999999999999", "alice", ""}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("extensions are %q, want %q", got, want)
	}
}

// testFlagsAsTexts has the columns of older databases.
func testFlagsAsTexts(t *testing.T, cluster *databasetest.Cluster) {
	s := newSite(t, cluster)
	before, err := s.Extensions(ctx(t), domainA)
	if err != nil {
		t.Fatal(err)
	}
	settings, err := s.Settings(ctx(t))
	if err != nil {
		t.Fatal(err)
	}
	s.exec(`alter table v_extensions alter column enabled type text, alter column do_not_disturb type text;
		alter table v_voicemails alter column voicemail_enabled type text;
		alter table v_contact_attachments alter column attachment_primary type text;
		alter table v_default_settings alter column default_setting_enabled type text`)
	after, err := s.Extensions(ctx(t), domainA)
	if err != nil || !reflect.DeepEqual(after, before) {
		t.Errorf("extensions differ: %v\n%+v\n%+v", err, after, before)
	}
	if again, err := s.Settings(ctx(t)); err != nil || !reflect.DeepEqual(again, settings) {
		t.Errorf("settings differ: %v\n%+v\n%+v", err, again, settings)
	}
}

func testQueuesAndAgents(t *testing.T, cluster *databasetest.Cluster) {
	s := newSite(t, cluster)
	queues, err := s.Queues(ctx(t), domainA)
	want := []Queue{
		{"cc000000-0000-4000-8000-000000005001", "Support Queue", "5001"},
		{"cc000000-0000-4000-8000-000000005002", "Empty Queue", "5002"},
	}
	if err != nil || !reflect.DeepEqual(queues, want) {
		t.Errorf("queues are %+v, %v, want %+v", queues, err, want)
	}
	agents, err := s.Agents(ctx(t), domainA)
	wantAgents := []Agent{
		{"ca900000-0000-4000-8000-000000001003", "agent3", "", "On Break", false},
		{"ca900000-0000-4000-8000-000000001005", "agent5", "d0000000-0000-4000-8000-000000000007", "Available", false},
	}
	if err != nil || !reflect.DeepEqual(agents, wantAgents) {
		t.Errorf("agents are %+v, %v, want %+v", agents, err, wantAgents)
	}
	s.exec(`insert into v_call_center_agents (call_center_agent_uuid, domain_uuid, agent_name) values
		(gen_random_uuid(), '6b077f47-8d50-4436-82af-364316fb8671', 'agent3'),
		(gen_random_uuid(), '8e2dda0d-5b0a-44b5-9c6c-a4bc5a970022', 'agent5'),
		(gen_random_uuid(), '8e2dda0d-5b0a-44b5-9c6c-a4bc5a970022', null),
		(gen_random_uuid(), '6b077f47-8d50-4436-82af-364316fb8671', null)`)
	for domain, want := range map[string]int{domainA: 1, domainB: 1} {
		agents, err := s.Agents(ctx(t), domain)
		shared := 0
		for _, a := range agents {
			if a.Shared != (a.Name == "agent3") {
				t.Errorf("the agent %+v of %s is shared: %t", a, domain, a.Shared)
			}
			if a.Shared {
				shared++
			}
		}
		if err != nil || shared != want {
			t.Errorf("%d agents of %s share their name, %v, want %d", shared, domain, err, want)
		}
	}
}

// asker returns somebody with permissions.
func asker(domain, user string, permissions ...string) Asker {
	return Asker{Domain: domain, UserUUID: user, Has: func(p string) bool {
		for _, has := range permissions {
			if p == has {
				return true
			}
		}
		return false
	}}
}

func manager(domain string) Asker {
	return asker(domain, "d0000000-0000-4000-8000-000000000002", "operator_panel_view", "operator_panel_manage")
}

func testUserStatus(t *testing.T, cluster *databasetest.Cluster) {
	const operator, user, userb = "d0000000-0000-4000-8000-000000000003", "d0000000-0000-4000-8000-000000000004", "d0000000-0000-4000-8000-000000000005"
	s := newSite(t, cluster)
	for name, c := range map[string]struct {
		by           Asker
		user, status string
		want         error
	}{
		"own":                        {asker(domainA, user, "operator_panel_view"), user, "Available", nil},
		"own in capitals":            {asker(domainA, user, "operator_panel_view"), strings.ToUpper(user), "Logged Out", nil},
		"own without permission":     {asker(domainA, user), user, "Available", ErrNotAllowed},
		"another's":                  {asker(domainA, user, "operator_panel_view"), operator, "Available", ErrNotAllowed},
		"another's by a manager":     {manager(domainA), operator, "Available (On Demand)", nil},
		"taken away":                 {manager(domainA), operator, "", nil},
		"of another domain":          {manager(domainA), userb, "Available", ErrNotFound},
		"of somebody without a user": {asker(domainA, "", "operator_panel_view"), "", "Available", ErrInvalid},
		"no UUID":                    {manager(domainA), "x' or true --", "Available", ErrInvalid},
		"no status":                  {manager(domainA), operator, "Sleeping", ErrInvalid},
		"unknown user":               {manager(domainA), "d0000000-0000-4000-8000-0000000000ff", "Available", ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			s.exec("update v_users set user_status = 'old'")
			if err := s.SetUserStatus(ctx(t), c.by, c.user, c.status); !errors.Is(err, c.want) {
				t.Fatalf("error is %v, want %v", err, c.want)
			}
			changed := s.text("select coalesce(string_agg(user_uuid::text || ' ' || coalesce(user_status, ''), ','), '') from v_users where user_status is distinct from 'old'")
			want := ""
			if c.want == nil {
				want = strings.ToLower(c.user) + " " + c.status
			}
			if changed != want {
				t.Errorf("changed is %q, want %q", changed, want)
			}
		})
	}
}

func testAgentStatus(t *testing.T, cluster *databasetest.Cluster) {
	s := newSite(t, cluster)
	for name, c := range map[string]struct {
		by            Asker
		agent, status string
		want          error
	}{
		"by a manager":             {manager(domainA), "agent3", "Available", nil},
		"by UUID":                  {manager(domainA), "CA900000-0000-4000-8000-000000001003", "Available", nil},
		"called like a UUID":       {manager(domainB), "ca900000-0000-4000-8000-000000001003", "Available", ErrNotFound},
		"called like one of a":     {manager(domainB), "agent3@a.example.com", "Available", ErrNotFound},
		"without permission":       {asker(domainA, "", "operator_panel_view"), "agent3", "Available", ErrNotAllowed},
		"own without permission":   {asker(domainA, "d0000000-0000-4000-8000-000000000007", "operator_panel_view"), "agent5", "On Break", ErrNotAllowed},
		"of another domain":        {manager(domainA), "agentb", "Available", ErrNotFound},
		"manager elsewhere":        {manager(domainB), "agent3", "Available", ErrNotFound},
		"no status":                {manager(domainA), "agent3", "", ErrInvalid},
		"status of FreeSWITCH not": {manager(domainA), "agent3", "Do Not Disturb", ErrInvalid},
		"quotes":                   {manager(domainA), "agent3' or true --", "Available", ErrNotFound},
		"no name":                  {manager(domainA), "", "Available", ErrInvalid},
		"zero byte":                {manager(domainA), "agent3\x00", "Available", ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			s.exec("update v_call_center_agents set agent_status = 'old'")
			if strings.HasPrefix(name, "called like") {
				s.exec("update v_call_center_agents set agent_name = '" + c.agent + "' where domain_uuid = (select domain_uuid from v_domains where domain_name = 'b.example.com')")
			}
			if err := s.SetAgentStatus(ctx(t), c.by, c.agent, c.status); !errors.Is(err, c.want) {
				t.Fatalf("error is %v, want %v", err, c.want)
			}
			changed := s.text("select coalesce(string_agg(agent_name || ' ' || agent_status, ','), '') from v_call_center_agents where agent_status <> 'old'")
			want := ""
			if c.want == nil {
				want = "agent3 " + c.status
			}
			if changed != want {
				t.Errorf("changed is %q, want %q", changed, want)
			}
		})
	}
}

func testUserContext(t *testing.T, cluster *databasetest.Cluster) {
	s := newSite(t, cluster)
	s.exec(`update v_extensions set user_context = 'inside' where extension = '1001'
		and domain_uuid = (select domain_uuid from v_domains where domain_name = 'a.example.com')`)
	for _, c := range []struct{ extension, domain, want string }{
		{"1001", domainA, "inside"}, {"1002", domainA, domainA}, {"1001", domainB, domainB}, {"9999", domainA, ""}, {"1010", domainB, ""},
	} {
		if got, err := s.UserContext(ctx(t), c.extension, c.domain); err != nil || got != c.want {
			t.Errorf("context of %s@%s is %q, %v, want %q", c.extension, c.domain, got, err, c.want)
		}
	}
}
