package calls

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"strowger/system/fusionpbx/replay"
	"strowger/system/fusionpbx/switchsim"
)

// Channels of the recording that craft makes.
const (
	ofA      = "aaaaaaaa-0000-4000-8000-000000000001" // 1001 of a
	ofB      = "bbbbbbbb-0000-4000-8000-000000000001" // 1001 of b
	peerOfA  = "cccccccc-0000-4000-8000-000000000001" // from outside, talks with ofA
	pageOfA  = "dddddddd-0000-4000-8000-000000000001" // in a context of all, its extension is of a
	nowhere  = "eeeeeeee-0000-4000-8000-000000000001" // does not exist
	spelledB = "BBBBBBBB-0000-4000-8000-000000000002" // of b, in capitals as some phones choose it
	setUpEnd = 100 * time.Millisecond
)

// craft returns a scenario with the events at their times in ms, and with the answers to "show channels as json".
func craft(t *testing.T, events map[int][]string, lists [][2]any) *replay.Scenario {
	t.Helper()
	s := replay.Load(t, testdata, "calls-idle")
	s.Lines = nil
	var lines []string
	times := []int{}
	for at := range events {
		times = append(times, at)
	}
	slices.Sort(times)
	for _, at := range times {
		for _, text := range events[at] {
			line := map[string]any{"t": at, "from": "switch", "conn": "events", "data": fmt.Sprintf("Content-Length: %d\nContent-Type: text/event-plain\n\n%s", len(text), text)}
			if ms, ok := strings.CutPrefix(text, "cut "); ok {
				line = map[string]any{"t": at, "conn": "all", "close_ms": len(ms)}
			}
			lines = append(lines, jsonText(t, line))
		}
	}
	files := fstest.MapFS{
		"x/switch.jsonl": {Data: []byte(strings.Join(lines, "\n"))},
		"x/api.json":     {Data: []byte(jsonText(t, map[string]any{"show channels as json": lists}))},
	}
	var err error
	if s.Recording, err = switchsim.Load(files, "x"); err != nil {
		t.Fatal(err)
	}
	return s
}

// happens returns an event. Each of more is a header.
func happens(name, uuid, answer string, more ...string) string {
	return fmt.Sprintf("Event-Name: %s\nUnique-ID: %s\nAnswer-State: %s\n%s\n\n", name, uuid, answer, strings.Join(more, "\n"))
}

// rows returns an answer of the switch with these channels, each UUID, state, context and extension.
func rows(t *testing.T, channels ...[4]string) string {
	t.Helper()
	list := []map[string]string{}
	for _, ch := range channels {
		list = append(list, map[string]string{"uuid": ch[0], "callstate": ch[1], "context": ch[2], "presence_id": ch[3]})
	}
	return jsonText(t, map[string]any{"row_count": len(list), "rows": list})
}

// twoDomains has a call of each domain, and channels whose domain must be found out.
func twoDomains(t *testing.T) *replay.Scenario {
	t.Helper()
	return craft(t, map[int][]string{0: {
		happens("CHANNEL_CALLSTATE", ofA, "answered", "Caller-Context: a.example.com", "Channel-Presence-ID: 1001@a.example.com"),
		happens("CHANNEL_CALLSTATE", ofB, "answered", "Caller-Context: b.example.com", "Channel-Presence-ID: 1001@b.example.com"),
		happens("CHANNEL_CALLSTATE", spelledB, "answered", "Caller-Context: b.example.com", "Channel-Presence-ID: 1002@b.example.com"),
		happens("CHANNEL_CALLSTATE", peerOfA, "answered", "Caller-Context: public", "Other-Leg-Unique-ID: "+ofA),
		happens("CHANNEL_CALLSTATE", pageOfA, "answered", "Caller-Context: default", "Channel-Presence-ID: 1005@a.example.com"),
	}}, [][2]any{{0, jsonText(t, map[string]any{"row_count": 5, "rows": []map[string]string{
		{"uuid": ofA, "call_uuid": peerOfA, "callstate": "ACTIVE", "context": "a.example.com", "presence_id": "1001@a.example.com"},
		{"uuid": ofB, "callstate": "ACTIVE", "context": "b.example.com", "presence_id": "1001@b.example.com"},
		{"uuid": spelledB, "callstate": "ACTIVE", "context": "b.example.com", "presence_id": "1002@b.example.com"},
		{"uuid": peerOfA, "call_uuid": peerOfA, "callstate": "ACTIVE", "context": "public"},
		{"uuid": pageOfA, "callstate": "ACTIVE", "context": "default", "presence_id": "1005@a.example.com"},
	}})}})
}

