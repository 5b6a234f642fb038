package conferences

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/system/fusionpbx/replay"
	"strowger/system/service"
)

// happens returns an event about a member of a conference.
func happens(action, name, id, uuid string) string {
	body := fmt.Sprintf("Event-Name: CUSTOM\nEvent-Subclass: conference::maintenance\nConference-Name: %s\nConference-Size: 1\nMember-ID: %s\nUnique-ID: %s\nAction: %s\n\n", name, id, uuid, action)
	return fmt.Sprintf("Content-Length: %d\nContent-Type: text/event-plain\n\n%s", len(body), body)
}

// TestKickLeaver kicks a member whose departure waits to be told, because a conference before it waits for its name. The call
// may be anywhere by then, so it is not ended.
func TestKickLeaver(t *testing.T) {
	const uuid = "8e501f55-1ed3-46b2-aed0-b56c3c760ed1"
	list := "[" + inList(roomA, "7", uuid) + "]"
	s := script(t, []scripted{{at: 2000, text: happens("conference-create", roomB, "", "")}, {at: 2100, text: happens("del-member", roomA, "7", uuid)}},
		map[string][][2]any{
			"conference json_list":                      {{-5000, list}, {2100, "[]"}},
			"conference '3001@a.example.com' json_list": {{-5000, list}, {2100, "-ERR Conference 3001@a.example.com not found\n"}},
		})
	before := s.Ask(t, time.Second, "admin", Name, "action", map[string]any{"action": "kick", "conference_name": roomA, "member_id": 7, "uuid": uuid})
	after := s.Ask(t, 2200*time.Millisecond, "admin", Name, "action", map[string]any{"action": "kick", "conference_name": roomA, "member_id": 7, "uuid": uuid})
	r := replay.Play(t, s, replay.Options{After: 10 * time.Second}, func(sw replay.Switch) *service.Service {
		return New(Options{Events: sw.Events, Commands: sw.Commands, Database: asleep{}})
	})
	for id, status := range map[string]string{before: "200", after: "400"} {
		if answers := r.Replies(id); len(answers) != 1 || answers[0].Field("status_code") != status {
			t.Errorf("answers %+v, want one with %s", answers, status)
		}
	}
	if got := kills(r); len(got) != 1 {
		t.Errorf("the switch got %q, want one command for the first request", got)
	}
	if slices.Contains(r.Commands[:slices.Index(r.Commands, kills(r)[0])], "api conference '3001@a.example.com' json_list") {
		t.Error("the switch was asked for a member of whom pages were told")
	}
}

// TestKickReturner has a member leave and come back under the same UUID while the calls of others are being ended. It is kicked
// as well.
func TestKickReturner(t *testing.T) {
	const members, returner = 300, "00000299-0000-4000-8000-000000000000"
	s, want := crowd(t, members, 60_000)
	s.Recording.Events = script(t, []scripted{{at: 2000, text: happens("del-member", roomA, "299", strings.ToUpper(returner))},
		{at: 2100, text: happens("add-member", roomA, "300", returner)}}, nil).Recording.Events
	s.Ask(t, time.Second, "admin", Name, "action", kickAllOf(roomA))
	r := replay.Play(t, s, replay.Options{After: time.Minute}, plain)
	if got := kills(r); !slices.Equal(got, want) {
		t.Errorf("the switch got %d commands, want %d", len(got), len(want))
	}
}

// TestKickInGaps has the service miss events again and again while calls are being ended, so that it keeps asking the switch who
// is still there. It ends one call after each list all the same.
func TestKickInGaps(t *testing.T) {
	const members = 20
	s, want := crowd(t, members, 60_000)
	s.Ask(t, time.Second, "admin", Name, "action", kickAllOf(roomA))
	o := replay.Options{After: 10 * time.Second}
	o.Faults.Delay = func(command string) time.Duration {
		if strings.HasPrefix(command, "conference '") {
			return 20 * time.Millisecond // longer than the next events are missed
		}
		return 0
	}
	gaps := 0
	r := replay.Play(t, s, o, func(sw replay.Switch) *service.Service {
		return wrapped(plain(sw), func(s service.Setup) service.Setup { return &gappy{s, &gaps} })
	})
	if got := kills(r); !slices.Equal(got, want) {
		t.Errorf("after %d gaps the switch got %d commands, want %d", gaps, len(got), len(want))
	}
}
