package panel

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	listRooms = "conference json_list"
	room3001  = "conference '3001@a.example.com' json_list"
	roomTopic = "conference_create conference_destroy add_member del_member mute_member unmute_member deaf_member undeaf_member lock unlock floor_change"
)

// members is the switch's list with one conference; each member is its JSON, without the braces.
func members(name string, locked bool, members ...string) string {
	return fmt.Sprintf(`[{"conference_name":%q,"locked":%t,"member_count":%d,"members":[{%s}]}]`, name, locked, len(members), strings.Join(members, "},{"))
}

// TestRoomsAfterGap has the switch's list of conferences after a gap in the events. Pages are told of what they do not
// know, and of nothing else.
func TestRoomsAfterGap(t *testing.T) {
	const name = "3001@a.example.com"
	come := []sent{inRoom(100*time.Millisecond, "conference-create"), inRoom(200*time.Millisecond, "add-member", "Member-ID: 6", "Unique-ID: u6", "Hear: true", "Speak: true")}
	const came = "conference_create , add_member 6"
	tests := map[string]struct {
		events []sent
		one    string // what the switch says of the conference when the member comes; "": nothing
		list   string // of the conferences, after the gap
		want   string
	}{
		"as it was":            {come, "", members(name, false, `"id":6,"uuid":"u6","flags":{"can_hear":true,"can_speak":true}`), came},
		"flags are not said":   {come, "", members(name, false, `"id":6,"uuid":"u6","flags":{"talking":false}`), came},
		"no flags":             {come, "", members(name, false, `"id":6,"uuid":"u6"`), came},
		"one flag is not said": {come, "", members(name, false, `"id":6,"uuid":"u6","flags":{"can_hear":false}`), came + ", deaf_member 6"},
		"muted meanwhile":      {come, "", members(name, false, `"id":6,"uuid":"u6","flags":{"can_hear":true,"can_speak":false}`), came + ", mute_member 6"},
		"locked meanwhile":     {come, "", members(name, true, `"id":6,"uuid":"u6"`), came + ", lock "},
		"locked is not said":   {come, "", `[{"conference_name":"` + name + `","members":[{"id":6,"uuid":"u6"}]}]`, came},
		"somebody else came":   {come, "", members(name, false, `"id":6,"uuid":"other"`), came + ", del_member 6, add_member 6"},
		"ended meanwhile":      {come, "", "[]", came + ", conference_destroy "},
		"ended, an old switch": {come, "", "No active conferences.\n", came + ", conference_destroy "},
		"the list is not one":  {come, "", "-ERR no reply\n", came},
		"the event has no flags": {[]sent{come[0], inRoom(200*time.Millisecond, "add-member", "Member-ID: 6", "Unique-ID: u6")},
			members(name, false, `"id":6,"uuid":"u6","flags":{"can_hear":true,"can_speak":false}`),
			members(name, false, `"id":6,"uuid":"u6","flags":{"can_hear":true,"can_speak":false}`), came},
		"neither has flags": {[]sent{come[0], inRoom(200*time.Millisecond, "add-member", "Member-ID: 6", "Unique-ID: u6")},
			members(name, false, `"id":6,"uuid":"u6"`), members(name, false, `"id":6,"uuid":"u6","flags":{"can_speak":false}`), came + ", mute_member 6"},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			x := &exchange{answer: func(command string, n int) (string, bool) {
				switch {
				case command == listRooms && n > 1:
					return test.list, true
				case command == room3001 && test.one != "":
					return test.one, true
				}
				return "", false
			}}
			r := x.on(t, madeUp(t, append(slices.Clone(test.events), cut(time.Second))...), 10*time.Second, nil)
			got := strings.ReplaceAll(strings.Join(pushes(r, roomTopic, keyMember), ", "), "  ", " ")
			if got != test.want {
				t.Errorf("pages were told\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// TestOldRooms has the list of conferences on its way while events come. What they are about is newer than the list, and
// the switch is asked again; all else counts.
func TestOldRooms(t *testing.T) {
	const a, b = `{"conference_name":"3001@a.example.com","locked":false,"members":[%s]}`, `{"conference_name":"3002@a.example.com","members":[]}`
	six, seven := `{"id":6,"uuid":"u6","flags":{"can_speak":true}}`, `{"id":7,"uuid":"u7"}`
	come := []sent{inRoom(100*time.Millisecond, "conference-create"), inRoom(200*time.Millisecond, "add-member", "Member-ID: 6", "Unique-ID: u6", "Speak: true"), cut(time.Second)}
	tests := map[string]struct {
		events   []sent
		old, now string
		want     string
	}{
		"muted meanwhile": {[]sent{inRoom(2*time.Second, "mute-member", "Member-ID: 6", "Unique-ID: u6")}, fmt.Sprintf(a, six), fmt.Sprintf(a, strings.Replace(six, "true", "false", 1)),
			"mute_member 6"},
		"muted meanwhile, another was missed": {[]sent{inRoom(2*time.Second, "mute-member", "Member-ID: 6", "Unique-ID: u6")}, fmt.Sprintf(a, six+","+seven), fmt.Sprintf(a, strings.Replace(six, "true", "false", 1)+","+seven),
			"mute_member 6, add_member 7"},
		"muted meanwhile, and unmuted by an event that was lost": {[]sent{inRoom(2*time.Second, "mute-member", "Member-ID: 6", "Unique-ID: u6")}, fmt.Sprintf(a, six), fmt.Sprintf(a, six),
			"mute_member 6, unmute_member 6"},
		"came meanwhile":  {[]sent{inRoom(2*time.Second, "add-member", "Member-ID: 7", "Unique-ID: u7")}, fmt.Sprintf(a, six), fmt.Sprintf(a, six+","+seven), "add_member 7"},
		"went meanwhile":  {[]sent{inRoom(2*time.Second, "del-member", "Member-ID: 6", "Unique-ID: u6")}, fmt.Sprintf(a, six), fmt.Sprintf(a, ""), "del_member 6"},
		"came before":     {[]sent{inRoom(900*time.Millisecond, "add-member", "Member-ID: 7", "Unique-ID: u7")}, fmt.Sprintf(a, six+","+seven), fmt.Sprintf(a, six+","+seven), "add_member 7"},
		"ended meanwhile": {[]sent{inRoom(2*time.Second, "conference-destroy")}, fmt.Sprintf(a, six), "", "conference_destroy "},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			x := &exchange{
				answer: func(command string, n int) (string, bool) {
					return "[" + []string{"", test.old, test.now}[min(n, 3)-1] + "]", command == listRooms
				},
				delay: func(command string, n int) time.Duration {
					if command == listRooms && n == 2 {
						return 2 * time.Second
					}
					return 0
				},
			}
			events := append(slices.Clone(come), test.events...)
			slices.SortFunc(events, func(a, b sent) int { return int(a.at - b.at) })
			r := x.on(t, madeUp(t, events...), 10*time.Second, nil)
			got := strings.ReplaceAll(strings.Join(pushes(r, roomTopic, keyMember), ", "), "  ", " ")
			if want := "conference_create , add_member 6, " + test.want; got != want {
				t.Errorf("pages were told\n%s\nwant\n%s", got, want)
			}
		})
	}
	t.Run("another room is busy", func(t *testing.T) {
		events := slices.Clone(come)
		for at := 1300 * time.Millisecond; at < 20*time.Second; at += 50 * time.Millisecond {
			events = append(events, inRoom(at, "lock"), inRoom(at, "unlock"))
		}
		x := &exchange{
			answer: func(command string, n int) (string, bool) {
				if n == 1 {
					return "[]", command == listRooms
				}
				return "[" + fmt.Sprintf(a, six) + "," + b + "]", command == listRooms
			},
			delay: func(command string, n int) time.Duration {
				if command == listRooms && n > 1 {
					return time.Second
				}
				return 0
			},
		}
		r := x.on(t, madeUp(t, events...), 10*time.Second, nil)
		got := pushes(r, "conference_create", keyName)
		if want := []string{"conference_create 3001@a.example.com", "conference_create 3002@a.example.com"}; !slices.Equal(got, want) {
			t.Errorf("pages were told %q, want %q", got, want)
		}
		for _, m := range r.Said {
			if m.Get(keyName) == `"3002@a.example.com"` && m.At > 5*time.Second {
				t.Errorf("pages were told of 3002 at %s, when the other room was quiet", m.At)
			}
		}
	})
}

// TestRefusedRooms has a page be refused the conferences. It is told of all of them as soon as the switch answers, although
// other pages know them.
func TestRefusedRooms(t *testing.T) {
	const name = "3001@a.example.com"
	list := members(name, false, `"id":6,"uuid":"u6"`)
	away := sent{at: 2 * time.Second, refuse: 3 * time.Second}
	tests := map[string]struct {
		events []sent
		broken int // the question that the switch does not answer with a list; 0: none
		reply  string
	}{
		"the switch is away":       {[]sent{away}, 0, ""},
		"the switch makes no list": {nil, 2, "-ERR no reply\n"},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			x := &exchange{answer: func(command string, n int) (string, bool) {
				if n == test.broken {
					return test.reply, command == listRooms
				}
				return list, command == listRooms
			}}
			s := madeUp(t, test.events...)
			id := s.Ask(t, 3*time.Second, "operator", Name, "conferences_active", map[string]any{})
			r := x.on(t, s, 10*time.Second, nil)
			if replies := r.Replies(id); len(replies) != 1 || !strings.HasPrefix(replies[0].Field("status_code"), "5") {
				t.Errorf("answers %+v, want a refusal", replies)
			}
			got := strings.ReplaceAll(strings.Join(pushes(r, roomTopic, keyMember), ", "), "  ", " ")
			if want := "conference_create , add_member 6"; got != want {
				t.Errorf("pages were told %q, want %q", got, want)
			}
		})
	}
}
