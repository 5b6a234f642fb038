package calls

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"strowger/system/fusionpbx/replay"
)

// TestRefused refuses a page the list of calls while calls go on that pages know. It is told of them as soon as the switch
// says which there are.
func TestRefused(t *testing.T) {
	const second = 1000
	begins := map[int][]string{0: {happens("CHANNEL_CALLSTATE", ofA, "answered", inA, of1)}}
	a := [4]string{ofA, "ACTIVE", "a.example.com", "1001@a.example.com"}
	b := [4]string{ofB, "ACTIVE", "b.example.com", "1001@b.example.com"}
	tests := map[string]struct {
		at    time.Duration
		cut   int // in ms, when all connections end for a while
		lists [][2]any
	}{
		"without a connection": {1100 * time.Millisecond, second, [][2]any{{0, rows(t, a)}}},
		"without a list":       {1100 * time.Millisecond, 0, [][2]any{{0, rows(t, a)}, {second, "-ERR no"}, {3 * second, rows(t, a)}}},
		// The service compares at 57 s, and again half a second later because of the call of b.
		"while a difference is confirmed": {57_300 * time.Millisecond, 0,
			[][2]any{{0, rows(t, a)}, {56_900, rows(t, a, b)}, {57_200, "-ERR no"}, {57_400, rows(t, a, b)}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			events := map[int][]string{0: begins[0]}
			if test.cut > 0 {
				events[test.cut] = []string{"cut " + strings.Repeat("x", 300)}
			}
			s := craft(t, events, test.lists)
			id := s.Ask(t, test.at, "admin", Name, "in.progress", nil)
			r := replay.Play(t, s, replay.Options{After: 10 * time.Second}, plain)
			if answers := r.Replies(id); len(answers) != 1 || answers[0].Field("status_code") != "503" {
				t.Fatalf("answers %+v, want one with 503", answers)
			}
			const want = "CHANNEL_CALLSTATE aaaa answered a.example.com 1001@a.example.com"
			if got := told(t, r, test.at, time.Hour); !strings.Contains(got, want) {
				t.Errorf("pages were told\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestRefusedAgain refuses pages the list of calls again and again, while the switch gives it two times of three. Pages are told
// of all calls more and more rarely, and once more in the end.
func TestRefusedAgain(t *testing.T) {
	const last, most = 20 * time.Second, 8
	a := rows(t, [4]string{ofA, "ACTIVE", "a.example.com", "1001@a.example.com"})
	s := craft(t, map[int][]string{0: {happens("CHANNEL_CALLSTATE", ofA, "answered", inA, of1)}}, [][2]any{{0, a}})
	for at := time.Second; at < last; at += 20 * time.Millisecond {
		s.Ask(t, at, "admin", Name, "in.progress", nil)
	}
	o := replay.Options{After: 12 * time.Second}
	var asked atomic.Int64
	start := s.Start
	o.Faults.Answer = func(command string) (string, bool) {
		now := time.Since(start)
		return "-ERR no", strings.HasPrefix(command, "show channels") && now > time.Second && now < last && asked.Add(1)%3 == 0
	}
	r := replay.Play(t, s, o, plain)
	if n := len(strings.Split(told(t, r, 500*time.Millisecond, last), "\n")); n > most {
		t.Errorf("pages were told %d times, want at most %d", n, most)
	}
	if told(t, r, last, time.Hour) == "" {
		t.Error("pages were not told of the call in the end")
	}
}

// TestListAgain has a comparison wait for longer and longer after failures. It goes on as soon as the switch gives its list to
// somebody else.
func TestListAgain(t *testing.T) {
	const again = 15 * time.Second
	lists := [][2]any{{0, none}, {1000, "-ERR no"}, {14_800, rows(t, [4]string{ofA, "ACTIVE", "a.example.com", "1001@a.example.com"})}}
	s := craft(t, map[int][]string{1100: {"cut x"}}, lists)
	id := s.Ask(t, again, "admin", Name, "in.progress", nil)
	r := replay.Play(t, s, replay.Options{After: 2 * time.Second}, plain)
	if answers := r.Replies(id); len(answers) == 0 || answers[0].Topic == "error" {
		t.Fatalf("answers %+v, want a list", answers)
	}
	if told(t, r, again, again+time.Second) == "" {
		t.Error("pages were not told of the call")
	}
}

// TestPatience has a switch that answers with no list for a minute. It is asked ever more rarely, but at once when
// events were missed.
func TestPatience(t *testing.T) {
	const most = 20
	lists := [][2]any{{0, none}, {1000, "-ERR no"}, {60_000, rows(t, [4]string{ofA, "ACTIVE", "a.example.com", "1001@a.example.com"})}}
	s := craft(t, map[int][]string{1100: {"cut x"}, 61_000: {"cut x"}}, lists)
	r := replay.Play(t, s, replay.Options{After: 2 * time.Second}, plain)
	asked := len(slices.DeleteFunc(slices.Clone(r.Commands), func(c string) bool { return c != "api show channels as json" }))
	if asked > most {
		t.Errorf("the switch was asked %d times, want at most %d", asked, most)
	}
	if got, want := told(t, r, time.Second, time.Hour), "CHANNEL_CALLSTATE aaaa answered a.example.com 1001@a.example.com"; got != want {
		t.Errorf("pages were told\n%s\nwant\n%s", got, want)
	}
}

// TestUnheard has a call that no event has told of. The switch is asked whose it is.
func TestUnheard(t *testing.T) {
	tests := map[string]struct{ client, uuid, status string }{
		"of another domain":   {"admin", ofB, "403"},
		"of the same domain":  {"adminb", ofB, "200"},
		"of nobody":           {"adminb", nowhere, "404"},
		"of any, sees all":    {"super", ofB, "200"},
		"spelled differently": {"admin", strings.ToUpper(ofB), "403"},
	}
	for name, test := range tests {
		for _, topic := range []string{"hangup", "eavesdrop"} {
			t.Run(topic+" "+name, func(t *testing.T) {
				s := craft(t, nil, [][2]any{{0, none}, {500, rows(t, [4]string{ofB, "ACTIVE", "b.example.com", "1001@b.example.com"})}})
				payload, status := any(hangupOf(test.uuid)), test.status
				if topic == "eavesdrop" {
					payload = eavesdropOn(test.uuid)
				}
				id := s.Ask(t, time.Second, test.client, Name, topic, payload)
				r := replay.Play(t, s, replay.Options{}, plain)
				if topic == "hangup" && status == "404" {
					status = "200" // as the original: the payload says so
					if answers := r.Replies(id); len(answers) != 1 || string(answers[0].Payload) != `"-ERR No such channel!"` {
						t.Errorf("answers %+v", answers)
					}
				}
				wantAnswer(t, r, id, status, commandOf(topic, test.status, test.client, test.uuid))
			})
		}
	}
}
