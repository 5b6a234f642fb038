package panel

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/system/fusionpbx/database"
	"strowger/system/fusionpbx/replay"
	"strowger/system/service"
)

// asked is one request and what came of it.
type asked struct {
	at      time.Duration
	client  string
	topic   string // "" is action
	payload map[string]any
}

// play plays a scenario without its own requests, asks others, and returns their replies and the commands that are no
// questions.
func play(t *testing.T, name string, db *site, requests ...asked) (replies [][]replay.Message, commands []string) {
	t.Helper()
	s := replay.Load(t, testdata, name)
	s.Lines = nil
	var ids []string
	for _, a := range requests {
		topic := a.topic
		if topic == "" {
			topic = "action"
		}
		ids = append(ids, s.Ask(t, a.at, a.client, Name, topic, a.payload))
	}
	r := replay.Play(t, s, replay.Options{}, func(sw replay.Switch) *service.Service {
		return New(Options{Events: sw.Events, Commands: sw.Commands, Database: db})
	})
	for _, id := range ids {
		replies = append(replies, r.Replies(id))
	}
	commands = slices.DeleteFunc(r.Commands, func(c string) bool {
		return slices.ContainsFunc([]string{"api show ", "api conference json_list", "api uuid_getvar ", "api global_getvar ", "api callcenter_config queue list", "api valet_info "},
			func(question string) bool { return strings.HasPrefix(c, question) })
	})
	return replies, commands
}

const (
	callA   = "5524d3c1-920a-4b78-ba5c-414389a39604" // 1001 of a.example.com
	callB   = "8b8f51e5-8cd5-43a5-aa7c-64a52f3133b9" // 1002 of a.example.com
	talking = 2500 * time.Millisecond
)

func do(client, name string, more ...any) asked {
	payload := map[string]any{"action": name, "domain_name": "a.example.com"}
	for i := 0; i < len(more); i += 2 {
		payload[more[i].(string)] = more[i+1]
	}
	return asked{at: talking, client: client, payload: payload}
}

// TestActions has what the recordings do not have.
func TestActions(t *testing.T) {
	const user = "d0000000-0000-4000-8000-000000000004"
	tests := map[string]struct {
		asked    asked
		want     string
		commands []string
		changes  []string
	}{
		"hang up the caller": {do("operator", "hangup_caller", "uuid", callB), "Caller terminated", []string{"api uuid_kill " + callA}, nil},
		"intercept": {do("operator", "intercept", "uuid", callB, "destination", "1005", "context", "a.example.com"), "Call intercepted",
			[]string{"api uuid_transfer " + callA + " 1005 XML a.example.com"}, nil},
		"intercept for no extension": {do("operator", "intercept", "uuid", callB, "destination", "x"), "Invalid destination extension", nil, nil},
		"context of another domain":  {do("operator", "transfer", "uuid", callB, "destination", "1005", "context", "b.example.com"), "Invalid context", nil, nil},
		"cancel": {do("operator", "transfer_attended_cancel", "parked_uuid", callA, "operator_uuid", callB, "source_extension", "1002"),
			"Transfer cancelled, reconnecting", []string{"api uuid_kill " + callB, "api bgapi originate user/1002@a.example.com &bridge(" + callA + ")"}, nil},
		"cancel without a call":   {do("operator", "transfer_attended_cancel"), "parked_uuid required", nil, nil},
		"own status":              {do("operator", "user_status", "user_uuid", user, "status", "On Break"), "Status updated", nil, []string{user + " On Break"}},
		"another's status":        {do("panelist", "user_status", "user_uuid", user, "status", "On Break"), "Permission denied", nil, nil},
		"user of another domain":  {do("adminb", "user_status", "user_uuid", user, "status", "On Break"), "User not found", nil, nil},
		"no status":               {do("operator", "user_status", "user_uuid", user), "Invalid status value", nil, nil},
		"agent":                   {do("operator", "agent_status", "agent_name", "agent3", "status", "Available (On Demand)"), "Agent status updated", []string{"api callcenter_config agent set status agent3 'Available (On Demand)'"}, []string{"agent3 Available (On Demand)"}},
		"agent of another domain": {do("adminb", "agent_status", "agent_name", "agent3", "status", "Available"), "Agent not found", nil, nil},
		"unknown status":          {do("operator", "agent_status", "agent_name", "agent3", "status", "Asleep"), "agent_name and valid status required", nil, nil},
		"agent with a quote":      {do("operator", "agent_status", "agent_name", "agent'3", "status", "Available"), "Invalid agent name", nil, nil},
		"agent without manage":    {do("panelist", "agent_status", "agent_name", "agent3", "status", "Available"), "Permission denied", nil, nil},
		"unknown action":          {do("operator", "explode"), "Invalid action: explode", nil, nil},
		"action of a wrong type":  {asked{at: talking, client: "operator", payload: map[string]any{"action": []int{1}}}, "Invalid action: ", nil, nil},
		"too many calls":          {do("operator", "recording_state", "uuids", make([]string, 5000)), "too many uuids", nil, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			db := newSite(t)
			replies, commands := play(t, "panel-call", db, test.asked)
			if len(replies[0]) != 1 || !strings.Contains(string(replies[0][0].Payload), test.want) || replies[0][0].Topic != "action_response" {
				t.Errorf("answer %+v, want %q", replies[0], test.want)
			}
			if !slices.Equal(commands, test.commands) {
				t.Errorf("commands %q, want %q", commands, test.commands)
			}
			if !slices.Equal(db.changes, test.changes) {
				t.Errorf("changes %q, want %q", db.changes, test.changes)
			}
		})
	}
}

