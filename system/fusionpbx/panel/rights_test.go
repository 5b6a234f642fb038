package panel

import (
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/system/fusionpbx/replay"
	"strowger/system/service"
)

// TestOldRights has a call go to another domain, or come to this one, while pushes wait for the database, so that pages have
// not been told of it. An operator acts by what the switch has said.
func TestOldRights(t *testing.T) {
	const from, to = "a.example.com", "b.example.com"
	other := told(time.Second, "Event-Name: CHANNEL_CREATE", "Unique-ID: "+callB, "Caller-Context: "+from)
	tests := map[string]struct {
		client string
		asked  asked
		want   string
		sends  bool // the switch gets a command
	}{
		"hang up a call that went":       {"operator", do("operator", "hangup", "uuid", callA), "The call is not of your domain", false},
		"hang up a call that came":       {"adminb", do("adminb", "hangup", "uuid", callA), "Call terminated", true},
		"mute a member who went":         {"operator", do("operator", "mute", "uuid", callA, "conference_name", "3001@a.example.com", "member_id", "6"), "The call is not of your domain", false},
		"complete, the caller went":      {"operator", do("operator", "transfer_attended_complete", "parked_uuid", callA, "operator_uuid", callB, "destination", "1005"), "The call is not of your domain", false},
		"complete, the operator went":    {"operator", do("operator", "transfer_attended_complete", "parked_uuid", callB, "operator_uuid", callA, "destination", "1005"), "The call is not of your domain", false},
		"recording of a call that went":  {"operator", do("operator", "recording_state", "uuids", []string{callA}), `"states":[]`, false},
		"a call that is not spelled so":  {"operator", do("operator", "hangup", "uuid", strings.ToUpper(callA)), "The call is not of your domain", false},
		"a call of which nothing waits":  {"operator", do("operator", "hangup", "uuid", callB), "Call terminated", true},
		"another of which nothing waits": {"operator", do("operator", "hangup", "uuid", callC), "Call terminated", true},
		"record a call that went":        {"operator", do("operator", "record", "uuid", callA), "The call is not of your domain", false},
		"eavesdrop on a call that went":  {"coach", do("coach", "eavesdrop", "uuid", callA, "destination", "1005"), "The call is not of your domain", false},
		"transfer a call that went":      {"operator", do("operator", "transfer", "uuid", callA, "destination", "1005"), "The call is not of your domain", false},
		"a call that has begun":          {"operator", do("operator", "hangup", "uuid", nowhere), "The call is not of your domain", false},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			s := madeUp(t, told(500*time.Millisecond, "Event-Name: CHANNEL_CREATE", "Unique-ID: "+callA, "Caller-Context: "+from), other,
				told(time.Second, "Event-Name: CHANNEL_CREATE", "Unique-ID: "+callC, "Caller-Context: "+from),
				inRoom(2*time.Second, "energy-level", "Member-ID: 6"),
				told(2*time.Second, "Event-Name: CHANNEL_CALLSTATE", "Unique-ID: "+callA, "Caller-Context: "+to, "Answer-State: answered"),
				told(2*time.Second, "Event-Name: CHANNEL_CREATE", "Unique-ID: "+nowhere, "Caller-Context: "+to))
			id := s.Ask(t, 2100*time.Millisecond, test.client, Name, "action", test.asked.payload)
			db := &slow{newSite(t)}
			r := replay.Play(t, s, replay.Options{}, func(sw replay.Switch) *service.Service {
				return New(Options{Events: sw.Events, Commands: sw.Commands, Database: db, AgentStats: -1})
			})
			if replies := r.Replies(id); len(replies) != 1 || !strings.Contains(string(replies[0].Payload), test.want) {
				t.Errorf("answers %+v, want %s", replies, test.want)
			}
			sends := slices.ContainsFunc(r.Commands, func(c string) bool {
				return !strings.HasPrefix(c, "api show ") && !strings.HasPrefix(c, "api conference json_list")
			})
			if sends != test.sends {
				t.Errorf("commands %q", r.Commands)
			}
		})
	}
}

const callC = "cccccccc-0000-4000-8000-000000000000"
