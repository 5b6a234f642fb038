package channels

import (
	"cmp"
	"fmt"
	"strings"
	"testing"

	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
)

const (
	one   = "11111111-0000-4000-8000-000000000001"
	two   = "22222222-0000-4000-8000-000000000002"
	three = "33333333-0000-4000-8000-000000000003"

	inA   = "Caller-Context: a.example.com"
	inB   = "Caller-Context: b.example.com"
	ofA   = "Channel-Presence-ID: 1001@a.example.com"
	ofB   = "Channel-Presence-ID: 1001@b.example.com"
	other = "Other-Leg-Unique-ID: "
)

// says returns what pages are told of an event. Each of more is a header.
func says(t *testing.T, name, uuid, answer string, more ...string) event.Payload {
	t.Helper()
	text := fmt.Sprintf("Event-Name: %s\nUnique-ID: %s\nAnswer-State: %s\n%s\n\n", name, uuid, answer, strings.Join(more, "\n"))
	e, err := eventsocket.ParseEvent([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return event.Calls().Payload(e)
}

// TestEvents has the model hear of some events. It then knows the channels that pages show, and whose they are.
func TestEvents(t *testing.T) {
	state := func(uuid, answer string, more ...string) event.Payload {
		return says(t, callState, uuid, answer, more...)
	}
	tests := map[string]struct {
		events []event.Payload
		want   string
		late   bool // the last event is the switch's last of a channel that pages still show
	}{
		"a call rings":           {[]event.Payload{state(one, ringing, inA, ofA)}, "1111 ringing a.example.com 1001@a.example.com", false},
		"a call is answered":     {[]event.Payload{state(one, ringing, inA), state(one, answered, inA)}, "1111 answered a.example.com", false},
		"an event without state": {[]event.Payload{says(t, "CHANNEL_CREATE", one, ringing, inA)}, "1111  a.example.com  hidden", false},
		"only CHANNEL_CALLSTATE says the state": {[]event.Payload{state(one, ringing, inA), says(t, "CHANNEL_EXECUTE", one, answered, inA)},
			"1111 ringing a.example.com", false},
		"the domain changes": {[]event.Payload{state(one, ringing, "Caller-Context: public"), says(t, "CHANNEL_EXECUTE", one, ringing, inA)},
			"1111 ringing a.example.com", false},
		"an event without a domain": {[]event.Payload{state(one, ringing, inA, ofA), state(one, answered)},
			"1111 answered a.example.com 1001@a.example.com", false},
		"a call hangs up":            {[]event.Payload{state(one, answered, inA), state(one, hungUp)}, "1111 hangup a.example.com  ended", false},
		"a call is over":             {[]event.Payload{state(one, answered, inA), state(one, hungUp), says(t, destroy, one, hungUp)}, "", false},
		"events after the end":       {[]event.Payload{state(one, answered), state(one, hungUp), says(t, destroy, one, hungUp), says(t, "PLAYBACK_STOP", one, hungUp)}, "", false},
		"the end of an unknown call": {[]event.Payload{state(one, hungUp), says(t, destroy, one, hungUp)}, "", false},
		"a call that was never shown ends": {[]event.Payload{says(t, "CHANNEL_CREATE", one, ringing), says(t, destroy, one, hungUp)},
			"", false},
		"no hangup": {[]event.Payload{state(one, answered, inA), says(t, destroy, one, hungUp)}, "1111 answered a.example.com  destroyed", true},
		"the hangup comes last": {[]event.Payload{state(one, answered, inA), says(t, destroy, one, hungUp), state(one, hungUp)},
			"", false},
		"each event twice": {[]event.Payload{state(one, ringing, inA), state(one, ringing, inA), state(one, hungUp), state(one, hungUp),
			says(t, destroy, one, hungUp), says(t, destroy, one, hungUp)}, "", false},
		"no channel":             {[]event.Payload{says(t, "HEARTBEAT", "", "")}, "", false},
		"a UUID that comes back": {[]event.Payload{state(one, hungUp), says(t, destroy, one, hungUp), state(one, ringing, inB)}, "1111 ringing b.example.com", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := newModel()
			var late *Channel
			for _, p := range test.events {
				late = m.hear(p)
			}
			if got := m.String(); got != test.want {
				t.Errorf("the model knows\n%s\nwant\n%s", got, test.want)
			}
			if (late != nil) != test.late {
				t.Errorf("the end is missing: %t, want %t", late != nil, test.late)
			}
			if late != nil && (!m.end(late) || m.end(late) || m.String() != "") {
				t.Errorf("the end was not noted once; the model knows %s", m)
			}
		})
	}
}

// TestWhole has a page that takes the state from each event and shows a call until its very end.
func TestWhole(t *testing.T) {
	m := newModel()
	m.whole = true
	for _, p := range []event.Payload{says(t, "CHANNEL_CREATE", one, ringing, inA), says(t, "CHANNEL_EXECUTE", one, answered), says(t, callState, one, hungUp)} {
		m.hear(p)
	}
	if got, want := m.String(), "1111 hangup a.example.com"; got != want {
		t.Errorf("the model knows %s, want %s", got, want)
	}
	if late := m.hear(says(t, destroy, one, hungUp)); late != nil || m.String() != "" {
		t.Errorf("after the end the model knows %s, and misses %v", m, late)
	}
}

// TestDifferences compares what pages know with lists of the switch.
func TestDifferences(t *testing.T) {
	talks := says(t, callState, one, answered, inA, ofA)
	rings := says(t, callState, one, ringing, inA, ofA)
	row := func(uuid, state, context string) Row { return Row{UUID: uuid, State: state, Context: context} }
	tests := map[string]struct {
		before, since []event.Payload // until the switch was asked, and after it
		rows          []Row
		all           bool
		ended, others string
	}{
		"nothing":            {nil, nil, nil, false, "", ""},
		"the same":           {[]event.Payload{talks}, nil, []Row{row(one, "ACTIVE", "a.example.com")}, false, "", ""},
		"pages know nothing": {[]event.Payload{talks}, nil, []Row{row(one, "ACTIVE", "a.example.com")}, true, "", "1111"},
		"pages know nothing, and more happened since": {nil, []event.Payload{talks}, []Row{row(one, "RINGING", "a.example.com")}, true, "", "1111"},
		"a new call":                  {[]event.Payload{talks}, nil, []Row{row(one, "ACTIVE", "a.example.com"), row(two, "RINGING", "b.example.com")}, false, "", "2222"},
		"a call has ended":            {[]event.Payload{talks}, nil, nil, false, "1111", ""},
		"an answer was missed":        {[]event.Payload{rings}, nil, []Row{row(one, "ACTIVE", "a.example.com")}, false, "", "1111"},
		"the list has an older state": {[]event.Payload{talks}, nil, []Row{row(one, "RINGING", "a.example.com")}, false, "", ""},
		"another domain":              {[]event.Payload{talks}, nil, []Row{row(one, "ACTIVE", "b.example.com")}, false, "", "1111"},
		"a list without domains":      {[]event.Payload{talks}, nil, []Row{row(one, "ACTIVE", "")}, false, "", ""},
		"a call that began since":     {nil, []event.Payload{talks}, nil, false, "", ""},
		"a call that ended since":     {[]event.Payload{talks}, []event.Payload{says(t, callState, one, hungUp)}, []Row{row(one, "ACTIVE", "a.example.com")}, false, "", ""},
		"a call that was over since": {[]event.Payload{talks}, []event.Payload{says(t, callState, one, hungUp), says(t, destroy, one, hungUp)},
			[]Row{row(one, "ACTIVE", "a.example.com")}, false, "", ""},
		"an unknown call that was over since": {nil, []event.Payload{says(t, destroy, one, hungUp)}, []Row{row(one, "ACTIVE", "a.example.com")}, false, "", ""},
		"a domain that changed since": {[]event.Payload{says(t, callState, one, answered, inB)}, []event.Payload{talks},
			[]Row{row(one, "ACTIVE", "b.example.com")}, false, "", ""},
		"a call that pages do not show yet": {[]event.Payload{says(t, "CHANNEL_CREATE", one, ringing, inA)}, nil, []Row{row(one, "RINGING", "a.example.com")}, false, "", "1111"},
		"a call that has hung up":           {[]event.Payload{talks, says(t, callState, one, hungUp)}, nil, []Row{row(one, "ACTIVE", "a.example.com")}, false, "", ""},
		"a call that pages have removed":    {[]event.Payload{talks, says(t, callState, one, hungUp)}, nil, nil, false, "", ""},
		"a channel with another UUID now":   {[]event.Payload{talks}, nil, []Row{row(two, "ACTIVE", "a.example.com")}, false, "1111", "2222"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := &Watch{known: newModel()}
			for _, p := range test.before {
				w.known.hear(p)
			}
			now := List{Rows: test.rows, since: w.known.begin()}
			for _, p := range test.since {
				w.known.hear(p)
			}
			found := w.differences(now, test.all)
			var ended, others []string
			for _, ch := range found.ended {
				ended = append(ended, ch.uuid[:4])
			}
			for _, r := range found.rows {
				others = append(others, r.UUID[:4])
			}
			if got := strings.Join(ended, " "); got != test.ended {
				t.Errorf("ended: %q, want %q", got, test.ended)
			}
			if got := strings.Join(others, " "); got != test.others {
				t.Errorf("others: %q, want %q", got, test.others)
			}
			only, none := found.only(found), found.only(differences{})
			if len(only.ended) != len(found.ended) || len(only.rows) != len(found.rows) || !none.empty() {
				t.Error("differences that last are not those that were there")
			}
			w.known.settle(found, now)
			now.since = w.known.begin()
			if again := w.differences(now, false); len(test.since) == 0 && !again.empty() {
				t.Errorf("still %d channels ended and %d others", len(again.ended), len(again.rows))
			}
		})
	}
}

