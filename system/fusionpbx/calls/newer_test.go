package calls

import (
	"testing"
	"time"

	"strowger/system/fusionpbx/replay"
)

// TestNewerThanTheList has the switch's list of channels be on its way while an event says that a channel is of another domain
// now, or has ended. The event decides whose call it is, and who is told of it.
func TestNewerThanTheList(t *testing.T) {
	const onItsWay = 500 * time.Millisecond
	inB := "Caller-Context: b.example.com"
	tests := map[string]struct {
		client, topic string
		event         []string
		status        string // of the answer; empty: there is none
		context       string // of the call that is told
		command       string
	}{
		"hangup by the first domain":  {"admin", "hangup", []string{happens("CHANNEL_CALLSTATE", ofA, "answered", inB)}, "403", "", ""},
		"hangup by the second domain": {"adminb", "hangup", []string{happens("CHANNEL_CALLSTATE", ofA, "answered", inB)}, "200", "", "api uuid_kill " + ofA},
		"list of the first domain":    {"admin", "in.progress", []string{happens("CHANNEL_CALLSTATE", ofA, "answered", inB)}, "", "", ""},
		"list of the second domain":   {"adminb", "in.progress", []string{happens("CHANNEL_CALLSTATE", ofA, "answered", inB)}, "200", `"b.example.com"`, ""},
		"hangup of what has ended":    {"adminb", "hangup", []string{happens("CHANNEL_CALLSTATE", ofA, "hangup"), happens("CHANNEL_DESTROY", ofA, "hangup")}, "200", "", ""},
		"list with what has ended":    {"admin", "in.progress", []string{happens("CHANNEL_CALLSTATE", ofA, "hangup"), happens("CHANNEL_DESTROY", ofA, "hangup")}, "", "", ""},
		"list with what hangs up":     {"admin", "in.progress", []string{happens("CHANNEL_CALLSTATE", ofA, "answered", inA), happens("CHANNEL_CALLSTATE", ofA, "hangup")}, "", "", ""},
		"hangup of what comes again":  {"adminb", "hangup", []string{happens("CHANNEL_DESTROY", ofA, "hangup"), happens("CHANNEL_CREATE", ofA, "ringing", inB)}, "200", "", "api uuid_kill " + ofA},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			row := rows(t, [4]string{ofA, "ACTIVE", "a.example.com", ""})
			s := craft(t, map[int][]string{1200: test.event}, [][2]any{{0, none}, {950, row}, {1100, none}})
			var payload any
			if test.topic == "hangup" {
				payload = hangupOf(ofA)
			}
			id := s.Ask(t, time.Second, test.client, Name, test.topic, payload)
			o := replay.Options{}
			o.Faults.Delay = func(command string) time.Duration {
				if command == "show channels as json" {
					return onItsWay
				}
				return 0
			}
			r := replay.Play(t, s, o, plain)
			if test.topic == "hangup" {
				wantAnswer(t, r, id, test.status, test.command)
				return
			}
			answers := r.Replies(id)
			if test.status == "" && len(answers) > 0 || test.status != "" && (len(answers) != 1 || answers[0].Get("caller_context") != test.context) {
				t.Errorf("answers %+v, want status %q in %s", answers, test.status, test.context)
			}
		})
	}
}