func hangupOf(uuid any) map[string]any { return map[string]any{"unique_id": uuid} }

func eavesdropOn(uuid string, change ...string) map[string]any {
	in := map[string]any{"unique_id": uuid, "origination_caller_id_name": "Eavesdrop", "origination_caller_contact": "1005",
		"caller_caller_id_number": "1001", "caller_destination_number": "1002"}
	for i := 0; i < len(change); i += 2 {
		in[change[i]] = change[i+1]
	}
	return in
}

const eavesdropCommand = "bgapi originate {origination_caller_id_name=Eavesdrop,origination_caller_id_number=1001}user/1005@a.example.com &eavesdrop(" + ofA + ")"

// TestRequests wants each request to be answered with a status, and to reach the switch as one command or not at all.
func TestRequests(t *testing.T) {
	tests := map[string]struct {
		client, topic string
		payload       any
		status        string
		command       string
	}{
		"hangup of an own call":             {"admin", "hangup", hangupOf(ofA), "200", "api uuid_kill " + ofA},
		"hangup of the other leg":           {"admin", "hangup", hangupOf(peerOfA), "200", "api uuid_kill " + peerOfA},
		"hangup by the extension's domain":  {"admin", "hangup", hangupOf(pageOfA), "200", "api uuid_kill " + pageOfA},
		"hangup of a foreign call":          {"admin", "hangup", hangupOf(ofB), "403", ""},
		"hangup of a foreign call, spelled": {"admin", "hangup", hangupOf(strings.ToUpper(ofB)), "403", ""},
		"hangup of a call in capitals":      {"admin", "hangup", hangupOf(spelledB), "403", ""},
		"the same, spelled":                 {"admin", "hangup", hangupOf(strings.ToLower(spelledB)), "403", ""},
		"hangup in capitals by its domain":  {"adminb", "hangup", hangupOf(spelledB), "200", "api uuid_kill " + spelledB},
		"eavesdrop in capitals":             {"admin", "eavesdrop", eavesdropOn(spelledB), "403", ""},
		"hangup of a call of a by b":        {"adminb", "hangup", hangupOf(ofA), "403", ""},
		"hangup of a's other leg by b":      {"adminb", "hangup", hangupOf(peerOfA), "403", ""},
		"hangup of a's extension by b":      {"adminb", "hangup", hangupOf(pageOfA), "403", ""},
		"hangup by one who sees all":        {"super", "hangup", hangupOf(ofB), "200", "api uuid_kill " + ofB},
		"hangup of no call":                 {"admin", "hangup", hangupOf(nowhere), "200", ""},
		"the same by one who sees all":      {"super", "hangup", hangupOf(nowhere), "200", "api uuid_kill " + nowhere},
		"eavesdrop on no call":              {"admin", "eavesdrop", eavesdropOn(nowhere), "404", ""},
		"hangup without permission":         {"viewer", "hangup", hangupOf(ofA), "403", ""},
		"hangup with a command":             {"super", "hangup", hangupOf(ofA + "\n\napi system id"), "400", ""},
		"hangup with an argument":           {"super", "hangup", hangupOf(ofA + " NORMAL_CLEARING"), "400", ""},
		"hangup with a line end":            {"super", "hangup", hangupOf(ofA + "\n"), "400", ""},
		"hangup of a list":                  {"super", "hangup", hangupOf([]string{ofA}), "400", ""},
		"hangup of a number":                {"super", "hangup", hangupOf(7), "400", ""},
		"hangup of nothing":                 {"super", "hangup", nil, "400", ""},
		"hangup of a text":                  {"super", "hangup", ofA, "400", ""},
		"eavesdrop on an own call":          {"admin", "eavesdrop", eavesdropOn(ofA), "200", eavesdropCommand},
		"eavesdrop with numbers":            {"admin", "eavesdrop", map[string]any{"unique_id": ofA, "origination_caller_id_name": "Eavesdrop", "origination_caller_contact": 1005, "caller_caller_id_number": 1001}, "200", eavesdropCommand},
		"eavesdrop with spaces at the end":  {"admin", "eavesdrop", eavesdropOn(ofA, "origination_caller_id_name", " Eavesdrop "), "200", eavesdropCommand},
		"eavesdrop without a number":        {"admin", "eavesdrop", eavesdropOn(ofA, "caller_caller_id_number", ""), "200", strings.Replace(eavesdropCommand, "number=1001", "number=", 1)},
		"eavesdrop with a name of letters":  {"admin", "eavesdrop", eavesdropOn(ofA, "origination_caller_id_name", "Zoë Müller ½"), "200", strings.Replace(eavesdropCommand, "name=Eavesdrop", "name=Zoë Müller ½", 1)},
		"eavesdrop on a foreign call":       {"admin", "eavesdrop", eavesdropOn(ofB), "403", ""},
		"eavesdrop by one who sees all":     {"super", "eavesdrop", eavesdropOn(ofB), "200", strings.Replace(eavesdropCommand, ofA, ofB, 1)},
		"eavesdrop without permission":      {"viewer", "eavesdrop", eavesdropOn(ofA), "403", ""},
		"eavesdrop without anything":        {"admin", "eavesdrop", nil, "400", ""},
		"list of calls without permission":  {"nobody", "in.progress", nil, "403", ""},
		"a topic that nobody handles":       {"super", "in.progres", nil, "404", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := twoDomains(t)
			id := s.Ask(t, setUpEnd, test.client, Name, test.topic, test.payload)
			wantAnswer(t, replay.Play(t, s, replay.Options{}, plain), id, test.status, test.command)
		})
	}
}

