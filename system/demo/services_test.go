package demo

import (
	"encoding/json"
	"testing"
	"time"

	"strowger/actors/clock/clocktest"
	"strowger/system/internal/hometest"
)

func TestClock(t *testing.T) {
	clock := clocktest.New()
	h := hometest.Start(t, Clock(Options{Clock: clock}), clock)
	const now = `{"time":"2027-01-15T08:00:00Z"}`
	if got := h.Answer(h.Ask(hometest.Person{}, "now", nil)); got.Code != 200 || inUTC(t, got.Payload) != now {
		t.Errorf("now is %+v", got)
	}
	for _, want := range []string{`{"time":"2027-01-15T08:00:01Z"}`, `{"time":"2027-01-15T08:00:02Z"}`} {
		clock.AwaitTimer(t, time.Second)
		clock.Advance(time.Second)
		if got := h.Broadcast("tick"); inUTC(t, got.Payload) != want {
			t.Errorf("tick is %s, want %s", got.Payload, want)
		}
	}
}

// inUTC writes a reading anew as if the machine were in Greenwich.
func inUTC(t *testing.T, payload string) string {
	t.Helper()
	var r reading
	if err := json.Unmarshal([]byte(payload), &r); err != nil {
		t.Fatal(err)
	}
	r.Time = r.Time.UTC()
	return string(marshal(t, r))
}

func startCalls(t *testing.T) *hometest.Home {
	t.Helper()
	clock := clocktest.New()
	return hometest.Start(t, Calls(Options{Clock: clock, Random: fair(1)}), clock)
}

// TestInProgress wants all calls of the beginning, and then one answer that is none.
func TestInProgress(t *testing.T) {
	h := startCalls(t)
	id := h.Ask(hometest.Person{}, "in.progress", map[string]any{})
	seen := map[string]bool{}
	for {
		got := h.Answer(id)
		if got.Code != 200 {
			t.Fatalf("got %+v", got)
		}
		if got.Topic == "in.progress" {
			if got.Payload != "null" && got.Payload != "" {
				t.Errorf("the end is %+v", got)
			}
			break
		}
		ch := readChannel(t, got)
		if ch.EventName != callState || got.Topic != callState || ch.UniqueID == "" {
			t.Errorf("got %+v", got)
		}
		seen[ch.UniqueID] = true
	}
	if len(seen) < 2*opening {
		t.Errorf("%d calls, want %d or more", len(seen), 2*opening)
	}
}

// TestEventsAreBroadcast lets the switch run until a call has ended.
func TestEventsAreBroadcast(t *testing.T) {
	h := startCalls(t)
	events := map[string]int{}
	for h.Clock.Now().Before(began.Add(30 * time.Second)) {
		h.Clock.AwaitTimer(t, step)
		h.Advance(step)
	}
	for events[destroyed] == 0 || events["HEARTBEAT"] == 0 || events[created] == 0 {
		got := h.Next("an event", func(s hometest.Said) bool { return s.RequestID == "" })
		if ch := readChannel(t, got); ch.EventName != got.Topic {
			t.Errorf("topic %s has event_name %s", got.Topic, ch.EventName)
		}
		events[got.Topic]++
	}
}

func readChannel(t *testing.T, s hometest.Said) channel {
	t.Helper()
	var ch channel
	if err := json.Unmarshal([]byte(s.Payload), &ch); err != nil {
		t.Fatalf("%+v: %v", s, err)
	}
	return ch
}

func TestHangupRequest(t *testing.T) {
	h := startCalls(t)
	id := h.Ask(hometest.Person{}, "in.progress", nil)
	var call channel
	for call.CallerContext != tenantA {
		call = readChannel(t, h.Answer(id))
	}
	extension, all, domain := call.ChannelPresenceID, []string{"call_active_all"}, []string{"call_active_domain"}
	tests := []struct {
		name    string
		who     hometest.Person
		payload any
		code    int
		answer  string
	}{
		{"other tenant", hometest.Person{Domain: tenantB, Permissions: domain}, map[string]string{"unique_id": call.UniqueID}, 404, `{"reason":"no such channel"}`},
		{"other extension", hometest.Person{Domain: tenantA, Extensions: []string{"9@x"}}, map[string]string{"unique_id": call.UniqueID}, 404, `{"reason":"no such channel"}`},
		{"nobody's", hometest.Person{Domain: tenantA, Permissions: domain}, map[string]string{"unique_id": "ffffffff-ffff-4fff-8fff-ffffffffffff"}, 404, `{"reason":"no such channel"}`},
		{"command", hometest.Person{Permissions: all}, map[string]string{"unique_id": call.UniqueID + "\n\napi system id"}, 400, `{"reason":"unique_id is no UUID"}`},
		{"number", hometest.Person{Permissions: all}, map[string]int{"unique_id": 1}, 400, `{"reason":"unique_id is no UUID"}`},
		{"nothing", hometest.Person{Permissions: all}, nil, 400, `{"reason":"unique_id is no UUID"}`},
		{"own extension", hometest.Person{Domain: tenantA, Extensions: []string{extension}}, map[string]string{"unique_id": call.UniqueID}, 200, `"+OK"`},
		{"own domain", hometest.Person{Domain: tenantA, Permissions: domain}, map[string]string{"unique_id": call.UniqueID}, 200, `"+OK"`},
		{"anybody's", hometest.Person{Domain: tenantB, Permissions: all}, map[string]string{"unique_id": call.UniqueID}, 200, `"+OK"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := h.Answer(h.Ask(test.who, "hangup", test.payload))
			if got.Code != test.code || got.Payload != test.answer {
				t.Errorf("got %+v, want %d %s", got, test.code, test.answer)
			}
		})
	}
}
