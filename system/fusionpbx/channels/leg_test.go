package channels

import (
	"slices"
	"strings"
	"testing"

	"strowger/system/fusionpbx/event"
)

// TestKnownLegs wants the legs of a call as the events told them, and to know when they may have parted to somebody's
// advantage.
func TestKnownLegs(t *testing.T) {
	tests := map[string]struct {
		events  []event.Payload
		uuid    string
		want    string
		trusted bool
	}{
		"none":              {nil, one, "", true},
		"alone":             {[]event.Payload{says(t, callState, one, answered, inA)}, one, "1111", true},
		"of one domain":     {[]event.Payload{says(t, callState, one, answered, inA), says(t, callState, two, answered, inA, other+one)}, one, "1111 2222", true},
		"seen from there":   {[]event.Payload{says(t, callState, one, answered, inA), says(t, callState, two, answered, inA, other+one)}, two, "1111 2222", true},
		"of two domains":    {[]event.Payload{says(t, callState, one, answered, inA), says(t, callState, two, answered, inB, other+one)}, one, "1111 2222", false},
		"from outside":      {[]event.Payload{says(t, callState, one, answered, "Caller-Context: public"), says(t, callState, two, answered, inA, other+one)}, one, "1111 2222", false},
		"with no domain":    {[]event.Payload{says(t, callState, one, answered, inA), says(t, callState, two, answered, other+one)}, one, "1111 2222", true},
		"another extension": {[]event.Payload{says(t, callState, one, answered, "Caller-Context: default", ofA), says(t, callState, two, answered, "Caller-Context: default", ofB, other+one)}, one, "1111 2222", false},
		"the same extension": {[]event.Payload{says(t, callState, one, answered, "Caller-Context: default", ofA), says(t, callState, two, answered, "Caller-Context: default", ofA, other+one)},
			one, "1111 2222", true},
		"of another call":     {[]event.Payload{says(t, callState, one, answered, inA), says(t, callState, two, answered, inA, other+three)}, one, "1111", true},
		"spelled in capitals": {[]event.Payload{says(t, callState, "aaaa"+one[4:], answered, inA)}, "AAAA" + one[4:], "aaaa", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := newModel()
			for _, p := range test.events {
				m.hear(p)
			}
			legs := m.legs(test.uuid)
			if got := names(legs); got != test.want || trusted(legs) != test.trusted {
				t.Errorf("legs %q, trusted %t, want %q, %t", got, trusted(legs), test.want, test.trusted)
			}
			leg, ok := m.leg(test.uuid)
			if ok != (test.want != "") || ok && leg != legs[0] {
				t.Errorf("the channel alone is %+v, %t", leg, ok)
			}
		})
	}
}

// names returns the legs' first digits, sorted.
func names(legs []Leg) string {
	var uuids []string
	for _, leg := range legs {
		uuids = append(uuids, leg.UUID[:4])
	}
	slices.Sort(uuids)
	return strings.Join(uuids, " ")
}

// TestListedLegs reads from lists that the switch has answered with who talks with whom.
func TestListedLegs(t *testing.T) {
	tests := map[string]struct {
		recording, at string // the first digits of a channel that the list must have
		uuid, want    string
	}{
		"a call that rings":          {"panel-transfer-attended", "856f", "3451", "3451 856f"},
		"a call that is answered":    {"calls-answered-caller-hangs", "f7ae", "f7ae", ""},
		"after a transfer":           {"panel-transfer-blind", "9deb", "9deb", "119b 9deb"},
		"an eavesdropper is no peer": {"calls-eavesdrop", "af54", "02e6", "02e6 7a41"},
		"the eavesdropper":           {"calls-eavesdrop", "af54", "af54", "af54"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := load(t, test.recording)
			for _, e := range r.Events {
				text, _ := r.Answer("show channels as json", e.At)
				rows, err := readList(text)
				if err != nil {
					t.Fatal(err)
				}
				list := List{Rows: rows}
				if i := slices.IndexFunc(rows, func(r Row) bool { return strings.HasPrefix(r.UUID, test.at) }); i < 0 {
					continue
				}
				i := slices.IndexFunc(rows, func(r Row) bool { return strings.HasPrefix(r.UUID, test.uuid) })
				if got := names(list.legs(rows[i].UUID)); test.want != "" && got != test.want || got == test.uuid && test.want == "" {
					t.Errorf("legs %q, want %q", got, test.want)
				}
				return
			}
			t.Errorf("no list has %s", test.at)
		})
	}
}