// TestNewer has pages that know nothing told of a call, while an event says that it is on hold.
func TestNewer(t *testing.T) {
	for state, listed := range map[string]string{"HELD": "ACTIVE", "ACTIVE": "HELD", "": "ACTIVE"} {
		w := &Watch{known: newModel()}
		w.known.hear(says(t, callState, one, ringing, inA))
		now := List{Rows: []Row{{UUID: one, State: listed}}, since: w.known.begin()}
		w.known.hear(says(t, callState, one, answered, inA, "Channel-Call-State: "+state))
		found := w.differences(now, true)
		want := cmp.Or(state, listed)
		if len(found.rows) != 1 || found.rows[0].State != want {
			t.Errorf("pages are told %+v, want the state %s", found.rows, want)
		}
	}
}

// TestGoneIsForgotten has channels end while lists of the switch follow each other without a break. Only those are kept that
// ended since the last list was asked for.
func TestGoneIsForgotten(t *testing.T) {
	m := newModel()
	for range 100 {
		m.begin()
		m.hear(says(t, callState, one, hungUp))
		m.begin()
		m.hear(says(t, callState, two, hungUp))
	}
	if len(m.gone) != 1 || !m.gone[two] {
		t.Errorf("it is noted that %v ended", m.gone)
	}
}

