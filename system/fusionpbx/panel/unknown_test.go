package panel

import (
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/system/fusionpbx/replay"
	"strowger/system/service"
)

const nowhere = "ffffffff-0000-4000-8000-000000000000"

// TestUnknownCall tries each action on a call that the switch does not have. The switch gets no command for it.
func TestUnknownCall(t *testing.T) {
	tests := map[string]struct {
		asked asked
		want  string
	}{
		"hangup":          {do("operator", "hangup", "uuid", nowhere), `true,"message":"Call terminated"`},
		"hangup caller":   {do("operator", "hangup_caller", "uuid", nowhere), `true,"message":"Call terminated"`},
		"kick":            {do("operator", "kick", "uuid", nowhere), `true,"message":"Conference member removed"`},
		"transfer":        {do("operator", "transfer", "uuid", nowhere, "destination", "1005"), ""},
		"intercept":       {do("operator", "intercept", "uuid", nowhere, "destination", "1005"), ""},
		"consult":         {do("operator", "transfer_attended", "uuid", nowhere, "destination", "1005"), ""},
		"complete":        {do("operator", "transfer_attended_complete", "parked_uuid", nowhere, "operator_uuid", callB), ""},
		"complete, other": {do("operator", "transfer_attended_complete", "parked_uuid", callA, "operator_uuid", nowhere, "destination", "1005"), `true,"message":"Transfer completed (destination still ringing)"`},
		"cancel":          {do("operator", "transfer_attended_cancel", "parked_uuid", nowhere, "source_extension", "1002"), ""},
		"cancel, half":    {do("operator", "transfer_attended_cancel", "parked_uuid", nowhere, "operator_uuid", callB), `true,"message":"Transfer cancelled"`},
		"cancel, no side": {do("operator", "transfer_attended_cancel", "parked_uuid", callA, "operator_uuid", nowhere), `true,"message":"Transfer cancelled"`},
		"eavesdrop":       {do("coach", "eavesdrop", "uuid", nowhere, "destination", "1005"), ""},
		"whisper":         {do("coach", "whisper", "uuid", nowhere, "destination", "1005"), ""},
		"barge":           {do("coach", "barge", "uuid", nowhere, "destination", "1005"), ""},
		"record":          {do("operator", "record", "uuid", nowhere), ""},
		"mute":            {do("operator", "mute", "uuid", nowhere, "conference_name", "3001@a.example.com", "member_id", "6"), `true,"message":"Conference member updated"`},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			x := &exchange{answer: func(command string, _ int) (string, bool) {
				return "+OK mute 6\n", strings.HasPrefix(command, "conference '3001@a.example.com' mute")
			}}
			s := replay.Load(t, testdata, "panel-call")
			s.Lines = nil
			id := s.Ask(t, test.asked.at, test.asked.client, Name, "action", test.asked.payload)
			r := x.on(t, s, 2*time.Second, nil)
			want := test.want
			if want == "" {
				want = `false,"message":"No such channel"`
			}
			if replies := r.Replies(id); len(replies) != 1 || !strings.Contains(string(replies[0].Payload), want) {
				t.Errorf("answers %+v, want %s", replies, want)
			}
			if i := slices.IndexFunc(r.Commands, func(c string) bool { return strings.Contains(c, nowhere) }); i >= 0 {
				t.Errorf("sends %q", r.Commands[i])
			}
		})
	}
}

// TestUntoldCall has a call of another domain begin while pushes wait for the database, so that the service has not told
// pages of it. No operator reaches it.
func TestUntoldCall(t *testing.T) {
	s := madeUp(t, inRoom(time.Second, "energy-level", "Member-ID: 6"),
		told(time.Second, "Event-Name: CHANNEL_CREATE", "Unique-ID: "+nowhere, "Caller-Context: b.example.com"))
	id := s.Ask(t, 1100*time.Millisecond, "operator", Name, "action", do("operator", "hangup", "uuid", nowhere).payload)
	db := &slow{newSite(t)}
	r := replay.Play(t, s, replay.Options{}, func(sw replay.Switch) *service.Service {
		return New(Options{Events: sw.Events, Commands: sw.Commands, Database: db, AgentStats: -1})
	})
	if len(r.Replies(id)) != 1 {
		t.Errorf("answers %+v", r.Replies(id))
	}
	if i := slices.IndexFunc(r.Commands, func(c string) bool { return strings.Contains(c, nowhere) }); i >= 0 {
		t.Errorf("sends %q", r.Commands[i])
	}
}

