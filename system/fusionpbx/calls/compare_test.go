package calls

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"strowger/system/fusionpbx/replay"
	"strowger/system/fusionpbx/switchsim"
)

const (
	inA  = "Caller-Context: a.example.com"
	of1  = "Channel-Presence-ID: 1001@a.example.com"
	none = `{"row_count":0}`
)

// told returns what pages were told between two times, a line each: topic, the first digits of the UUID, the state, the
// context and the extension.
func told(t *testing.T, r *replay.Result, from, to time.Duration) string {
	t.Helper()
	var lines []string
	for _, m := range r.Said {
		if !m.IsPush() || m.At <= from || m.At > to {
			continue
		}
		var p struct {
			UUID    string `json:"unique_id"`
			Answer  string `json:"answer_state"`
			Context string `json:"caller_context"`
			Of      string `json:"channel_presence_id"`
		}
		if err := json.Unmarshal(m.Payload, &p); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %.4s %s %s %s", m.Topic, p.UUID, p.Answer, p.Context, p.Of)))
	}
	return strings.Join(lines, "\n")
}

// TestCompare wants pages to be told of what the switch's list has and events have not said, after a while and once.
func TestCompare(t *testing.T) {
	rings := happens("CHANNEL_CALLSTATE", ofA, "ringing", inA, of1)
	row := func(state, context string) string {
		return rows(t, [4]string{ofA, state, context, "1001@a.example.com"})
	}
	tests := map[string]struct {
		events map[int][]string
		lists  [][2]any
		want   string // from half a second after the last event on
	}{
		"a call that ended":   {map[int][]string{0: {rings}}, [][2]any{{0, none}}, "CHANNEL_CALLSTATE aaaa hangup a.example.com 1001@a.example.com"},
		"a call that goes on": {map[int][]string{0: {rings}}, [][2]any{{0, none}, {100, row("RINGING", "a.example.com")}}, ""},
		"a call that began":   {nil, [][2]any{{0, none}, {100, row("EARLY", "a.example.com")}}, "CHANNEL_CALLSTATE aaaa ringing a.example.com 1001@a.example.com"},
		"a call that is over": {nil, [][2]any{{0, none}, {100, row("HANGUP", "a.example.com")}}, ""},
		"a call that was answered": {map[int][]string{0: {rings}}, [][2]any{{0, none}, {100, row("ACTIVE", "a.example.com")}},
			"CHANNEL_CALLSTATE aaaa answered a.example.com 1001@a.example.com"},
		"a call of another domain now": {map[int][]string{0: {rings}}, [][2]any{{0, none}, {100, row("RINGING", "b.example.com")}},
			"CHANNEL_CALLSTATE aaaa hangup a.example.com 1001@a.example.com\nCHANNEL_CALLSTATE aaaa ringing b.example.com 1001@a.example.com"},
		"a difference that passes": {map[int][]string{0: {rings}}, [][2]any{{0, none}, {57_300, row("RINGING", "a.example.com")}}, ""},
		"a list of something else": {map[int][]string{0: {rings}}, [][2]any{{0, none}, {100, "{}"}}, ""},
		"a list of nothing":        {map[int][]string{0: {rings}}, [][2]any{{0, none}, {100, "null"}}, ""},
		"a list without its rows":  {map[int][]string{0: {rings}}, [][2]any{{0, none}, {100, `{"row_count":1}`}}, ""},
		"a list of other rows":     {map[int][]string{0: {rings}}, [][2]any{{0, none}, {100, `{"row_count":1,"rows":[7]}`}}, ""},
		"a row with other values":  {map[int][]string{0: {rings}}, [][2]any{{0, none}, {100, `{"row_count":1,"rows":[{"created_epoch":7,"uuid":"` + ofA + `","callstate":"RINGING","context":null}]}`}}, ""},
		"no list":                  {map[int][]string{0: {rings}}, [][2]any{{0, none}, {100, "-ERR no"}}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := craft(t, test.events, test.lists)
			r := replay.Play(t, s, replay.Options{After: 130 * time.Second}, plain)
			if got := told(t, r, 500*time.Millisecond, time.Hour); got != test.want {
				t.Errorf("pages were told\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// TestRestart has the switch restart with another call.
func TestRestart(t *testing.T) {
	lists := [][2]any{{0, none}, {1000, rows(t, [4]string{ofB, "ACTIVE", "b.example.com", "1001@b.example.com"})}}
	s := craft(t, map[int][]string{0: {happens("CHANNEL_CALLSTATE", ofA, "answered", inA, of1)}, 1100: {"cut " + strings.Repeat("x", 300)}}, lists)
	r := replay.Play(t, s, replay.Options{After: 4 * time.Second}, plain)
	want := "CHANNEL_CALLSTATE aaaa hangup a.example.com 1001@a.example.com\nCHANNEL_CALLSTATE bbbb answered b.example.com 1001@b.example.com"
	if got := told(t, r, 500*time.Millisecond, 3*time.Second); got != want {
		t.Errorf("pages were told\n%s\nwant\n%s", got, want)
	}
}

// TestLastEventWithoutHangup has the event lost that removes a call from pages.
func TestLastEventWithoutHangup(t *testing.T) {
	s := craft(t, map[int][]string{0: {happens("CHANNEL_CALLSTATE", ofA, "answered", inA, of1)}, 1000: {happens("CHANNEL_DESTROY", ofA, "hangup")}}, [][2]any{{0, none}})
	r := replay.Play(t, s, replay.Options{}, plain)
	want := "CHANNEL_DESTROY aaaa hangup a.example.com 1001@a.example.com\nCHANNEL_CALLSTATE aaaa hangup a.example.com 1001@a.example.com"
	if got := told(t, r, 500*time.Millisecond, 2*time.Second); got != want {
		t.Errorf("pages were told\n%s\nwant\n%s", got, want)
	}
}

// TestLastEventsSwapped has the last two events of a call change places, as the switch sends them from several threads.
// Pages are told each once.
func TestLastEventsSwapped(t *testing.T) {
	s := craft(t, map[int][]string{
		0:    {happens("CHANNEL_CALLSTATE", ofA, "answered", inA, of1)},
		1000: {happens("CHANNEL_DESTROY", ofA, "hangup")},
		1020: {happens("CHANNEL_CALLSTATE", ofA, "hangup")},
	}, [][2]any{{0, none}})
	r := replay.Play(t, s, replay.Options{After: 2 * time.Minute}, plain)
	want := "CHANNEL_DESTROY aaaa hangup a.example.com 1001@a.example.com\nCHANNEL_CALLSTATE aaaa hangup a.example.com 1001@a.example.com"
	if got := told(t, r, 500*time.Millisecond, time.Hour); got != want {
		t.Errorf("pages were told\n%s\nwant\n%s", got, want)
	}
}

// TestRenamed has a channel get another UUID. Pages are told that the old one has ended, and of the new one by its next event
// or by a row.
func TestRenamed(t *testing.T) {
	changes := "Event-Name: CHANNEL_UUID\nUnique-ID: " + ofB + "\nOld-Unique-ID: " + ofA + "\n\n"
	const ended = "CHANNEL_CALLSTATE aaaa hangup a.example.com 1001@a.example.com\n"
	tests := map[string]struct {
		next []string
		want string
	}{
		"an event follows": {[]string{happens("CHANNEL_CALLSTATE", ofB, "answered")}, ended + "CHANNEL_CALLSTATE bbbb answered a.example.com 1001@a.example.com"},
		"none follows":     {nil, ended + "CHANNEL_CALLSTATE bbbb answered a.example.com 1001@a.example.com"},
		"it ends": {[]string{happens("CHANNEL_CALLSTATE", ofB, "hangup"), happens("CHANNEL_DESTROY", ofB, "hangup")}, ended +
			"CHANNEL_CALLSTATE bbbb hangup a.example.com 1001@a.example.com\nCHANNEL_DESTROY bbbb hangup a.example.com 1001@a.example.com"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			now := rows(t, [4]string{ofB, "ACTIVE", "a.example.com", "1001@a.example.com"})
			if name == "it ends" {
				now = none
			}
			s := craft(t, map[int][]string{0: {happens("CHANNEL_CALLSTATE", ofA, "answered", inA, of1)}, 1000: {changes}, 1100: test.next}, [][2]any{{0, none}, {1000, now}})
			r := replay.Play(t, s, replay.Options{After: 2 * time.Minute}, plain)
			if got := told(t, r, 500*time.Millisecond, time.Hour); got != test.want {
				t.Errorf("pages were told\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// TestWhose has events that do not say whose the channel is. They say it then as the channel's last event did.
func TestWhose(t *testing.T) {
	s := craft(t, map[int][]string{
		0: {happens("CHANNEL_CALLSTATE", ofA, "ringing", "Caller-Context: public")},
		1: {happens("CHANNEL_EXECUTE", ofA, "ringing", inA, of1)},
		2: {happens("PLAYBACK_START", ofA, "ringing")},
		3: {happens("PLAYBACK_STOP", ofA, "ringing", "Caller-Context: ", "Channel-Presence-ID: ")},
		4: {happens("PLAYBACK_STOP", ofB, "ringing")},
		5: {happens("CHANNEL_CALLSTATE", ofA, "hangup")},
		6: {happens("PLAYBACK_STOP", ofA, "hangup")},
		7: {happens("CHANNEL_DESTROY", ofA, "hangup")},
		8: {happens("PLAYBACK_STOP", ofA, "hangup")},
	}, [][2]any{{0, none}})
	r := replay.Play(t, s, replay.Options{After: time.Second}, plain)
	want := `CHANNEL_CALLSTATE aaaa ringing public
CHANNEL_EXECUTE aaaa ringing a.example.com 1001@a.example.com
PLAYBACK_START aaaa ringing a.example.com 1001@a.example.com
PLAYBACK_STOP aaaa ringing a.example.com 1001@a.example.com
PLAYBACK_STOP bbbb ringing
CHANNEL_CALLSTATE aaaa hangup a.example.com 1001@a.example.com
PLAYBACK_STOP aaaa hangup a.example.com 1001@a.example.com
CHANNEL_DESTROY aaaa hangup a.example.com 1001@a.example.com
PLAYBACK_STOP aaaa hangup`
	if got := told(t, r, -time.Second, time.Hour); got != want {
		t.Errorf("pages were told\n%s\nwant\n%s", got, want)
	}
}

// TestNoAnswer has a switch that answers no commands, and none at all.
func TestNoAnswer(t *testing.T) {
	tests := map[string]struct {
		faults         switchsim.Faults
		status, reason string
	}{
		"a mute one":            {switchsim.Faults{Mute: true}, "504", "did not answer in time"},
		"one that lets none in": {switchsim.Faults{RefuseAuth: true}, "503", "no connection to the switch"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := craft(t, nil, [][2]any{{0, none}})
			var ids []string
			for topic, payload := range map[string]any{"in.progress": nil, "hangup": hangupOf(ofA), "eavesdrop": eavesdropOn(ofA)} {
				ids = append(ids, s.Ask(t, 100*time.Millisecond, "admin", Name, topic, payload))
			}
			r := replay.Play(t, s, replay.Options{After: 30 * time.Second, Faults: test.faults}, plain)
			for _, id := range ids {
				answers := r.Replies(id)
				if len(answers) != 1 || answers[0].Field("status_code") != test.status || !strings.Contains(string(answers[0].Payload), test.reason) {
					t.Errorf("answers %+v, want %s", answers, test.status)
				}
			}
		})
	}
}