// TestGhosts has channels that hung up and whose last event was missed. They are forgotten when the switch does not list
// them any more.
func TestGhosts(t *testing.T) {
	w := &Watch{known: newModel()}
	for _, uuid := range []string{one, two} {
		w.known.hear(says(t, callState, uuid, answered, inA))
		w.known.hear(says(t, callState, uuid, hungUp))
	}
	now := List{Rows: []Row{{UUID: one, State: "ACTIVE"}}, since: w.known.begin()}
	w.known.settle(w.differences(now, false), now)
	if got, want := w.known.String(), "1111 hangup a.example.com  ended"; got != want {
		t.Errorf("the model knows\n%s\nwant\n%s", got, want)
	}
}

// TestEnd wants the payload that takes a call from pages to say whose it was.
func TestEnd(t *testing.T) {
	m := newModel()
	m.hear(says(t, callState, one, answered, inA, ofA, "Channel-Call-State: ACTIVE", "Caller-Destination-Number: 1002"))
	const want = `{"event_name":"CHANNEL_CALLSTATE","unique_id":"` + one + `","answer_state":"hangup","channel_call_state":"HANGUP",` +
		`"caller_context":"a.example.com","caller_destination_number":"1002","channel_presence_id":"1001@a.example.com"}`
	if got := string(m.channels[one].End(callState)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestMemory wants the next life of a service to know what the last one did, and to share nothing with it.
func TestMemory(t *testing.T) {
	memory := new(Memory)
	first, crashed := memory.take()
	first.hear(says(t, callState, one, answered, inA))
	if crashed {
		t.Error("the first life follows a crash")
	}
	second, crashed := memory.take()
	first.hear(says(t, callState, one, hungUp))
	first.hear(says(t, callState, two, answered, inB))
	if got, want := second.String(), "1111 answered a.example.com"; got != want || !crashed {
		t.Errorf("crashed: %t, the second life knows\n%s\nwant\n%s", crashed, got, want)
	}
	if second.events != 1 {
		t.Errorf("%d events, want 1", second.events)
	}
}
