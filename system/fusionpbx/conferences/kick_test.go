package conferences

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"strowger/system/fusionpbx/replay"
	"strowger/system/fusionpbx/switchsim"
)

// crowd returns a scenario with one conference of so many members, until all have gone at a time in ms.
func crowd(t *testing.T, members, gone int) (s *replay.Scenario, uuids []string) {
	t.Helper()
	s = replay.Load(t, testdata, "conf-none")
	s.Lines = nil
	rows := make([]map[string]any, members)
	for i := range rows {
		uuid := fmt.Sprintf("%08d-0000-4000-8000-000000000000", i)
		uuids = append(uuids, "api uuid_kill "+uuid)
		rows[i] = map[string]any{"id": i, "uuid": uuid, "flags": map[string]bool{"can_hear": true}}
	}
	list := jsonText(t, []any{map[string]any{"conference_name": roomA, "member_count": members, "members": rows}})
	files := fstest.MapFS{"x/switch.jsonl": {}, "x/api.json": {Data: []byte(jsonText(t, map[string]any{
		"conference json_list":                      [][2]any{{-5000, list}, {gone, "[]"}},
		"conference '3001@a.example.com' json_list": [][2]any{{-5000, list}, {gone, "-ERR Conference 3001@a.example.com not found\n"}},
	}))}}
	var err error
	if s.Recording, err = switchsim.Load(files, "x"); err != nil {
		t.Fatal(err)
	}
	return s, uuids
}

func kickAllOf(name string) map[string]any {
	return map[string]any{"action": "kick_all", "conference_name": name}
}

// kills returns the commands that end a call.
func kills(r *replay.Result) []string {
	return slices.DeleteFunc(slices.Clone(r.Commands), func(c string) bool { return !strings.HasPrefix(c, "api uuid_kill ") })
}

// TestKickCrowd ends the calls of 5,000 members. Each is ended once, in order; others are served meanwhile, and the asker
// gets an answer before its request is given up.
func TestKickCrowd(t *testing.T) {
	const members = 5000
	s, want := crowd(t, members, 40_000)
	kick := s.Ask(t, time.Second, "admin", Name, "action", kickAllOf(roomA))
	again := s.Ask(t, 2*time.Second, "operator", Name, "action", kickAllOf(roomA))
	pings := map[string]time.Duration{}
	for at := 1100 * time.Millisecond; at < 40*time.Second; at += 1700 * time.Millisecond {
		pings[s.Ask(t, at, "admin", Name, "ping", nil)] = at
	}
	pings[s.Ask(t, 20*time.Second, "adminb", Name, "in_progress", nil)] = 20 * time.Second
	r := replay.Play(t, s, replay.Options{After: 2 * time.Minute}, plain)
	for id, at := range pings {
		if answers := r.Replies(id); len(answers) != 1 || answers[0].At > at+100*time.Millisecond || answers[0].Topic == "error" {
			t.Errorf("request at %s has %d answers", at, len(answers))
		}
	}
	if got := kills(r); !slices.Equal(got, want) {
		t.Errorf("the switch got %d commands, want %d, each once and in order", len(got), len(want))
	}
	for _, id := range []string{kick, again} {
		answers := r.Replies(id)
		if len(answers) != 1 {
			t.Fatalf("%d answers", len(answers))
		}
		var told outcome
		if err := json.Unmarshal(answers[0].Payload, &told); err != nil || !told.Success || told.Message != "Action goes on" {
			t.Errorf("answer %s", answers[0].Payload)
		}
	}
}

// TestKickBroken has the connection to the switch cut while calls are being ended. The asker is told that some are left.
func TestKickBroken(t *testing.T) {
	s, _ := crowd(t, 500, 60_000)
	s.Recording.Events = []switchsim.Event{{At: 3 * time.Second, Cut: time.Minute}}
	id := s.Ask(t, time.Second, "admin", Name, "action", kickAllOf(roomA))
	r := replay.Play(t, s, replay.Options{After: 5 * time.Second}, plain)
	answers := r.Replies(id)
	if len(answers) != 1 || answers[0].Field("status_code") != "503" || !strings.Contains(string(answers[0].Payload), "Some calls were not ended") {
		t.Errorf("answers %+v", answers)
	}
	if n := len(kills(r)); n == 0 || n == 500 {
		t.Errorf("%d calls were ended", n)
	}
}

// TestKickTwice asks twice at once. The second waits for the first, and then finds nobody left.
func TestKickTwice(t *testing.T) {
	s, want := crowd(t, 3, 1300)
	first := s.Ask(t, time.Second, "admin", Name, "action", kickAllOf(roomA))
	second := s.Ask(t, 1100*time.Millisecond, "operator", Name, "action", kickAllOf(roomA))
	r := replay.Play(t, s, replay.Options{After: 10 * time.Second}, plain)
	for _, id := range []string{first, second} {
		if answers := r.Replies(id); len(answers) != 1 || string(answers[0].Payload) != `{"success":true,"message":"Action executed"}` {
			t.Errorf("answers %+v", answers)
		}
	}
	if got := kills(r); !slices.Equal(got, want) {
		t.Errorf("commands %q, want %q", got, want)
	}
}
