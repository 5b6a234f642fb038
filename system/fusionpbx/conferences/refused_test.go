package conferences

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"strowger/system/fusionpbx/replay"
	"strowger/system/service"
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

// TestNoList asks for all conferences while the switch answers with other things than a list. Only those are an answer that say
// that there is no conference.
func TestNoList(t *testing.T) {
	for answer, refused := range map[string]bool{"[]": false, "No active conferences.\n": false, "-ERR no": true, "{}": true, "null": true, "": true} {
		t.Run(answer, func(t *testing.T) {
			list := "[" + inList(roomA, "7", "a") + "]"
			s := script(t, nil, map[string][][2]any{"conference json_list": {{-5000, list}, {1000, answer}, {1500, list}}})
			const at = 1200 * time.Millisecond
			id := s.Ask(t, at, "admin", Name, "in_progress", nil)
			r := replay.Play(t, s, replay.Options{After: 10 * time.Second}, plain)
			answers := r.Replies(id)
			if len(answers) != 1 || (answers[0].Field("status_code") == "503") != refused || (string(answers[0].Payload) == "[]") == refused {
				t.Errorf("answers %+v, want one, refused: %t", answers, refused)
			}
			if told := addedAfter(r, at); (told > 0) != refused {
				t.Errorf("pages were told %d times of the member", told)
			}
		})
	}
}

// addedAfter returns how often pages were told that a member has come.
func addedAfter(r *replay.Result, at time.Duration) int {
	n := 0
	for _, m := range r.Said {
		if m.At > at && m.Topic == "add_member" {
			n++
		}
	}
	return n
}

// TestRefusedAgain refuses pages the list of conferences again and again, while the switch gives it two times of three. Pages are
// told of all conferences more and more rarely, and once more in the end.
func TestRefusedAgain(t *testing.T) {
	const last, most = 20 * time.Second, 8
	s := script(t, nil, map[string][][2]any{"conference json_list": {{-5000, "[" + inList(roomA, "7", "a") + "]"}}})
	for at := time.Second; at < last; at += 20 * time.Millisecond {
		s.Ask(t, at, "admin", Name, "in_progress", nil)
	}
	o := replay.Options{After: 12 * time.Second}
	var asked atomic.Int64
	start := s.Start
	o.Faults.Answer = func(command string) (string, bool) {
		now := time.Since(start)
		return "-ERR no", command == "conference json_list" && now > time.Second && now < last && asked.Add(1)%3 == 0
	}
	r := replay.Play(t, s, o, plain)
	if n := addedAfter(r, 0) - addedAfter(r, last); n == 0 || n > most {
		t.Errorf("pages were told %d times, want at most %d and at least one", n, most)
	}
	if addedAfter(r, last) == 0 {
		t.Error("pages were not told of the member in the end")
	}
}

// TestListAgain has a comparison wait for longer and longer after failures. It goes on as soon as the switch gives its list to
// somebody else.
func TestListAgain(t *testing.T) {
	const again = 15 * time.Second
	lists := [][2]any{{-5000, "[]"}, {1000, "-ERR no"}, {14_800, "[" + inList(roomA, "7", "a") + "]"}}
	s := script(t, []scripted{{at: 1100, cut: 1}}, map[string][][2]any{"conference json_list": lists})
	id := s.Ask(t, again, "admin", Name, "in_progress", nil)
	r := replay.Play(t, s, replay.Options{After: 2 * time.Second}, plain)
	if answers := r.Replies(id); len(answers) != 1 || answers[0].Topic != "in_progress" {
		t.Fatalf("answers %+v, want a list", answers)
	}
	if addedAfter(r, again) == 0 {
		t.Error("pages were not told of the member")
	}
}

// TestRefusedBeforeCrash refuses a page the list of conferences, and then the service fails. The next life tells pages of all
// conferences, though they differ from none that the last one has told.
func TestRefusedBeforeCrash(t *testing.T) {
	list := "[" + inList(roomA, "7", "a") + "]"
	s := script(t, []scripted{{at: 1150, text: about("lock", 0)}}, map[string][][2]any{"conference json_list": {{-5000, list}, {1000, "-ERR no"}, {5000, list}}})
	s.Ask(t, 1100*time.Millisecond, "admin", Name, "in_progress", nil)
	crashed := false
	r := replay.Play(t, s, replay.Options{After: 10 * time.Second}, func(sw replay.Switch) *service.Service {
		return New(Options{Events: sw.Events, Commands: sw.Commands, before: func(string) {
			if !crashed {
				crashed = true
				panic("at an event")
			}
		}})
	})
	if !crashed || addedAfter(r, 0) == 0 {
		t.Errorf("the service has failed: %t; pages were told %d times of the member", crashed, addedAfter(r, 0))
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
