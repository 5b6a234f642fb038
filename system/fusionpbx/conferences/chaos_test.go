package conferences

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"strowger/system/fusionpbx/conference"
	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/replay"
	"strowger/system/fusionpbx/switchsim"
	"strowger/system/service"
)

// soon is how long a page may be wrong.
const soon = time.Second

// page is what pages of all domains show: members with their state, by the conference and the id.
type page map[string]string

// apply does with a push what pages do.
func (p page) apply(topic, name, id, floor string) {
	at := name + " " + id
	toggle := func(what string, on bool) {
		if state, ok := p[at]; ok {
			p[at] = strings.ReplaceAll(state, " "+what, "")
			if on {
				p[at] += " " + what
			}
		}
	}
	switch topic {
	case conference.Destroy:
		maps.DeleteFunc(p, func(key, _ string) bool { return strings.HasPrefix(key, name+" ") })
	case conference.Create:
		p[name+" "] = "conference"
	case conference.Add:
		p[at] = "member"
	case conference.Delete:
		delete(p, at)
	case conference.Mute, conference.Unmute:
		toggle("muted", topic == conference.Mute)
	case conference.Deaf, conference.Undeaf:
		toggle("deaf", topic == conference.Deaf)
	case conference.Lock, conference.Unlock:
		at = name + " "
		toggle("locked", topic == conference.Lock)
	}
}

func (p page) String() string {
	var lines []string
	for _, at := range slices.Sorted(maps.Keys(p)) {
		words := strings.Fields(p[at])
		slices.Sort(words)
		lines = append(lines, at+": "+strings.Join(words, " "))
	}
	return strings.Join(lines, "\n")
}

// shown returns what pages show at that time of the recording.
func shown(r *replay.Result, at time.Duration) page {
	p := page{}
	text := func(json string) string { return strings.Trim(json, `"`) }
	for _, m := range r.Said {
		if !m.IsPush() || m.At > at {
			continue
		}
		name, id := text(m.Get("conference_name")), text(m.Get("member_id"))
		p.apply(m.Topic, name, id, text(m.Get("new_id")))
		if told, ok := conference.ReadMember([]byte(m.Get("member"))); ok && m.Topic == conference.Add {
			flag(p, name, id, told.Flags)
		}
	}
	return p
}

func flag(p page, name, id string, flags conference.Flags) {
	if !flags.Speak {
		p.apply(conference.Mute, name, id, "")
	}
	if !flags.Hear {
		p.apply(conference.Deaf, name, id, "")
	}
}

// history is what the switch says in a recording.
type history []happened

type happened struct {
	at   time.Duration
	said event.Payload
}

func historyOf(t *testing.T, recording *switchsim.Recording) history {
	t.Helper()
	var h history
	keys := event.Conferences()
	for _, e := range recording.Events {
		if e.Cut == 0 {
			h = append(h, happened{e.At, keys.Payload(parse(t, e))})
		}
	}
	return h
}

// truth returns what pages would show if they missed nothing.
func (h history) truth(at time.Duration) page {
	p := page{}
	for i := range h {
		if said := &h[i].said; h[i].at <= at {
			p.apply(conference.Topic(said), said.Get("conference_name"), said.Get("member_id"), said.Get("new_id"))
		}
	}
	return p
}

