package conferences

import (
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

// TestDoubt has events that do not say what they are about, or are about what pages do not know. Pages are told soon what the
// switch's list says.
func TestDoubt(t *testing.T) {
	in := func(name, action string, more ...string) string {
		body := "Event-Name: CUSTOM\nEvent-Subclass: conference::maintenance\nConference-Name: " + name + "\nAction: " + action + "\n" + strings.Join(append(more, "", ""), "\n")
		return fmt.Sprintf("Content-Length: %d\nContent-Type: text/event-plain\n\n%s", len(body), body)
	}
	list := func(name, members string) string {
		return `[{"conference_name":"` + name + `","member_count":1,"members":[` + members + `]}]`
	}
	begin := []string{in(roomA, "conference-create"), in(roomA, "add-member", "Member-ID: 6", "Unique-ID: u6")}
	tests := map[string]struct {
		events []string
		list   string
		want   []string // topics, conferences and members
	}{
		"a member goes without a number":     {[]string{in(roomA, "del-member")}, list(roomA, ""), []string{"del_member " + roomA + " 6"}},
		"a conference goes without its name": {[]string{in("", "conference-destroy")}, "[]", []string{"conference_destroy " + roomA + " "}},
		"a member comes after the end":       {[]string{in(roomA, "conference-destroy"), in(roomA, "add-member", "Member-ID: 7")}, "[]", []string{"conference_destroy " + roomA + " "}},
		"a conference with another name": {[]string{in("3009@a.example.com", "mute-member", "Member-ID: 6")}, list("3009@a.example.com", `{"id":6,"uuid":"u6","flags":{}}`),
			[]string{"conference_destroy " + roomA + " ", "conference_create 3009@a.example.com ", "add_member 3009@a.example.com 6"}},
		"nothing odd": {[]string{in(roomA, "mute-member", "Member-ID: 6"), in(roomA, "energy-level")}, list(roomA, `{"id":6,"uuid":"u6","flags":{"can_speak":false}}`), nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := replay.Load(t, testdata, "conf-none")
			s.Lines = nil
			var lines []string
			for i, raw := range append(slices.Clone(begin), test.events...) {
				lines = append(lines, jsonText(t, map[string]any{"t": 1000 + 10*i, "from": "switch", "conn": "events", "data": raw}))
			}
			last := 1000 + 10*(len(lines)-1)
			answers := jsonText(t, map[string]any{"conference json_list": [][2]any{{-1000, "[]"}, {last, test.list}}, "conference '" + roomA + "' json_list": [][2]any{{-1000, list(roomA, `{"id":6,"uuid":"u6"}`)}}})
			var err error
			if s.Recording, err = switchsim.Load(fstest.MapFS{"x/switch.jsonl": {Data: []byte(strings.Join(lines, "\n"))}, "x/api.json": {Data: []byte(answers)}}, "x"); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range replay.Play(t, s, replay.Options{After: 3 * time.Second}, func(sw replay.Switch) *service.Service {
				return New(Options{Events: sw.Events, Commands: sw.Commands})
			}).Said {
				if m.At > time.Duration(last)*time.Millisecond+confirm/2 {
					got = append(got, fmt.Sprintf("%s %s %s", m.Topic, strings.Trim(m.Get("conference_name"), `"`), strings.Trim(m.Get("member_id"), `"`)))
				}
			}

			if !slices.Equal(got, test.want) {
				t.Errorf("pages were told %q, want %q", got, test.want)
			}
		})
	}
}
