package conferences

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"strowger/system/fusionpbx/replay"
	"strowger/system/fusionpbx/switchsim"
	"strowger/system/service"
)

// script returns a scenario with the events at their times in ms and with what the switch answers to commands.
func script(t *testing.T, events []scripted, answers map[string][][2]any) *replay.Scenario {
	t.Helper()
	s := replay.Load(t, testdata, "conf-none")
	s.Lines = nil
	var lines []string
	for _, e := range events {
		line := map[string]any{"t": e.at, "from": "switch", "conn": "events", "data": e.text}
		if e.cut > 0 {
			line = map[string]any{"t": e.at, "conn": "all", "close_ms": e.cut}
		}
		lines = append(lines, jsonText(t, line))
	}
	files := fstest.MapFS{
		"x/switch.jsonl": {Data: []byte(strings.Join(lines, "\n"))},
		"x/api.json":     {Data: []byte(jsonText(t, answers))},
	}
	var err error
	if s.Recording, err = switchsim.Load(files, "x"); err != nil {
		t.Fatal(err)
	}
	return s
}

type scripted struct {
	at   int // in ms
	text string
	cut  int // for so many ms all connections end
}

// TestManyWait has more pushes wait than a service may have timers: for the name of a conference, and for members who are not
// in the switch's list yet. All go out.
func TestManyWait(t *testing.T) {
	const pushes = 4200
	for _, action := range []string{"conference-create", "add-member"} {
		t.Run(action, func(t *testing.T) {
			var events []scripted
			for i := range pushes {
				events = append(events, scripted{text: about(action, i)})
			}
			const list = `[{"conference_name":"3001@a.example.com","member_count":0,"members":[]}]`
			s := script(t, events, map[string][][2]any{"conference '3001@a.example.com' json_list": {{0, list}}})
			hurried := new(atomic.Int64)
			r := replay.Play(t, s, replay.Options{After: 10 * time.Second, QueueEvents: pushes}, func(sw replay.Switch) *service.Service {
				return New(Options{Events: sw.Events, Commands: sw.Commands, Database: asleep{}, Hurried: hurried})
			})
			told := 0
			for _, m := range r.Said {
				if m.Topic == strings.ReplaceAll(action, "-", "_") {
					told++
				}
			}
			if told != pushes || hurried.Load() != pushes {
				t.Errorf("%d pushes went out, %d of them too early; want %d", told, hurried.Load(), pushes)
			}
		})
	}
}
