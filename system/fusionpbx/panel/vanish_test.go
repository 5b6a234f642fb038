package panel

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// channelList is the switch's list of channels of a.example.com.
func channelList(uuids ...string) string {
	rows := make([]string, len(uuids))
	for i, uuid := range uuids {
		rows[i] = fmt.Sprintf(`{"uuid":%q,"callstate":"ACTIVE","context":"a.example.com"}`, uuid)
	}
	return fmt.Sprintf(`{"row_count":%d,"rows":[%s]}`, len(rows), strings.Join(rows, ","))
}

// TestSwitchVanishes has the switch go away in the middle of an event, and stay away for a while. Operators who act then
// are refused with a reason. When it is back pages are told what they have missed, and operators can act again.
func TestSwitchVanishes(t *testing.T) {
	x := &exchange{answer: func(command string, n int) (string, bool) {
		switch command {
		case "show channels as json":
			if n == 1 {
				return channelList(callA), true
			}
			return channelList(callC), true
		case showRegistrations:
			if n == 1 {
				return listOf("1005", "1010"), true
			}
			return listOf("1002", "1010"), true
		case listRooms:
			if n == 1 {
				return members("3001@a.example.com", false, `"id":6,"uuid":"u6"`), true
			}
			return members("3001@a.example.com", true, `"id":7,"uuid":"u7"`), true
		}
		return "", false
	}}
	const gone = 2 * time.Second
	lost := inRoom(gone, "mute-member", "Member-ID: 6", "Unique-ID: u6")
	lost.half = true
	away := sent{at: gone, refuse: 3 * time.Second}
	s := madeUp(t, told(time.Second, "Event-Name: CHANNEL_CALLSTATE", "Unique-ID: "+callB, "Caller-Context: a.example.com", "Answer-State: answered"), lost, away,
		register(20*time.Second, "1005"))
	requests := map[string][]any{
		"hangup": {"uuid", callA}, "transfer": {"uuid", callA, "destination", "1005"}, "record": {"uuid", callB}, "recording_state": {"uuids", []string{callB}},
		"eavesdrop": {"uuid", callA, "destination", "1005"}, "originate": {"source", "1002", "destination", "9666"}, "registrations_state": nil,
		"mute": {"conference_name", "3001@a.example.com", "member_id", "6"}, "volume_in": {"conference_name", "3001@a.example.com", "member_id", "6", "direction", "up"},
		"transfer_attended_complete": {"parked_uuid", callA, "operator_uuid", callB}, "transfer_attended_cancel": {"parked_uuid", callA},
		"agent_status": {"agent_name", "agent3", "status", "Available"},
	}
	during, after := map[string]string{}, map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(requests)) {
		a := do("operator", name, requests[name]...)
		during[s.Ask(t, gone+time.Second, a.client, Name, "action", a.payload)] = name
		if name == "mute" || name == "registrations_state" || name == "originate" {
			after[s.Ask(t, 10*time.Second, a.client, Name, "action", a.payload)] = name
		}
	}
	for _, topic := range []string{"calls_active", "conferences_active", "agents_active", "parked_active"} {
		during[s.Ask(t, gone+time.Second, "operator", Name, topic, map[string]any{})] = topic
		after[s.Ask(t, 10*time.Second, "operator", Name, topic, map[string]any{})] = topic
	}
	x.answer = answersTo(x.answer, "conference '3001@a.example.com' mute", "+OK mute 6\n")
	r := x.on(t, s, 10*time.Second, nil)
	for id, name := range during {
		replies := r.Replies(id)
		if len(replies) != 1 || replies[0].Field("status_code") != "503" || !strings.Contains(string(replies[0].Payload), "there is no connection to the switch") {
			t.Errorf("%s while the switch is away: answers %+v, want 503", name, replies)
		}
	}
	for id, name := range after {
		if replies := r.Replies(id); len(replies) != 1 || replies[0].Field("status_code") != "200" {
			t.Errorf("%s when the switch is back: answers %+v", name, replies)
		}
	}
	got := pushes(r, "channel_callstate channel_destroy "+topicRegistration+" "+roomTopic, "unique_id", "extension", "registered", keyMember)
	slices.Sort(got)
	want := []string{
		"add_member u7   7", "channel_callstate " + callB, "channel_callstate " + callC, "channel_destroy " + callA, "channel_destroy " + callB,
		"conference_create", "del_member u6   6", "lock", "registration_change  1002 true", "registration_change  1005 false", "registration_change  1005 true",
	}
	for i := range got { // a page that was refused the conferences is told of them like of new ones
		got[i] = strings.TrimRight(got[i], " ")
	}
	if !slices.Equal(got, want) {
		t.Errorf("pages were told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func answersTo(otherwise func(string, int) (string, bool), begin, text string) func(string, int) (string, bool) {
	return func(command string, n int) (string, bool) {
		if strings.HasPrefix(command, begin) {
			return text, true
		}
		return otherwise(command, n)
	}
}

// TestOddRooms has events of conferences that lack something or make no sense. The service goes on, and a page shows
// what is right of them.
func TestOddRooms(t *testing.T) {
	const latin1 = "Zo\xeb"
	at := func(n int) time.Duration { return time.Duration(n) * 300 * time.Millisecond }
	odd := func(n int, headers ...string) sent {
		return told(at(n), append([]string{"Event-Name: CUSTOM", "Event-Subclass: conference::maintenance"}, headers...)...)
	}
	s := madeUp(t,
		odd(1, "Action: conference-create"), odd(2, "Action: add-member", "Member-ID: 6", "Unique-ID: u6"),
		odd(3, "Action: lock"), odd(4, "Action: conference-destroy"), odd(5, "Conference-Name: 3001@a.example.com"),
		odd(6, "Conference-Name: @", "Action: conference-create"), odd(7, "Conference-Name: 3001@", "Action: add-member"),
		inRoom(at(8), "conference-create"), inRoom(at(9), "add-member", "Member-ID: many", "Unique-ID: u"), inRoom(at(10), "add-member", "Unique-ID: u"),
		inRoom(at(11), "mute-member", "Member-ID: 99"), inRoom(at(12), "del-member", "Member-ID: -1", "Conference-Size: lots"), inRoom(at(13), "floor-change"),
		odd(14, "Conference-Name: 3009@a.example.com", "Action: mute-member", "Member-ID: 6"), odd(15, "Conference-Name: 3009@a.example.com", "Action: conference-destroy"),
		odd(16, "Conference-Name: "+latin1+"@a.example.com", "Action: conference-create"),
		odd(17, "Conference-Name: "+latin1+"@a.example.com", "Action: add-member", "Member-ID: 5", "Unique-ID: u5", "Caller-Caller-ID-Name: J\xfcrgen"),
		cut(at(18)))
	list := `[{"conference_name":"3001@a.example.com","members":[]},{"conference_name":"` + latin1 + `@a.example.com","members":[{"id":5,"uuid":"u5","caller_id_name":"J` + "\xfc" + `rgen"}]}]`
	x := &exchange{answer: func(command string, n int) (string, bool) { return list, command == listRooms && n > 1 }}
	id := s.Ask(t, at(40), "operator", Name, "conferences_active", map[string]any{})
	r := x.on(t, s, 20*time.Second, nil)
	p := shown(t, r.Said, time.Hour)
	for key := range p {
		if !strings.Contains(key, "@a.example.com") || strings.HasSuffix(key, "member 99") {
			delete(p, key) // of no domain, which the policy shows to nobody; or of no member whom a page shows
		}
	}
	if want := "3001@a.example.com \nZoë@a.example.com \nZoë@a.example.com member 5 speaks true hears true"; p.String() != want {
		t.Errorf("a page shows\n%s\nwant\n%s", p, want)
	}
	if got := string(r.Replies(id)[0].Payload); !strings.Contains(got, `"conference_name":"Zoë@a.example.com"`) || !strings.Contains(got, "Jürgen") {
		t.Errorf("conferences_active is %s", got)
	}
	for _, client := range []string{"operator", "adminb"} {
		for _, got := range r.Received(t, client) {
			if !strings.Contains(got, "@a.example.com") || client == "adminb" {
				t.Errorf("%s gets %s", client, got)
			}
		}
	}
	if again := pushes(r, "conference_create", keyName); len(again) != 4 { // without a name, "@", 3001 and the one in Latin-1
		t.Errorf("conferences were announced: %q", again)
	}
}
