package conferences

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/replay"
	"strowger/system/fusionpbx/switchsim"
	"strowger/system/service"
)

// TestNoEvents starts the service while the switch takes commands and sends no events. What the comparisons have found is
// then out of date at once, so the switch is asked whether a channel is that of a member.
func TestNoEvents(t *testing.T) {
	const uuid = "8e501f55-1ed3-46b2-aed0-b56c3c760ed1"
	s := replay.Load(t, testdata, "conf-none")
	s.Lines = nil
	member := `[{"conference_name":"3001@a.example.com","member_count":1,"members":[{"id":7,"uuid":"` + uuid + `","flags":{}}]}]`
	files := fstest.MapFS{"x/switch.jsonl": {}, "x/api.json": {Data: []byte(jsonText(t, map[string]any{
		"conference json_list":                      [][2]any{{-5000, member}, {70_000, "[]"}},
		"conference '3001@a.example.com' json_list": [][2]any{{-5000, member}, {70_000, "-ERR Conference 3001@a.example.com not found\n"}},
	}))}}
	var err error
	if s.Recording, err = switchsim.Load(files, "x"); err != nil {
		t.Fatal(err)
	}
	id := s.Ask(t, 80*time.Second, "admin", Name, "action", map[string]any{"action": "kick", "conference_name": roomA, "member_id": 7, "uuid": uuid})
	r := replay.Play(t, s, replay.Options{}, func(sw replay.Switch) *service.Service {
		return New(Options{Events: deaf(t, sw), Commands: sw.Commands})
	})
	if answers := r.Replies(id); len(answers) != 1 || answers[0].Field("status_code") != "400" || !strings.Contains(string(answers[0].Payload), "not in the conference") {
		t.Errorf("answers %+v, want one with 400", answers)
	}
	if slices.Contains(r.Commands, "api uuid_kill "+uuid) {
		t.Error("a call was ended that is not in the conference")
	}
}

// deaf returns a client that no events come over, while the switch plays to another.
func deaf(t *testing.T, sw replay.Switch) *eventsocket.Client {
	t.Helper()
	if _, err := sw.Events.Subscribe("another service", eventsocket.Match("Event-Name", "HEARTBEAT")); err != nil {
		t.Fatal(err) // the switch begins when somebody listens
	}
	silent, err := eventsocket.New(eventsocket.Options{Password: "ClueCon"})
	if err != nil {
		t.Fatal(err)
	}
	return silent
}
