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
	"strowger/system/service"
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

// TestKickLeavers has members leave while the calls of many are being ended. Those calls go on, whether an event says who
// has left or, because events were missed, only the switch's list does.
func TestKickLeavers(t *testing.T) {
	const members, stay, leave = 300, 290, 3000 // leave: when, in ms
	left := func(uuid string) string {
		body := "Event-Name: CUSTOM\nEvent-Subclass: conference::maintenance\nConference-Name: " + roomA + "\nConference-Size: 1\nAction: del-member\n"
		if uuid != "" {
			body += "Unique-ID: " + strings.ToUpper(uuid) + "\n"
		}
		return fmt.Sprintf("Content-Length: %d\nContent-Type: text/event-plain\n\n%s\n", len(body)+1, body)
	}
	tests := map[string]struct {
		events func(gone []string) []scripted
		silent bool // no events come
	}{
		"events say so": {func(gone []string) []scripted {
			var events []scripted
			for _, uuid := range gone {
				events = append(events, scripted{at: leave, text: left(uuid)})
			}
			return events
		}, false},
		"an event does not say who": {func([]string) []scripted { return []scripted{{at: leave, text: left("")}} }, false},
		"all have left": {func([]string) []scripted {
			return []scripted{{at: leave, text: about("conference-destroy", 0)}}
		}, false},
		"no events come": {func([]string) []scripted { return nil }, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var rows, remain []map[string]any
			var want, gone []string
			for i := range members {
				uuid := fmt.Sprintf("%08d-0000-4000-8000-00000000000a", i)
				row := map[string]any{"id": i, "uuid": uuid, "flags": map[string]bool{"can_hear": true}}
				rows = append(rows, row)
				if i >= stay {
					gone = append(gone, uuid)
					continue
				}
				remain = append(remain, row)
				want = append(want, "api uuid_kill "+uuid)
			}
			list := func(rows []map[string]any) string {
				return jsonText(t, []any{map[string]any{"conference_name": roomA, "member_count": len(rows), "members": rows}})
			}
			s := script(t, test.events(gone), map[string][][2]any{
				"conference json_list":                      {{-5000, list(rows)}},
				"conference '3001@a.example.com' json_list": {{-5000, list(rows)}, {leave, list(remain)}},
			})
			id := s.Ask(t, time.Second, "admin", Name, "action", kickAllOf(roomA))
			r := replay.Play(t, s, replay.Options{After: time.Minute}, func(sw replay.Switch) *service.Service {
				if test.silent {
					sw.Events = deaf(t, sw)
				}
				return plain(sw)
			})
			if answers := r.Replies(id); len(answers) != 1 || answers[0].Field("status_code") != "200" {
				t.Errorf("answers %+v, want one with 200", answers)
			}
			if got := kills(r); !slices.Equal(got, want) {
				t.Errorf("the switch got %d commands, want %d", len(got), len(want))
			}
		})
	}
}

// TestKickAskers has more ask for kick_all of one conference than a service may have timers. Each gets an answer.
func TestKickAskers(t *testing.T) {
	const askers = 4200
	s, _ := crowd(t, 3, 1300)
	id := s.Ask(t, time.Second, "admin", Name, "action", kickAllOf(roomA))
	s.Lines = slices.Repeat(s.Lines, askers)
	r := replay.Play(t, s, replay.Options{After: 2 * time.Minute}, plain)
	answers := r.Replies(id)
	if len(answers) != askers {
		t.Errorf("%d answers, want %d", len(answers), askers)
	}
	for _, m := range answers {
		if m.Field("status_code") != "200" {
			t.Fatalf("answer %+v", m)
		}
	}
}
