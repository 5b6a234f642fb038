package event_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
)

func TestPayload(t *testing.T) {
	keys := event.NewKeys("event_name", "event_subclass", "api_command", "unique_id", "caller_caller_id_name", "secure", "xy")
	tests := map[string]struct{ text, want, name string }{
		"order and spelling": {
			"Event-Name: CHANNEL_CREATE\nUnique-ID: u\nCaller-Caller-ID-Name: Jo\nOther: 1\n\n",
			`{"event_name":"CHANNEL_CREATE","unique_id":"u","caller_caller_id_name":"Jo"}`, "CHANNEL_CREATE"},
		"order of the event, not of the list": {
			"Unique-ID: u\nEvent-Name: A\n\n", `{"unique_id":"u","event_name":"A"}`, "A"},
		"custom": {
			"Event-Subclass: valet_parking%3A%3Ainfo\nEvent-Name: CUSTOM\n\n",
			`{"event_subclass":"CUSTOM","event_name":"valet_parking::info"}`, "valet_parking::info"},
		"about an api command": {
			"Event-Name: API\nAPI-Command: conference\n\n", `{"event_name":"conference","api_command":"API"}`, "conference"},
		"about an api command, custom": {
			"Event-Name: A\nAPI-Command: B\nEvent-Subclass: C\n\n", `{"event_name":"C","api_command":"A","event_subclass":"B"}`, "C"},
		"empty subclass": {
			"Event-Name: A\nEvent-Subclass: \n\n", `{"event_name":"A","event_subclass":""}`, "A"},
		"last one counts, first place": {
			"Event-Name: A\nUnique-ID: 1\nSecure: s\nunique-id: 2\nUnique_ID: 3\n\n",
			`{"event_name":"A","unique_id":"3","secure":"s"}`, "A"},
		"header Name": {
			"Event-Name: A\nUnique-ID: 1\nName: B\n\n", `{"event_name":"B","unique_id":"1"}`, "B"},
		"odd characters in names": {
			"Event-Name: A\nX.Y: 1\n!: 2\n\n", `{"event_name":"A","xy":"1"}`, "A"},
		"values": {
			"Event-Name: A\nSecure:  a%20b%22%25+%0A \n\n", `{"event_name":"A","secure":"a b\"%+\u000a"}`, "A"},
		"Latin-1": {
			"Event-Name: A\nSecure: Zo%EB\nUnique-ID: M\xfcller\n\n", `{"event_name":"A","secure":"Zoë","unique_id":"Müller"}`, "A"},
		"UTF-8": {
			"Event-Name: A\nSecure: Zo%C3%AB\n\n", `{"event_name":"A","secure":"Zoë"}`, "A"},
		"bad percent codes": {
			"Event-Name: A\nSecure: 100%zz%4%\n\n", `{"event_name":"A","secure":"100%zz%4%"}`, "A"},
		"the body is no header": {
			"Event-Name: A\nContent-Length: 10\n\nSecure: no", `{"event_name":"A"}`, "A"},
		"no name": {"Secure: 1\n\n", `{"secure":"1"}`, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := keys.Payload(parse(t, test.text))
			if got := string(p.JSON()); got != test.want || p.Name() != test.name {
				t.Errorf("got %s, name %q\nwant %s", got, p.Name(), test.want)
			}
			if !json.Valid(p.JSON()) {
				t.Errorf("no JSON: %s", p.JSON())
			}
		})
	}
}

func TestSet(t *testing.T) {
	p := event.NewKeys("event_name", "secure").Payload(parse(t, "Event-Name: A\nSecure: 1\n\n"))
	p.Set("secure", `"`)
	p.Set("domain_name", "d")
	p.SetJSON("member_count", []byte("2"))
	p.SetJSON("domain_name", []byte("null"))
	if got, want := string(p.JSON()), `{"event_name":"A","secure":"\"","domain_name":null,"member_count":2}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if value, ok := p.Lookup("secure"); value != `"` || !ok {
		t.Errorf("got %q, %v", value, ok)
	}
	if value, ok := p.Lookup("nothing"); value != "" || ok || p.Get("event_name") != "A" || len(p.Fields()) != 4 {
		t.Errorf("got %q, %v", value, ok)
	}
}

// TestKeys wants each list to have the keys of its service.
func TestKeys(t *testing.T) {
	const text = "Event-Name: A\nApplication-Name: 1\nPlayback-File-Path: 1\nContent-Type: 1\nvariable_bridge_uuid: 1\nMember-ID: 1\nUnique-ID: 1\nAPI-Command-Argument: 1\n\n"
	tests := map[string]struct {
		keys *event.Keys
		want string
	}{
		"calls":             {event.Calls(), "event_name application_name playback_file_path content_type unique_id"},
		"conferences":       {event.Conferences(), "event_name playback_file_path content_type member_id unique_id api_command_argument"},
		"panel calls":       {event.PanelCalls(), "event_name variable_bridge_uuid unique_id"},
		"panel conferences": {event.PanelConferences(), "event_name member_id unique_id api_command_argument"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := test.keys.Payload(parse(t, text))
			var got []string
			for _, field := range p.Fields() {
				got = append(got, field.Key)
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestBadKeys(t *testing.T) {
	for name, keys := range map[string][]string{"too many": slices.Repeat([]string{"x"}, 129), "too long": {strings.Repeat("x", 64)}, "empty": {""}} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			event.NewKeys(keys...)
		})
	}
}

// FuzzPayload compares with the rules as the original has them, a step at a time.
func FuzzPayload(f *testing.F) {
	f.Add([]byte("Event-Name: CUSTOM\nEvent-Subclass: a\nName: x\nUnique-ID: 1\nUnique_Id: 2\nAPI-Command: b\n\n"))
	f.Add([]byte("Event-Name: A\nSecure: %E4%\n"))
	keys := event.NewKeys("event_name", "event_subclass", "api_command", "unique_id", "secure")
	f.Fuzz(func(t *testing.T, text []byte) {
		e, err := eventsocket.ParseEvent(text)
		if err != nil {
			return
		}
		p := keys.Payload(e)
		if got, want := string(p.JSON()), naive(e); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// naive does slowly what Payload does.
func naive(e *eventsocket.Event) string {
	name, command, subclass := e.Name(), e.Get("API-Command"), e.Get("Event-Subclass")
	if command != "" {
		name, command = command, name
	}
	if subclass != "" {
		name, subclass = subclass, name
	}
	replaced := map[string]string{"event_name": name, "api_command": command, "event_subclass": subclass}
	wanted := map[string]bool{"event_name": true, "event_subclass": true, "api_command": true, "unique_id": true, "secure": true}
	var order []string
	values := map[string]string{}
	for header, value := range e.All() {
		key := regexp.MustCompile(`[^a-z0-9_]`).ReplaceAllString(lower(strings.ReplaceAll(header, "-", "_")), "")
		if other, ok := replaced[key]; ok {
			value = other
		}
		if key == "name" {
			key = "event_name"
		}
		if !wanted[key] {
			continue
		}
		if _, ok := values[key]; !ok {
			order = append(order, key)
		}
		values[key] = value
	}
	parts := make([]string, len(order))
	for i, key := range order {
		p := event.Payload{}
		p.Set(key, values[key])
		text := string(p.JSON())
		parts[i] = text[1 : len(text)-1]
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// lower is for ASCII only, as PHP's strtolower.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func parse(t testing.TB, text string) *eventsocket.Event {
	t.Helper()
	e, err := eventsocket.ParseEvent([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return e
}
