package panel

import (
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/system/fusionpbx/replay"
	"strowger/system/service"
)

// TestSharedAgent has an agent of the same name in two domains. The switch knows one of them: the queues of both list it, and its
// contact says whose it is. The operators of that domain see it and change its status, also after events that name no queue, and
// those of the other do not.
func TestSharedAgent(t *testing.T) {
	const columns = "name|instance_id|uuid|type|contact|status|state\n"
	shared := func(contact string) string {
		return columns + "agent3|single_box||callback|" + contact + "|On Break|Waiting\n"
	}
	const agent5, agentb = "agent5|single_box||callback|user/1005@a.example.com|Available|Waiting\n", "agentb|single_box||callback|user/1003@b.example.com|Available|Waiting\n"
	tests := map[string]struct {
		contact string
		a, b    string // the agents that each sees
		sets    string // the domain whose operators may set the status
	}{
		"of a":      {"[call_timeout=10]user/1003@a.example.com", "agent3 agent5", "agentb", "a"},
		"of b":      {"user/1003@b.example.com", "agent5", "agent3 agentb", "b"},
		"of nobody": {"sofia/gateway/out/15557654321", "agent5", "agentb", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := madeUp(t, told(5*time.Second, "Event-Name: CUSTOM", "Event-Subclass: callcenter::info", "CC-Agent: agent3", "CC-Action: agent-status-change"))
			ids := map[string]string{}
			for _, client := range []string{"operator", "adminb"} {
				ids["agents of "+client] = s.Ask(t, time.Second, client, Name, "agents_active", map[string]any{})
				a := do(client, "agent_status", "agent_name", "agent3", "status", "Available")
				ids["status by "+client] = s.Ask(t, 2*time.Second, client, Name, "action", a.payload)
			}
			x := &exchange{answer: func(command string, _ int) (string, bool) {
				switch command {
				case "callcenter_config queue list agents 5001@a.example.com":
					return shared(test.contact) + agent5 + "+OK\n", true
				case "callcenter_config queue list agents 5001@b.example.com":
					return shared(test.contact) + agentb + "+OK\n", true
				}
				return "+OK\n", strings.HasPrefix(command, "callcenter_config ")
			}}
			db := newSite(t)
			agents := db.tables["v_call_center_agents"]
			db.tables["v_call_center_agents"] = append(slices.Clone(agents), row{
				"call_center_agent_uuid": "ca900000-0000-4000-8000-00000000b0b3", "domain_uuid": agents[len(agents)-1]["domain_uuid"], "agent_name": "agent3", "agent_status": "On Break"})
			r := replay.Play(t, s, replay.Options{After: 8 * time.Second, Faults: x.faults()}, func(sw replay.Switch) *service.Service {
				return New(Options{Events: sw.Events, Commands: sw.Commands, Database: db, AgentStats: -1})
			})
			for client, want := range map[string]string{"operator": test.a, "adminb": test.b} {
				if got := agentsIn(string(r.Replies(ids["agents of "+client])[0].Payload)); got != want {
					t.Errorf("%s sees the agents %q, want %q", client, got, want)
				}
				pushed := slices.DeleteFunc(r.Received(t, client), func(text string) bool { return !strings.HasPrefix(text, topicStats) })
				if len(pushed) == 0 || slices.ContainsFunc(pushed, func(text string) bool { return agentsIn(text) != want }) {
					t.Errorf("%s is told %q, want the agents %q", client, pushed, want)
				}
				may := test.sets == map[string]string{"operator": "a", "adminb": "b"}[client]
				if got := string(r.Replies(ids["status by "+client])[0].Payload); strings.Contains(got, agentUpdated) != may || strings.Contains(got, "Agent not found") == may {
					t.Errorf("%s is answered %s", client, got)
				}
			}
			sent := len(slices.DeleteFunc(slices.Clone(r.Commands), func(c string) bool { return !strings.Contains(c, "set status") }))
			if want := map[bool]int{true: 0, false: 1}[test.sets == ""]; sent != want {
				t.Errorf("the switch was told %d times, want %d", sent, want)
			}
		})
	}
}

// agentsIn returns those of the agents that a text names.
func agentsIn(text string) string {
	var found []string
	for _, name := range []string{"agent3", "agent5", "agentb"} {
		if strings.Contains(text, `"agent_name":"`+name+`"`) {
			found = append(found, name)
		}
	}
	return strings.Join(found, " ")
}
