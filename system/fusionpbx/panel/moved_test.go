package panel

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"strowger/system/fusionpbx/replay"
)

// pageOf returns what the page of a client shows in the end.
func pageOf(t *testing.T, r *replay.Result, client string) string {
	t.Helper()
	p := page{}
	for _, text := range r.Received(t, client) {
		var payload map[string]any
		topic, rest, _ := strings.Cut(text, " ")
		if json.Unmarshal([]byte(rest), &payload) != nil {
			continue
		}
		p.apply(topic, func(key string) string {
			if value, ok := payload[key]; ok {
				return fmt.Sprint(value)
			}
			return ""
		})
	}
	return p.String()
}

// TestMoved has events that pages would be wrong by: of calls that come to another tenant or whose UUID comes again, of members
// that come and go in the wrong order, and events that do not say what they are about. It looks at what the pages of each tenant
// show a few seconds later.
func TestMoved(t *testing.T) {
	const ofA, ofB, inA, inB = "Channel-Presence-ID: 1001@a.example.com", "Channel-Presence-ID: 1001@b.example.com", "Caller-Context: a.example.com", "Caller-Context: b.example.com"
	n := 0
	call := func(name, uuid, answer string, more ...string) sent {
		n++
		return told(time.Duration(n)*20*time.Millisecond, append([]string{"Event-Name: " + name, "Unique-ID: " + uuid, "Answer-State: " + answer}, more...)...)
	}
	room := func(action string, more ...string) sent {
		n++
		return inRoom(time.Duration(n)*20*time.Millisecond, action, more...)
	}
	phone := func(what string, headers ...string) sent {
		n++
		return told(time.Duration(n)*20*time.Millisecond, append([]string{"Event-Name: CUSTOM", "Event-Subclass: sofia::" + what}, headers...)...)
	}
	const create, state, update, destroy = "CHANNEL_CREATE", "CHANNEL_CALLSTATE", "CALL_UPDATE", "CHANNEL_DESTROY"
	list := func(domain string) string {
		return fmt.Sprintf(`{"row_count":1,"rows":[{"uuid":%q,"callstate":"ACTIVE","context":%q}]}`, callA, domain)
	}
	const noRooms, room3001 = "[]", "3001@a.example.com "
	tests := map[string]struct {
		events   []sent
		channels string // the switch's lists after the events
		rooms    string
		phones   string
		a, b     string
	}{
		"to another tenant": {[]sent{call(create, callA, "ringing", inA), call(state, callA, "answered", inA), call(state, callA, "answered", inB)},
			list("b.example.com"), noRooms, listOf(), "", callA + " answered"},
		"to another tenant by an update": {[]sent{call(state, callA, "answered", inA), call(update, callA, "answered", inB)},
			list("b.example.com"), noRooms, listOf(), "", callA + " answered"},
		"to another context with its extension": {[]sent{call(state, callA, "answered", inA, ofA), call(update, callA, "answered", inB)},
			list("b.example.com"), noRooms, listOf(), callA + " answered", ""},
		"from outside": {[]sent{call(state, callA, "ringing", "Caller-Context: public"), call(state, callA, "answered", inA)},
			list("a.example.com"), noRooms, listOf(), callA + " answered", ""},
		"bridged with another tenant's": {[]sent{call(state, callA, "answered", inA, ofA, "variable_bridge_uuid: "+callB), call(state, callB, "answered", inB, ofB, "variable_bridge_uuid: "+callA),
			call(destroy, callB, "hangup", inB, ofB)}, list("a.example.com"), noRooms, listOf(), callA + " answered", ""},
		"its UUID comes again elsewhere": {[]sent{call(state, callA, "answered", inA), call(destroy, callA, "hangup", inA), call(state, callA, "answered", inB)},
			list("b.example.com"), noRooms, listOf(), "", callA + " answered"},
		"one UUID at two tenants": {[]sent{call(state, callA, "answered", inA), call(create, callA, "ringing", inB), call(state, callA, "answered", inA), call(destroy, callA, "hangup", inA),
			call(state, callA, "answered", inB)}, list("b.example.com"), noRooms, listOf(), "", callA + " answered"},
		"an end without UUID": {[]sent{call(state, callA, "answered", inA), call(destroy, "", "hangup", inA)}, channelList(), noRooms, listOf(), "", ""},
		"no Answer-State": {[]sent{told(10*time.Millisecond, "Event-Name: "+state, "Unique-ID: "+callA, "Channel-Call-State: ACTIVE", inA)},
			list("a.example.com"), noRooms, listOf(), callA + " answered", ""},
		"a member after the end": {[]sent{room("conference-create"), room("add-member", "Member-ID: 6"), room("conference-destroy"), room("add-member", "Member-ID: 6")},
			channelList(), noRooms, listOf(), "", ""},
		"a member goes without a number": {[]sent{room("conference-create"), room("add-member", "Member-ID: 6"), room("del-member")},
			channelList(), members("3001@a.example.com", false), listOf(), room3001, ""},
		"a conference goes without its name": {[]sent{room("conference-create"), told(10*time.Second, "Event-Name: CUSTOM", "Event-Subclass: conference::maintenance", "Action: conference-destroy")},
			channelList(), noRooms, listOf(), "", ""},
		"a conference with another name": {[]sent{room("conference-create"), room("add-member", "Member-ID: 6", "Unique-ID: u6"), room("mute-member", "Member-ID: 6", "Unique-ID: u6", "Conference-Name: 3009@a.example.com")},
			channelList(), members("3009@a.example.com", false, `"id":6,"uuid":"u6","flags":{"can_speak":false,"can_hear":true}`), listOf(),
			"3009@a.example.com \n3009@a.example.com member 6 speaks false hears true", ""},
		"a phone expires": {[]sent{phone("register", "from-user: 1005", "realm: a.example.com"), phone("expire", "user: 1005", "host: a.example.com")},
			channelList(), noRooms, listOf(), "1005@a.example.com false", ""},
		"a phone goes without its name": {[]sent{phone("register", "from-user: 1005", "realm: a.example.com"), phone("expire", "user: 1005")},
			channelList(), noRooms, listOf(), "1005@a.example.com false", ""},
		"one of two phones expires": {[]sent{phone("register", "from-user: 1005", "realm: a.example.com"), phone("register", "from-user: 1005", "realm: a.example.com"),
			phone("expire", "user: 1005", "realm: a.example.com")}, channelList(), noRooms, listOf("1005"), "1005@a.example.com true", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			x := &exchange{answer: func(command string, n int) (string, bool) {
				first := n == 1 // the comparison when the service starts
				switch command {
				case "show channels as json":
					return map[bool]string{true: channelList(), false: test.channels}[first], true
				case listRooms:
					return map[bool]string{true: noRooms, false: test.rooms}[first], true
				case showRegistrations:
					return map[bool]string{true: listOf(), false: test.phones}[first], true
				}
				return "", false
			}}
			after := 3 * time.Second
			if name == "one of two phones expires" {
				after = time.Minute // as with the original, until the next comparison
			}
			r := x.on(t, madeUp(t, test.events...), after, nil)
			for client, want := range map[string]string{"operator": test.a, "adminb": test.b} {
				if got := pageOf(t, r, client); got != want {
					t.Errorf("%s sees\n%s\nwant\n%s", client, got, want)
				}
			}
		})
	}
}