func parse(t *testing.T, e switchsim.Event) *eventsocket.Event {
	t.Helper()
	_, body, _ := strings.Cut(string(e.Raw), "\n\n")
	parsed, err := eventsocket.ParseEvent([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func wantPage(t *testing.T, r *replay.Result, whole history, at time.Duration) {
	t.Helper()
	if got, want := shown(r, at).String(), whole.truth(at).String(); got != want {
		t.Errorf("at %s pages show\n%s\nwant\n%s", at, got, want)
	}
}

// load returns a scenario whose switch answers with its conferences as they were at each moment. The recordings have
// them as they were whenever somebody asked.
func load(t *testing.T, name string) *replay.Scenario {
	t.Helper()
	s := replay.Load(t, testdata, name)
	var lines []string
	answers := map[string][][2]any{}
	p, keys := page{}, event.Conferences()
	say := func(at int64) {
		answers["conference json_list"] = append(answers["conference json_list"], [2]any{at, listing(p, "")})
		for _, domain := range []string{"a", "b"} {
			name := "3001@" + domain + ".example.com"
			command := "conference '" + name + "' json_list"
			answers[command] = append(answers[command], [2]any{at, listing(p, name)})
		}
	}
	say(-10_000)
	for _, e := range s.Recording.Events {
		at := e.At.Milliseconds()
		lines = append(lines, jsonText(t, map[string]any{"t": at, "from": "switch", "conn": "events", "data": string(e.Raw)}))
		said := keys.Payload(parse(t, e))
		p.apply(conference.Topic(&said), said.Get("conference_name"), said.Get("member_id"), "")
		say(at)
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

// listing is the switch's list of what the page has, of one conference or of all.
func listing(p page, only string) string {
	var rooms []string
	for _, at := range slices.Sorted(maps.Keys(p)) {
		name, id, _ := strings.Cut(at, " ")
		if id != "" || only != "" && name != only {
			continue
		}
		var members []string
		for _, key := range slices.Sorted(maps.Keys(p)) {
			if id, ok := strings.CutPrefix(key, name+" "); ok && id != "" {
				members = append(members, fmt.Sprintf(`{"id":%s,"uuid":"","flags":{"can_hear":%t,"can_speak":%t}}`,
					id, !strings.Contains(p[key], "deaf"), !strings.Contains(p[key], "muted")))
			}
		}
		rooms = append(rooms, fmt.Sprintf(`{"conference_name":"%s","member_count":%d,"locked":%t,"members":[%s]}`,
			name, len(members), strings.Contains(p[at], "locked"), strings.Join(members, ",")))
	}
	if only != "" && len(rooms) == 0 {
		return "-ERR Conference " + only + " not found\n"
	}
	return "[" + strings.Join(rooms, ",") + "]"
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

// chaos are the scenarios in which the chaos happens.
func chaos() []string { return []string{"conf-three", "conf-same-extension", "conf-levels"} }

// TestPanics has the service panic at the events, before and after it has handled one, and after it has told pages. The
// page is right again within a second.
func TestPanics(t *testing.T) {
	for _, name := range chaos() {
		s := load(t, name)
		whole := historyOf(t, s.Recording)
		for _, when := range []string{"before", "after", "said"} {
			for n := 0; n < 3*len(s.Recording.Events); n += 3 { // of three events in a row that the service handles, two
				at, skipped := time.Duration(0), true
				t.Run(fmt.Sprintf("%s/%s/%d", when, name, n), func(t *testing.T) {
					skipped = false
					var r *replay.Result
					r, at = panicking(t, s, when, n/2+1)
					if at > 0 {
						wantPage(t, r, whole, at+soon)
					}
					wantPage(t, r, whole, time.Hour)
				})
				if at == 0 && !skipped {
					if n < 24 {
						t.Errorf("%s/%s: the service has panicked at %d events only", when, name, n/3)
					}
					break // there is no such event
				}
			}
		}
	}
}

// panicking plays the scenario to a service that panics once, at an event from 1. It returns when that was, or 0 if there
// are fewer events.
func panicking(t *testing.T, s *replay.Scenario, when string, n int) (r *replay.Result, at time.Duration) {
	t.Helper()
	seen := 0
	hook := func(string) {
		if seen++; seen == n {
			at = time.Since(s.Start)
			panic("at an event")
		}
	}
	r = replay.Play(t, s, replay.Options{}, func(sw replay.Switch) *service.Service {
		o := Options{Events: sw.Events, Commands: sw.Commands, Database: site{}}
		switch when {
		case "before":
			o.before = hook
		case "after":
			o.after = hook
		case "said":
			o.said = hook
		}
		return New(o)
	})
	return r, at
}

// TestPanicsAtAKind has the service panic at each event of one kind, for as long as its breaker lets it. The page is
// right when that is over.
func TestPanicsAtAKind(t *testing.T) {
	for kind := range topics() {
		t.Run(kind, func(t *testing.T) {
			s := load(t, "conf-three")
			r := replay.Play(t, s, replay.Options{After: 3 * time.Minute}, func(sw replay.Switch) *service.Service {
				return New(Options{Events: sw.Events, Commands: sw.Commands, before: func(topic string) {
					if topic == kind {
						panic("at an event")
					}
				}})
			})
			wantPage(t, r, historyOf(t, s.Recording), time.Hour)
		})
	}
}

// TestSwitchVanishes has the switch go in the middle of each third event, and come back after a while. The page is right
// again within a second, also in the conferences and members that came or went meanwhile.
func TestSwitchVanishes(t *testing.T) {
	for _, name := range chaos() {
		s := load(t, name)
		whole := historyOf(t, s.Recording)
		for _, gone := range []time.Duration{time.Millisecond, 700 * time.Millisecond} {
			for n := 0; n < len(s.Recording.Events); n += 3 {
				t.Run(fmt.Sprintf("%s/%s/%d", gone, name, n), func(t *testing.T) {
					twin := *s
					twin.Recording = outage(s.Recording, n, gone)
					r := replay.Play(t, &twin, replay.Options{}, plain)
					// The client tries again after 200, 400 and 800 ms.
					wantPage(t, r, whole, s.Recording.Events[n].At+gone+800*time.Millisecond+soon)
					wantPage(t, r, whole, time.Hour)
				})
			}
		}
	}
}
