package conferences

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/system/fusionpbx/replay"
)

const roomA, roomB = "3001@a.example.com", "3001@b.example.com"

// ask plays the scenario with one request of a client, and returns the answer and the commands that nobody sends
// without it.
func ask(t *testing.T, client, topic string, payload any) (answer replay.Message, commands []string) {
	t.Helper()
	s := replay.Load(t, testdata, "conf-same-extension")
	s.Lines = nil
	id := s.Ask(t, 2900*time.Millisecond, client, Name, topic, payload)
	r := replay.Play(t, s, replay.Options{After: 10 * time.Second}, plain)
	replies := r.Replies(id)
	if len(replies) != 1 {
		t.Fatalf("%d answers, want 1", len(replies))
	}
	return replies[0], sent(r)
}

// sent returns the commands of a scenario that are no lists.
func sent(r *replay.Result) []string {
	return slices.DeleteFunc(slices.Clone(r.Commands), func(c string) bool { return strings.HasSuffix(c, "json_list") })
}

// TestInjection puts what would be another command into every field of every request. The switch gets nothing of it,
// and the asker 400.
func TestInjection(t *testing.T) {
	s := replay.Load(t, testdata, "conf-same-extension")
	s.Lines = nil
	at := 2900 * time.Millisecond // the room has a member then
	asked := map[string]string{}  // by id, what was asked
	add := func(topic, evil string, payload map[string]any) {
		at += time.Microsecond
		id := s.Ask(t, at, "coach", Name, topic, payload)
		asked[id] = fmt.Sprintf("%s with %q: %q", topic, evil, payload)
	}
	whole := func(action string) map[string]any {
		return map[string]any{"action": action, "conference_name": roomA, "domain_name": "a.example.com", "member_id": "28",
			"uuid": "8e501f55-1ed3-46b2-aed0-b56c3c760ed1", "direction": "up"}
	}
	for _, evil := range []string{"\n\napi system id", "\r\napi system id", " %0a%0aapi system id", "'; x", "\x00", "28 all", "@b.example.com"} {
		for _, action := range []string{"lock", "mute", "kick", "kick_all", "energy"} {
			for field := range whole(action) {
				payload := whole(action)
				payload[field] = payload[field].(string) + evil
				add("action", evil, payload)
			}
		}
		add("in_progress", evil, map[string]any{"uuid": "3001" + evil})
		add("in_progress", evil, map[string]any{"domain_name": "a.example.com" + evil})
	}
	r := replay.Play(t, s, replay.Options{After: 10 * time.Second}, plain)
	for id, what := range asked {
		answers := r.Replies(id)
		if len(answers) != 1 {
			t.Errorf("%s is answered %d times", what, len(answers))
			continue
		}
		foreign := strings.HasPrefix(what, `action with "@b.example.com"`)
		if status := answers[0].Field("status_code"); status != "400" && !(status == "403" && foreign) {
			t.Errorf("%s is answered %s %s", what, status, answers[0].Payload)
		}
	}
	if commands := sent(r); len(commands) > 0 {
		t.Errorf("the switch got %q", commands)
	}
}

// TestTenants has clients ask for what is of another domain.
func TestTenants(t *testing.T) {
	const memberA, memberB = "8e501f55-1ed3-46b2-aed0-b56c3c760ed1", "00000000-0000-4000-8000-000000000000"
	tests := map[string]struct {
		client, action, conference, uuid string
		status                           string
		commands                         []string
	}{
		"own member":             {"admin", "kick", roomA, memberA, "200", []string{"api uuid_kill " + memberA}},
		"foreign conference":     {"admin", "lock", roomB, "", "403", nil},
		"foreign, percent codes": {"admin", "lock", "3001%40b.example.com", "", "403", nil},
		"call of no member":      {"admin", "kick", roomA, memberB, "400", nil},
		"member of another":      {"adminb", "kick", roomB, memberA, "400", nil},
		"hand of no member":      {"admin", "mute", roomA, memberB, "200", []string{"api conference 3001@a.example.com mute 28"}},
		"all":                    {"admin", "kick_all", roomA, "", "200", []string{"api uuid_kill " + memberA}},
		"no permission":          {"nobody", "kick_all", roomA, "", "400", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			answer, commands := ask(t, test.client, "action", map[string]any{"action": test.action, "conference_name": test.conference, "uuid": test.uuid, "member_id": 28})
			if got := answer.Field("status_code"); got != test.status || answer.Topic != response {
				t.Errorf("answer %s %s %s, want %s", answer.Topic, got, answer.Payload, test.status)
			}
			if !slices.Equal(commands, test.commands) {
				t.Errorf("commands %q, want %q", commands, test.commands)
			}
		})
	}
}
