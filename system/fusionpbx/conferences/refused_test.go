package conferences

import (
	"slices"
	"testing"
	"time"

	"strowger/system/fusionpbx/replay"
)

// inList returns a conference of the switch's list with a member.
func inList(name, id, uuid string) string {
	return `{"conference_name":"` + name + `","member_count":1,"members":[{"id":` + id + `,"uuid":"` + uuid + `","flags":{}}]}`
}

// TestRefused refuses a page the list of conferences while a difference is being confirmed. The page is told of all
// conferences all the same, not only of the one that differs.
func TestRefused(t *testing.T) {
	a, b := inList(roomA, "7", "a"), inList(roomB, "8", "b")
	// The service compares at 57 s, and again half a second later because of the conference of b.
	s := script(t, []scripted{{at: 57_200, cut: 60}}, map[string][][2]any{"conference json_list": {{-5000, "[" + a + "]"}, {56_900, "[" + a + "," + b + "]"}}})
	const at = 57_250 * time.Millisecond
	id := s.Ask(t, at, "admin", Name, "in_progress", nil)
	r := replay.Play(t, s, replay.Options{After: 10 * time.Second}, plain)
	if answers := r.Replies(id); len(answers) != 1 || answers[0].Field("status_code") != "503" {
		t.Fatalf("answers %+v, want one with 503", answers)
	}
	for _, name := range []string{roomA, roomB} {
		if shown(r, time.Hour)[name+" "] == "" || !slices.ContainsFunc(r.Said, func(m replay.Message) bool {
			return m.At > at && m.Topic == "add_member" && m.Get("conference_name") == `"`+name+`"`
		}) {
			t.Errorf("pages were not told of %s", name)
		}
	}
}

// TestPatience has a switch that answers with no list for a minute. It is asked ever more rarely, but at once when
// events were missed.
func TestPatience(t *testing.T) {
	const most = 20
	for name, answer := range map[string]string{"other JSON": "{}", "a refusal": "-ERR no"} {
		t.Run(name, func(t *testing.T) {
			lists := [][2]any{{-5000, "[]"}, {1000, answer}, {60_000, "[" + inList(roomA, "7", "a") + "]"}}
			s := script(t, []scripted{{at: 1100, cut: 1}, {at: 61_000, cut: 1}}, map[string][][2]any{"conference json_list": lists})
			r := replay.Play(t, s, replay.Options{After: 2 * time.Second}, plain)
			asked := 0
			for _, c := range r.Commands {
				if c == "api conference json_list" {
					asked++
				}
			}
			if asked > most {
				t.Errorf("the switch was asked %d times, want at most %d", asked, most)
			}
			if shown(r, time.Hour)[roomA+" 7"] == "" {
				t.Error("pages were not told of the conference")
			}
		})
	}
}