// TestInjection puts what would be another command, argument or variable into each field of eavesdrop.
func TestInjection(t *testing.T) {
	evil := []string{"\n\napi system id", "1\n", "\r\n", "1 2", "1,2", "1}2", "{x=y}", "a'b", `a"b`, "a%0Ab", "a&b", "a(b)", "a|b", "a$b", "a\x00b", "a;b", "a=b", "[x]", "a\u2028b", "^^:x"}
	s := twoDomains(t)
	at := setUpEnd
	var ids []string
	for field := range eavesdropOn(ofA) {
		for _, text := range evil {
			if text == "1 2" && field == "origination_caller_id_name" {
				continue // a name may have spaces
			}
			at += time.Millisecond
			ids = append(ids, s.Ask(t, at, "super", Name, "eavesdrop", eavesdropOn(ofA, field, text)))
		}
	}
	r := replay.Play(t, s, replay.Options{}, plain)
	for _, id := range ids {
		wantAnswer(t, r, id, "400", "")
	}
}

// wantAnswer wants one answer with the status and, besides lists of channels, one command or none.
func wantAnswer(t *testing.T, r *replay.Result, id, status, command string) {
	t.Helper()
	answers := r.Replies(id)
	if len(answers) != 1 || answers[0].Field("status_code") != status {
		t.Fatalf("answers %+v, want one with %s", answers, status)
	}
	if status >= "400" && !(status == "404" && string(answers[0].Payload) == "null") && !strings.HasPrefix(string(answers[0].Payload), `{"reason":`) {
		t.Errorf("payload %s gives no reason", answers[0].Payload)
	}
	var want []string
	if command != "" {
		want = []string{command}
	}
	got := slices.DeleteFunc(slices.Clone(r.Commands), func(c string) bool { return c == "api show channels as json" })
	if !slices.Equal(got, want) {
		t.Errorf("the switch got %q, want %q", got, want)
	}
}

// TestStranger wants the switch to be asked whose a call is that the service has not heard of because it has missed
// events.
func TestStranger(t *testing.T) {
	for status, client := range map[string]string{"200": "admin", "403": "adminb"} {
		t.Run(client, func(t *testing.T) {
			lists := [][2]any{{0, `{"row_count":0}`}, {1000, rows(t, [4]string{ofA, "ACTIVE", "a.example.com", ""})}}
			s := craft(t, map[int][]string{1100: {"cut " + strings.Repeat("x", 50)}}, lists)
			id := s.Ask(t, 1200*time.Millisecond, client, Name, "hangup", hangupOf(ofA))
			r := replay.Play(t, s, replay.Options{}, plain)
			if answers := r.Replies(id); len(answers) != 1 || answers[0].Field("status_code") != status && answers[0].Field("status_code") != "503" {
				t.Errorf("answers %+v, want one with %s", answers, status)
			}
			kills := slices.Contains(r.Commands, "api uuid_kill "+ofA)
			if status == "403" && kills {
				t.Error("a foreign call was ended")
			}
		})
	}
}
