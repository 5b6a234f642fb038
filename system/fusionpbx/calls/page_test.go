package calls

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
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

const testdata = "../../../testdata/fusionpbx"

// page is what a page that sees everything shows, by the UUID.
type page map[string]shownCall

type shownCall struct{ answer, context string }

// apply does with an event what the page does.
func (p page) apply(name, uuid, answer, context string) {
	call, known := p[uuid]
	switch {
	case name == callState && answer == "hangup":
		delete(p, uuid)
		return
	case name == callState && answer == "answered":
		call.answer = answer
	case name == callState:
		call.answer = "ringing"
	case !known:
		return
	}
	if context != "" {
		call.context = context
	}
	p[uuid] = call
}

func (p page) String() string {
	var lines []string
	for _, uuid := range slices.Sorted(maps.Keys(p)) {
		lines = append(lines, uuid+" "+p[uuid].answer+" in "+p[uuid].context)
	}
	return strings.Join(lines, "\n")
}

// shown returns what the page shows at that time of the recording.
func shown(t *testing.T, r *replay.Result, at time.Duration) page {
	t.Helper()
	p := page{}
	for _, m := range r.Said {
		if !m.IsPush() || m.At > at {
			continue
		}
		var e struct {
			Name    string `json:"event_name"`
			UUID    string `json:"unique_id"`
			Answer  string `json:"answer_state"`
			Context string `json:"caller_context"`
		}
		if err := json.Unmarshal(m.Payload, &e); err != nil {
			t.Fatal(err)
		}
		p.apply(e.Name, e.UUID, e.Answer, e.Context)
	}
	return p
}

// parse returns an event of a recording.
func parse(t *testing.T, e switchsim.Event) *eventsocket.Event {
	t.Helper()
	_, body, _ := bytes.Cut(e.Raw, []byte("\n\n"))
	event, err := eventsocket.ParseEvent(body)
	if err != nil {
		t.Fatal(err)
	}
	return event
}

// history is a recording with what the switch says in it.
type history struct {
	recording *switchsim.Recording
	said      []*eventsocket.Event // as recording.Events; nil: connections are cut
}

func historyOf(t *testing.T, recording *switchsim.Recording) history {
	t.Helper()
	h := history{recording, make([]*eventsocket.Event, len(recording.Events))}
	for i, e := range recording.Events {
		if e.Cut == 0 {
			h.said[i] = parse(t, e)
		}
	}
	return h
}

// truth returns what the page would show if it missed nothing.
func (h history) truth(at time.Duration) page {
	p := page{}
	for i, e := range h.said {
		if e != nil && h.recording.Events[i].At <= at {
			p.apply(e.Name(), e.Get("Unique-ID"), e.Get("Answer-State"), e.Get("Caller-Context"))
		}
	}
	return p
}

// wantPage compares the page with the truth.
func wantPage(t *testing.T, r *replay.Result, whole history, at time.Duration) {
	t.Helper()
	if got, want := shown(t, r, at).String(), whole.truth(at).String(); got != want {
		t.Errorf("at %s the page shows\n%s\nwant\n%s", at, got, want)
	}
}

// load returns a scenario whose switch answers with the list of channels as it was at each moment. The recordings
// have it as it was whenever somebody asked.
func load(t *testing.T, name string) *replay.Scenario {
	t.Helper()
	s := replay.Load(t, testdata, name)
	var lines []string
	var answers [][2]any
	rows := map[string]map[string]string{}
	for _, e := range s.Recording.Events {
		lines = append(lines, jsonText(t, map[string]any{"t": e.At.Milliseconds(), "from": "switch", "conn": "events", "data": string(e.Raw)}))
		list(rows, parse(t, e))
		answers = append(answers, [2]any{e.At.Milliseconds(), jsonText(t, map[string]any{"row_count": len(rows), "rows": slices.Collect(maps.Values(rows))})})
	}
	files := fstest.MapFS{
		"x/switch.jsonl": {Data: []byte(strings.Join(lines, "\n"))},
		"x/api.json":     {Data: []byte(jsonText(t, map[string]any{"show channels as json": append([][2]any{{-1000, `{"row_count":0}`}}, answers...)}))},
	}
	var err error
	if s.Recording, err = switchsim.Load(files, "x"); err != nil {
		t.Fatal(err)
	}
	return s
}

// list makes the switch's list of channels as it is after an event.
func list(rows map[string]map[string]string, e *eventsocket.Event) {
	uuid := e.Get("Unique-ID")
	if uuid == "" {
		return
	}
	if e.Get("Answer-State") == "hangup" {
		delete(rows, uuid)
		return
	}
	state := "RINGING"
	if e.Get("Answer-State") == "answered" {
		state = "ACTIVE"
	}
	rows[uuid] = map[string]string{"uuid": uuid, "callstate": state, "context": e.Get("Caller-Context"), "presence_id": e.Get("Channel-Presence-ID")}
}

// outage returns a recording in which the switch goes in the middle of event number n, from 0, and cannot be reached for
// a while. What happens meanwhile is lost.
func outage(of *switchsim.Recording, n int, d time.Duration) *switchsim.Recording {
	broken := *of
	broken.Events = slices.Clone(of.Events[:n])
	at := of.Events[n].At
	half := of.Events[n]
	half.Raw = half.Raw[:len(half.Raw)/2]
	broken.Events = append(broken.Events, half, switchsim.Event{At: at, Cut: d})
	for _, e := range of.Events[n+1:] {
		if e.At > at+d {
			broken.Events = append(broken.Events, e)
		}
	}
	return &broken
}

func plain(sw replay.Switch) *service.Service {
	return New(Options{Events: sw.Events, Commands: sw.Commands})
}

// scenarios are those in which the chaos happens: they have calls of two domains, one from outside whose domain
// changes, and parked ones.
func scenarios() []string {
	return []string{"calls-answered-caller-hangs", "calls-inbound-transfer", "calls-two-domains", "calls-valet"}
}

// each calls f for each scenario and the number of each event in it, or of each third one if there are many.
func each(t *testing.T, names []string, f func(t *testing.T, s *replay.Scenario, whole history, n int)) {
	for _, name := range names {
		s := load(t, name)
		whole := historyOf(t, s.Recording)
		events := len(s.Recording.Events)
		for n := 0; n < events; n += 1 + 2*(events/30) {
			t.Run(fmt.Sprintf("%s/%d", name, n), func(t *testing.T) {
				twin := *s
				f(t, &twin, whole, n)
			})
		}
	}
}

func jsonText(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
