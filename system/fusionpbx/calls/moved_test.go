package calls

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"strowger/system/fusionpbx/replay"
)

const (
	inB      = "Caller-Context: b.example.com"
	inPublic = "Caller-Context: public"
)

// pageOf returns what the page of a client shows at the end.
func pageOf(t *testing.T, r *replay.Result, client string) string {
	t.Helper()
	p := page{}
	for _, text := range r.Received(t, client) {
		var e struct {
			Name    string `json:"event_name"`
			UUID    string `json:"unique_id"`
			Answer  string `json:"answer_state"`
			Context string `json:"caller_context"`
		}
		_, payload, _ := strings.Cut(text, " ")
		if err := json.Unmarshal([]byte(payload), &e); err != nil {
			t.Fatal(err)
		}
		p.apply(e.Name, e.UUID, e.Answer, e.Context)
	}
	return shorten(p.String())
}

// TestMoved has events that pages would be wrong by: of calls that come to another tenant, of calls that have ended, of two calls
// with one UUID, and events that lack something. It looks at what the pages of each tenant show in the end, and at that of one
// who sees all.
func TestMoved(t *testing.T) {
	const state, execute, destroy = "CHANNEL_CALLSTATE", "CHANNEL_EXECUTE", "CHANNEL_DESTROY"
	a := happens(state, ofA, "answered", inA, of1)
	b := happens(state, ofB, "answered", inB)
	tests := map[string]struct {
		events      []string
		list        string // of the switch, at the end
		a, b, super string
	}{
		"to another tenant": {[]string{a, happens(state, ofA, "answered", inB)}, rows(t, [4]string{ofA, "ACTIVE", "b.example.com"}),
			"", "aaaaaaaa answered in b.example.com", "aaaaaaaa answered in b.example.com"},
		"to another tenant by another event": {[]string{a, happens(execute, ofA, "answered", inB)}, rows(t, [4]string{ofA, "ACTIVE", "b.example.com"}),
			"", "aaaaaaaa answered in b.example.com", "aaaaaaaa answered in b.example.com"},
		"to another tenant and back": {[]string{a, happens(execute, ofA, "answered", inB), happens(execute, ofA, "answered", inA)}, rows(t, [4]string{ofA, "ACTIVE", "a.example.com"}),
			"aaaaaaaa answered in a.example.com", "", "aaaaaaaa answered in a.example.com"},
		"to no tenant": {[]string{a, happens(execute, ofA, "answered", inPublic)}, rows(t, [4]string{ofA, "ACTIVE", "public"}),
			"", "", "aaaaaaaa answered in public"},
		"from no tenant": {[]string{happens(state, ofA, "ringing", inPublic), happens(state, ofA, "answered", inA)}, rows(t, [4]string{ofA, "ACTIVE", "a.example.com"}),
			"aaaaaaaa answered in a.example.com", "", "aaaaaaaa answered in a.example.com"},
		"to another tenant to end there":  {[]string{a, happens(state, ofA, "hangup", inB), happens(destroy, ofA, "hangup", inB)}, none, "", "", ""},
		"to another tenant, seen in time": {[]string{a}, rows(t, [4]string{ofA, "ACTIVE", "b.example.com"}), "", "aaaaaaaa answered in b.example.com", "aaaaaaaa answered in b.example.com"},
		"bridged with another tenant's": {[]string{a, happens(state, ofB, "answered", inB, "Other-Leg-Unique-ID: "+ofA), happens(state, ofA, "answered", inA, "Other-Leg-Unique-ID: "+ofB),
			happens(state, ofB, "hangup", inB), happens(destroy, ofB, "hangup", inB)}, rows(t, [4]string{ofA, "ACTIVE", "a.example.com"}),
			"aaaaaaaa answered in a.example.com", "", "aaaaaaaa answered in a.example.com"},
		"answered after it has hung up": {[]string{a, happens(state, ofA, "hangup", inA), happens(state, ofA, "answered", inA)}, none, "", "", ""},
		"answered after its end":        {[]string{a, happens(state, ofA, "hangup", inA), happens(destroy, ofA, "hangup", inA), happens(state, ofA, "answered", inA)}, none, "", "", ""},
		"answered after its end, of nobody": {[]string{a, happens(state, ofA, "hangup", inA), happens(destroy, ofA, "hangup", inA), happens(state, ofA, "answered")},
			none, "", "", ""},
		"its UUID comes again": {[]string{a, happens(state, ofA, "hangup", inA), happens(destroy, ofA, "hangup", inA),
			happens("CHANNEL_CREATE", ofA, "ringing", inB), happens(state, ofA, "ringing", inB)}, rows(t, [4]string{ofA, "RINGING", "b.example.com"}),
			"", "aaaaaaaa ringing in b.example.com", "aaaaaaaa ringing in b.example.com"},
		"one UUID at two tenants": {[]string{a, happens("CHANNEL_CREATE", ofA, "ringing", inB), happens(state, ofA, "ringing", inB), happens(state, ofA, "answered", inA),
			happens(state, ofA, "hangup", inA), happens(destroy, ofA, "hangup", inA), happens(state, ofA, "answered", inB)}, rows(t, [4]string{ofA, "ACTIVE", "b.example.com"}),
			"", "aaaaaaaa answered in b.example.com", "aaaaaaaa answered in b.example.com"},
		"no Answer-State": {[]string{"Event-Name: " + state + "\nUnique-ID: " + ofA + "\nChannel-Call-State: ACTIVE\n" + inA + "\n\n", b,
			"Event-Name: " + state + "\nUnique-ID: " + ofB + "\nChannel-Call-State: HANGUP\n\n"}, rows(t, [4]string{ofA, "ACTIVE", "a.example.com"}),
			"aaaaaaaa answered in a.example.com", "", "aaaaaaaa answered in a.example.com"},
		"a hangup without UUID": {[]string{a, b, "Event-Name: " + state + "\nAnswer-State: hangup\n" + inB + "\n\n"}, rows(t, [4]string{ofA, "ACTIVE", "a.example.com"}),
			"aaaaaaaa answered in a.example.com", "", "aaaaaaaa answered in a.example.com"},
		"events that no switch has": {[]string{a, "Event-Name: CHANNEL_MIRACLE\nUnique-ID: " + ofA + "\n" + inB + "\n\n", "Event-Name: \n\n", "Unique-ID: " + ofA + "\n" + inB + "\n\n"},
			rows(t, [4]string{ofA, "ACTIVE", "a.example.com"}), "aaaaaaaa answered in a.example.com", "", "aaaaaaaa answered in a.example.com"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			events, lists := map[int][]string{}, [][2]any{{0, none}, {1000 + 10*len(test.events), test.list}}
			for i, e := range test.events {
				events[1000+10*i] = []string{e}
			}
			after := 2 * time.Second // all is right before the comparison of each minute
			if name == "to another tenant, seen in time" {
				after = time.Minute
			}
			r := replay.Play(t, craft(t, events, lists), replay.Options{After: after}, plain)
			for client, want := range map[string]string{"admin": test.a, "adminb": test.b, "super": test.super} {
				if got := pageOf(t, r, client); got != want {
					t.Errorf("%s sees\n%s\nwant\n%s", client, got, want)
				}
			}
		})
	}
}
