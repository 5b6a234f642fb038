package conference

import (
	"strings"
	"testing"

	"strowger/system/fusionpbx/event"
)

// TestAll has pages that may know nothing be told of a conference, while events go on. They are told of the conference as it
// was listed, and of what events have said since. Where the two differ a later list decides.
func TestAll(t *testing.T) {
	const room = "3001@a.example.com"
	type said struct{ topic, id, value string } // value: of the member or the floor
	member := func(flags string) string { return `{"id":7,"uuid":"u7","flags":{` + flags + `}}` }
	const speaks, muted = `"can_speak":true,"can_hear":true`, `"can_speak":false,"can_hear":true`
	begin := []said{{Create, "", ""}, {Add, "7", member(speaks)}}
	tests := map[string]struct {
		before, since []said
		locked        bool // in the list
		flags         string
		want          string
		certain       bool
		speaks        bool // afterwards, as far as is known
	}{
		"nothing happens":            {begin, nil, false, speaks, "conference_create add_member", true, true},
		"locked":                     {append(begin, said{Lock, "", ""}), nil, true, speaks, "conference_create lock add_member", true, true},
		"locked, which was missed":   {begin, nil, true, speaks, "conference_create lock add_member", true, true},
		"unlocked, which was missed": {append(begin, said{Lock, "", ""}), nil, false, speaks, "conference_create unlock add_member", true, true},
		"locked since":               {begin, []said{{Lock, "", ""}}, false, speaks, "conference_create lock add_member", false, true},
		"unlocked since":             {append(begin, said{Lock, "", ""}), []said{{Unlock, "", ""}}, true, speaks, "conference_create add_member", false, true},
		"muted":                      {append(begin, said{Mute, "7", ""}), nil, false, muted, "conference_create add_member", true, false},
		"muted since":                {begin, []said{{Mute, "7", ""}}, false, speaks, "conference_create add_member mute_member", false, false},
		"unmuted since":              {append(begin, said{Mute, "7", ""}), []said{{Unmute, "7", ""}}, false, muted, "conference_create add_member unmute_member", false, true},
		"the list does not say":      {begin, []said{{Mute, "7", ""}}, false, "", "conference_create add_member mute_member", false, false},
		"muted since, and listed so": {begin, []said{{Mute, "7", ""}}, false, muted, "conference_create add_member", false, false},
		"somebody else since":        {begin, []said{{Delete, "7", ""}, {Add, "7", strings.Replace(member(muted), "u7", "u8", 1)}}, false, speaks, "conference_create", true, false},
		"the floor since":            {begin, []said{{FloorChange, "7", "7"}}, false, speaks, "conference_create add_member floor_change", false, true},
		"the floor":                  {append(begin, said{FloorChange, "7", "7"}), nil, false, speaks + `,"has_floor":true`, "conference_create add_member", true, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			k := NewKnown()
			say := func(all []said) {
				for _, s := range all {
					var p event.Payload
					p.Set("conference_name", room)
					p.Set("member_id", s.id)
					p.Set("new_id", s.value)
					p.SetJSON("member", []byte(s.value))
					k.Remember(s.topic, &p)
				}
			}
			say(test.before)
			locked := map[bool]string{true: "true", false: "false"}[test.locked]
			list, err := ReadList(`[{"conference_name":"` + room + `","member_count":1,"locked":` + locked + `,"members":[` + member(test.flags) + `]}]`)
			if err != nil {
				t.Fatal(err)
			}
			since := k.Begin()
			say(test.since)
			found, certain := k.Differences(list, since, true)
			var topics []string
			for i := range found {
				p := found[i].Payload()
				if m, ok := found[i].Member(); ok && found[i].Topic == Add {
					p.SetJSON("member", m.JSON)
				}
				k.Settle(&found[i], &p, true)
				topics = append(topics, found[i].Topic)
			}
			if got := strings.Join(topics, " "); got != test.want || certain != test.certain {
				t.Errorf("pages are told %q, certain %t; want %q, %t", got, certain, test.want, test.certain)
			}
			if got := k.rooms[room].members["7"].flags.Speak; got != test.speaks {
				t.Errorf("it is remembered that the member may speak: %t, want %t", got, test.speaks)
			}
		})
	}
}