// TestRecordingAfterGap asks for a call that began while events were lost, soon after somebody asked before the gap. The
// switch's list of that time does not count any more.
func TestRecordingAfterGap(t *testing.T) {
	for name, late := range map[string]time.Duration{"list before the gap": 0, "list during the gap": 150 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			x := &exchange{
				answer: func(command string, n int) (string, bool) {
					switch {
					case command == "show channels as json" && n < 3:
						return channelList(), true
					case command == "show channels as json":
						return channelList(nowhere), true
					}
					return isRecorded, strings.HasPrefix(command, "uuid_buglist")
				},
				delay: func(command string, n int) time.Duration {
					if command == "show channels as json" {
						return []time.Duration{0, late, 200 * time.Millisecond, 0}[min(n, 4)-1]
					}
					return 0
				},
			}
			s := madeUp(t, told(1500*time.Millisecond, "Event-Name: CHANNEL_CREATE", "Too-Large: "+strings.Repeat("x", 1<<20)))
			ask := func(at time.Duration) string {
				return s.Ask(t, at, "operator", Name, "action", do("operator", "recording_state", "uuids", []string{nowhere}).payload)
			}
			ask(1400 * time.Millisecond)
			id := ask(1600 * time.Millisecond)
			r := x.on(t, s, 10*time.Second, nil)
			if replies := r.Replies(id); len(replies) != 1 || !strings.Contains(string(replies[0].Payload), `"`+nowhere+`":true`) {
				t.Errorf("answers %+v, want that the call is recorded", replies)
			}
		})
	}
}

// TestRecordingOfLostCalls asks for calls of which no event has told. The switch is asked for those of the asker's domain
// that are in its list, and for no others.
func TestRecordingOfLostCalls(t *testing.T) {
	const lost = "cccccccc-0000-4000-8000-000000000000"
	const foreign = "dddddddd-0000-4000-8000-000000000000"
	const list = `{"row_count":2,"rows":[{"uuid":"` + lost + `","context":"a.example.com"},{"uuid":"` + foreign + `","context":"b.example.com"}]}`
	for name, broken := range map[string]bool{"listed": false, "no list": true} {
		t.Run(name, func(t *testing.T) {
			x := &exchange{answer: func(command string, n int) (string, bool) {
				switch {
				case command == "show channels as json" && n > 1 && broken:
					return "-ERR no reply\n", true
				case command == "show channels as json" && n > 1:
					return list, true
				}
				return isRecorded, strings.HasPrefix(command, "uuid_buglist")
			}}
			s := madeUp(t)
			var ids []string
			for at := range 5 {
				ids = append(ids, s.Ask(t, time.Second+time.Duration(at)*100*time.Millisecond, "operator", Name, "action", do("operator", "recording_state", "uuids", []string{lost, foreign, nowhere}).payload))
			}
			r := x.on(t, s, 10*time.Second, nil)
			lists := 0
			for _, c := range r.Commands {
				if c == "api show channels as json" {
					lists++
				}
				if strings.Contains(c, foreign) || strings.Contains(c, nowhere) {
					t.Errorf("sends %q", c)
				}
			}
			for _, id := range ids {
				replies := r.Replies(id)
				if len(replies) != 1 {
					t.Fatalf("answers %+v", replies)
				}
				got := string(replies[0].Payload)
				if broken {
					if !strings.Contains(got, `"success":false`) {
						t.Errorf("the answer is %s", got)
					}
					continue
				}
				if !strings.Contains(got, `"`+lost+`":true`) || !strings.Contains(got, `"`+nowhere+`":false`) || strings.Contains(got, foreign) {
					t.Errorf("the answer is %s", got)
				}
			}
			if !broken && lists != 2 {
				t.Errorf("the switch was asked for its list %d times, want 2: at the start, and once for all that ask", lists)
			}
		})
	}
}