// TestRecordingOfNoCalls asks about calls that do not exist. The switch is not asked about them.
func TestRecordingOfNoCalls(t *testing.T) {
	uuids := []string{callA}
	for i := range 300 {
		uuids = append(uuids, fmt.Sprintf("eeeeeeee-0000-4000-8000-%012d", i))
	}
	replies, commands := play(t, "panel-call", newSite(t), do("operator", "recording_state", "uuids", uuids))
	if len(replies[0]) != 1 || strings.Count(string(replies[0][0].Payload), ":false") != len(uuids) {
		t.Errorf("answers %+v, want one with %d calls", replies[0], len(uuids))
	}
	if want := []string{"api uuid_buglist " + callA}; !slices.Equal(commands, want) {
		t.Errorf("%d commands, the first of %q, want %q", len(commands), commands[:min(3, len(commands))], want)
	}
}

// TestForeign has an operator of one domain try everything on a call of another.
func TestForeign(t *testing.T) {
	for name := range actions() {
		t.Run(name, func(t *testing.T) {
			a := do("adminb", name, "uuid", callA, "uuids", []string{callA}, "parked_uuid", callA, "operator_uuid", callB,
				"destination", "1003", "destination_extension", "1003", "source", "1003", "source_extension", "1003", "context", "a.example.com",
				"conference_name", "3001@a.example.com", "member_id", "6", "direction", "up", "agent_name", "agent3", "status", "Available",
				"user_uuid", "d0000000-0000-4000-8000-000000000004")
			db := newSite(t)
			replies, commands := play(t, "panel-call", db, a)
			if len(replies[0]) != 1 {
				t.Fatalf("answers %+v", replies[0])
			}
			for _, c := range commands {
				if name != "originate" || !strings.HasSuffix(c, "user/1003@b.example.com 1003 XML b.example.com") {
					t.Errorf("command %q", c)
				}
			}
			if len(db.changes) > 0 {
				t.Errorf("changes %q", db.changes)
			}
			if payload := string(replies[0][0].Payload); strings.Contains(payload, callA) || strings.Contains(payload, `"1005"`) {
				t.Errorf("the answer tells of another domain: %s", payload)
			}
		})
	}
}

// TestInjection puts what would be another command, or another argument, into every field of every action.
func TestInjection(t *testing.T) {
	bad := []string{"\n\napi system id", "x\n", "\r\n", "1 2", "'", `"`, "%0a%0aapi system id", "a{b}", "&park()", "${x}", "../..", "-x", "ä", "\x00", strings.Repeat("1", 3000), callA + "\n\napi system id", callA + "\n"}
	fields := []string{"uuid", "parked_uuid", "operator_uuid", "destination", "destination_extension", "source", "source_extension", "context",
		"conference_name", "member_id", "agent_name", "status", "user_uuid", "action", "direction", "bleg", "stop", "domain_name"}
	good := map[string]any{"uuid": callA, "uuids": []string{callA}, "parked_uuid": callA, "operator_uuid": callB, "destination": "1005", "source": "1002", "source_extension": "1002",
		"context": "a.example.com", "conference_name": "3001@a.example.com", "member_id": "6", "direction": "up", "agent_name": "agent3", "status": "Available",
		"user_uuid": "d0000000-0000-4000-8000-000000000004", "domain_name": "a.example.com"}
	for name := range actions() {
		t.Run(name, func(t *testing.T) {
			var requests []asked
			for _, field := range fields {
				for i, value := range bad {
					payload := map[string]any{"action": name}
					for k, v := range good {
						payload[k] = v
					}
					payload[field] = value
					if field == "destination_extension" || i%2 == 0 {
						payload["uuids"] = bad
					}
					requests = append(requests, asked{at: talking, client: "coach", payload: payload})
				}
			}
			replies, commands := play(t, "panel-call", newSite(t), requests...)
			for i, r := range replies {
				if len(r) != 1 {
					t.Errorf("request %v has the answers %+v", requests[i].payload, r)
				}
			}
			for _, c := range commands {
				if strings.ContainsAny(c, "\r\n\x00\"$%") || strings.Contains(c, "system") || strings.Contains(c, "..") || strings.Contains(c, "park()") {
					t.Errorf("command %q", c)
				}
			}
		})
	}
}

// TestNoDatabase has no database: what needs one is refused with the reason, the rest goes on.
func TestNoDatabase(t *testing.T) {
	db := newSite(t)
	db.down = &database.UnavailableError{Reason: "the cable is cut"}
	topic := func(name string) asked {
		return asked{at: talking, client: "operator", topic: name, payload: map[string]any{}}
	}
	replies, _ := play(t, "panel-call", db, topic("extensions_active"), topic("agents_active"), topic("calls_active"), topic("conferences_active"), topic("parked_active"),
		do("operator", "user_status", "user_uuid", "d0000000-0000-4000-8000-000000000003", "status", "Available"),
		do("operator", "agent_status", "agent_name", "agent3", "status", "Available"),
		do("operator", "originate", "source", "1002", "destination", "9666"))
	for i, want := range []string{"the cable is cut", "the cable is cut", callA, "[]", "[]", "the cable is cut", "the cable is cut", "Call originated"} {
		if len(replies[i]) != 1 || !strings.Contains(string(replies[i][0].Payload), want) {
			t.Errorf("answer %d is %+v, want %q", i, replies[i], want)
		}
		if refused := len(replies[i]) == 1 && replies[i][0].Field("status_code") == "503"; refused != (want == "the cable is cut") {
			t.Errorf("answer %d is %+v", i, replies[i])
		}
	}
}
