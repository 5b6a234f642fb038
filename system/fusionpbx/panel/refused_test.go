package panel

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/system/fusionpbx/replay"
)

// TestRefusedCommands has the switch refuse one command of an action after the other. None of the answers says that it
// was done.
func TestRefusedCommands(t *testing.T) {
	const levels = "conference '3001@a.example.com' "
	member := []any{"conference_name", "3001@a.example.com", "member_id", "6", "direction", "up"}
	complete := []any{"parked_uuid", callA, "operator_uuid", callB}
	tests := map[string]struct {
		asked   asked
		refused string // the beginning of the command
		reply   string // "": -ERR not today
		want    string // "": the switch's words
	}{
		"hangup":          {do("operator", "hangup", "uuid", callA), "uuid_kill", "", ""},
		"hangup, gone":    {do("operator", "hangup", "uuid", callA), "uuid_kill", "-ERR No such channel!\n", `true,"message":"Call terminated`},
		"hangup, usage":   {do("operator", "hangup", "uuid", callA), "uuid_kill", "-USAGE: <uuid> [cause]\n", `false,"message":"-USAGE`},
		"hangup caller":   {do("operator", "hangup_caller", "uuid", callB), "uuid_kill", "", ""},
		"kick":            {do("operator", "kick", "uuid", callA), "uuid_kill", "", ""},
		"transfer":        {do("operator", "transfer", "uuid", callA, "destination", "1005"), "uuid_transfer", "", ""},
		"intercept":       {do("operator", "intercept", "uuid", callA, "destination", "1005"), "uuid_transfer", "", ""},
		"consult":         {do("operator", "transfer_attended", "uuid", callA, "destination", "1005"), "uuid_broadcast", "", ""},
		"complete":        {do("operator", "transfer_attended_complete", complete...), "uuid_bridge", "", ""},
		"complete, kill":  {do("operator", "transfer_attended_complete", complete...), "uuid_kill", "", ""},
		"cancel":          {do("operator", "transfer_attended_cancel", complete...), "uuid_kill " + callA, "", ""},
		"cancel, kill":    {do("operator", "transfer_attended_cancel", complete...), "uuid_kill " + callB, "", ""},
		"eavesdrop":       {do("coach", "eavesdrop", "uuid", callA, "destination", "1005"), "bgapi originate", "", ""},
		"whisper":         {do("coach", "whisper", "uuid", callA, "destination", "1005"), "bgapi originate", "", ""},
		"barge":           {do("coach", "barge", "uuid", callA, "destination", "1005"), "bgapi originate", "", ""},
		"originate":       {do("operator", "originate", "source", "1002", "destination", "9666"), "originate", "", ""},
		"record":          {do("operator", "record", "uuid", callA), "uuid_record", "", ""},
		"record, stop":    {do("operator", "record", "uuid", callA, "stop", true), "uuid_record", "", ""},
		"mute":            {do("operator", "mute", member...), levels + "mute", "", ""},
		"undeaf":          {do("operator", "undeaf", member...), levels + "undeaf", "", ""},
		"energy, read":    {do("operator", "energy", member...), levels + "energy 6", "", ""},
		"energy, set":     {do("operator", "energy", member...), levels + "energy 6 ", "", ""},
		"volume in, set":  {do("operator", "volume_in", member...), levels + "volume_in 6 ", "", ""},
		"volume out, set": {do("operator", "volume_out", member...), levels + "volume_out 6 ", "", ""},
		"volume out, odd": {do("operator", "volume_out", member...), levels + "volume_out 6", strings.Repeat("ä", 5000), "..."},
		"agent":           {do("operator", "agent_status", "agent_name", "agent3", "status", "Available"), "callcenter_config agent", "", ""},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			refused := false
			x := &exchange{answer: func(command string, _ int) (string, bool) {
				switch {
				case strings.HasPrefix(command, test.refused):
					refused = true
					return cmp.Or(test.reply, "-ERR not today\n"), true
				case strings.HasPrefix(command, levels):
					return "+OK Level 6 = 1\n", true
				case strings.HasSuffix(command, " signal_bond") && strings.HasPrefix(test.asked.payload["action"].(string), "transfer_attended"):
					return callA, true
				}
				return "", false
			}}
			s := replay.Load(t, testdata, "panel-call")
			s.Lines = nil
			id := s.Ask(t, test.asked.at, test.asked.client, Name, "action", test.asked.payload)
			r := x.on(t, s, 10*time.Second, nil)
			replies := r.Replies(id)
			want := cmp.Or(test.want, `false,"message":"-ERR not today"`)
			if len(replies) != 1 || !strings.Contains(string(replies[0].Payload), want) || len(replies[0].Payload) > 1000 {
				t.Errorf("answers %+v, want %s", replies, want)
			}
			if !refused {
				t.Error("the command was not sent")
			}
		})
	}
}

// TestSlowQuestion has the switch not answer what an action has to know first. The operator waits for Timeout, not longer.
func TestSlowQuestion(t *testing.T) {
	x := &exchange{delay: func(command string, _ int) time.Duration {
		if strings.HasPrefix(command, "uuid_getvar") {
			return time.Minute
		}
		return 0
	}}
	s := replay.Load(t, testdata, "panel-call")
	s.Lines = nil
	id := s.Ask(t, talking, "operator", Name, "action", map[string]any{"action": "hangup_caller", "uuid": callA})
	r := x.on(t, s, 10*time.Second, func(o *Options) { o.Timeout = time.Second })
	replies := r.Replies(id)
	if len(replies) != 1 || replies[0].Field("status_code") != "504" || replies[0].At > talking+1100*time.Millisecond {
		t.Errorf("answers %+v", replies)
	}
}

// TestLongAction has an action of a name that is long. The answer is not.
func TestLongAction(t *testing.T) {
	replies, _ := play(t, "panel-call", newSite(t), do("operator", strings.Repeat("é", 100_000)), do("operator", "explode"))
	if got := string(replies[0][0].Payload); len(got) > 1000 || !strings.Contains(got, "Invalid action: éé") {
		t.Errorf("the answer has %d bytes: %.100s", len(got), got)
	}
	if got := string(replies[1][0].Payload); !strings.Contains(got, `"Invalid action: explode"`) {
		t.Errorf("answer %s", got)
	}
}

// TestSlowHand has the switch mute a member and then not lower the hand. The operator is told at once that the member is
// muted.
func TestSlowHand(t *testing.T) {
	x := &exchange{
		answer: func(command string, _ int) (string, bool) {
			return "+OK mute 6\n", strings.HasPrefix(command, "conference '3001@a.example.com' mute")
		},
		delay: func(command string, _ int) time.Duration {
			if strings.HasPrefix(command, "uuid_setvar") {
				return time.Minute
			}
			return 0
		},
	}
	s := replay.Load(t, testdata, "panel-call")
	s.Lines = nil
	id := s.Ask(t, talking, "operator", Name, "action", map[string]any{"action": "mute", "conference_name": "3001@a.example.com", "member_id": "6", "uuid": callA})
	r := x.on(t, s, 2*time.Minute, nil)
	replies := r.Replies(id)
	if len(replies) != 1 || !strings.Contains(string(replies[0].Payload), `"success":true`) || replies[0].At > talking+time.Second {
		t.Errorf("answers %+v", replies)
	}
	if !slices.Contains(r.Commands, "api uuid_setvar "+callA+" hand_raised false") {
		t.Errorf("commands %q", r.Commands)
	}
}
