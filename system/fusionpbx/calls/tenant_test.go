package calls

import (
	"slices"
	"testing"
	"time"

	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/replay"
	"strowger/system/service"
)

// talking returns an answer of the switch with ofA of a and ofB of b, each with the call that it belongs to.
func talking(t *testing.T, callOfA, callOfB string) string {
	t.Helper()
	row := func(uuid, call, domain string) map[string]string {
		return map[string]string{"uuid": uuid, "call_uuid": call, "callstate": "ACTIVE", "context": domain, "presence_id": "1001@" + domain}
	}
	return jsonText(t, map[string]any{"row_count": 2, "rows": []any{row(ofA, callOfA, "a.example.com"), row(ofB, callOfB, "b.example.com")}})
}

// TestPeers has a call between two domains whose legs part: each goes on in its own domain, and no event says with whom
// it talks then. Until then each domain may act on both legs, and afterwards on its own alone.
func TestPeers(t *testing.T) {
	const together, apart = 1200 * time.Millisecond, 2200 * time.Millisecond
	tests := map[string]struct {
		at     time.Duration
		client string
		uuid   string
		status string
	}{
		"a on the other leg":            {together, "admin", ofB, "200"},
		"b on the other leg":            {together, "adminb", ofA, "200"},
		"a on its own leg":              {together, "admin", ofA, "200"},
		"a on what was its other leg":   {apart, "admin", ofB, "403"},
		"b on what was its other leg":   {apart, "adminb", ofA, "403"},
		"a on its own leg, later":       {apart, "admin", ofA, "200"},
		"b on its own leg, later":       {apart, "adminb", ofB, "200"},
		"one who sees all domains":      {apart, "super", ofB, "200"},
		"a on what the switch has lost": {apart + time.Second, "admin", ofB, "403"},
	}
	for name, test := range tests {
		for _, topic := range []string{"hangup", "eavesdrop"} {
			t.Run(topic+" by "+name, func(t *testing.T) {
				s := craft(t, map[int][]string{
					0: {
						happens("CHANNEL_CALLSTATE", ofA, "answered", inA, of1, "Other-Leg-Unique-ID: "+ofB),
						happens("CHANNEL_CALLSTATE", ofB, "answered", "Caller-Context: b.example.com", "Channel-Presence-ID: 1001@b.example.com", "Other-Leg-Unique-ID: "+ofA),
					},
					1900: {happens("CHANNEL_EXECUTE", ofA, "answered", inA, of1), happens("CHANNEL_EXECUTE", ofB, "answered", "Caller-Context: b.example.com")},
				}, [][2]any{{0, talking(t, ofA, ofA)}, {1900, talking(t, ofA, ofB)}, {3000, none}})
				payload := any(hangupOf(test.uuid))
				if topic == "eavesdrop" {
					payload = eavesdropOn(test.uuid)
				}
				id := s.Ask(t, test.at, test.client, Name, topic, payload)
				wantAnswer(t, replay.Play(t, s, replay.Options{}, plain), id, test.status, commandOf(topic, test.status, test.client, test.uuid))
			})
		}
	}
}

// commandOf returns the command that an answered request has sent to the switch.
func commandOf(topic, status, client, uuid string) string {
	switch {
	case status != "200":
		return ""
	case topic == "hangup":
		return "api uuid_kill " + uuid
	}
	return "bgapi originate {origination_caller_id_name=Eavesdrop,origination_caller_id_number=1001}user/1005@" + domain(client) + " &eavesdrop(" + uuid + ")"
}

// TestPeersUnknown has a switch that does not say who talks with whom. Nobody may act on the other leg then.
func TestPeersUnknown(t *testing.T) {
	s := craft(t, map[int][]string{0: {
		happens("CHANNEL_CALLSTATE", ofA, "answered", inA, of1, "Other-Leg-Unique-ID: "+ofB),
		happens("CHANNEL_CALLSTATE", ofB, "answered", "Caller-Context: b.example.com", "Other-Leg-Unique-ID: "+ofA),
	}}, [][2]any{{0, talking(t, ofA, ofA)}, {1000, "-ERR no"}})
	id := s.Ask(t, 1200*time.Millisecond, "admin", Name, "hangup", hangupOf(ofB))
	wantAnswer(t, replay.Play(t, s, replay.Options{}, plain), id, "503", "")
}

// TestNoEvents starts the service while the switch takes commands and sends no events. What the comparisons have found is
// then out of date at once, so the switch is asked whose a call is.
func TestNoEvents(t *testing.T) {
	s := craft(t, nil, [][2]any{
		{0, rows(t, [4]string{ofA, "ACTIVE", "a.example.com", "1001@a.example.com"})},
		{70_000, rows(t, [4]string{ofA, "ACTIVE", "b.example.com", "1001@b.example.com"})},
	})
	var ids []string
	for _, client := range []string{"admin", "adminb"} {
		ids = append(ids, s.Ask(t, 80*time.Second, client, Name, "hangup", hangupOf(ofA)))
	}
	r := replay.Play(t, s, replay.Options{}, func(sw replay.Switch) *service.Service {
		if _, err := sw.Events.Subscribe("another service", eventsocket.Match("Event-Name", "HEARTBEAT")); err != nil {
			t.Fatal(err) // the switch begins when somebody listens
		}
		return New(Options{Events: unconnected(t), Commands: sw.Commands})
	})
	for i, want := range []string{"403", "200"} {
		if answers := r.Replies(ids[i]); len(answers) != 1 || answers[0].Field("status_code") != want {
			t.Errorf("answers %+v, want one with %s", answers, want)
		}
	}
	if n := len(slices.DeleteFunc(slices.Clone(r.Commands), func(c string) bool { return c != "api uuid_kill "+ofA })); n != 1 {
		t.Errorf("the call was ended %d times, want once", n)
	}
}

// unconnected returns a client that has no connection.
func unconnected(t *testing.T) *eventsocket.Client {
	t.Helper()
	client, err := eventsocket.New(eventsocket.Options{Password: "ClueCon"})
	if err != nil {
		t.Fatal(err)
	}
	return client
}
