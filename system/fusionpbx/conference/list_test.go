package conference

import (
	"errors"
	"testing"
)

func TestReadList(t *testing.T) {
	const body = `[{ "conference_name":	"3001@a.example.com", "member_count": 2, "variables": { }, "x": "{ }\" ",
		"members": [{"id": 7, "uuid": "u7", "flags": {"talking": false}}, {"type": "recording_node"}, {"id": "8", "uuid": "u8"}] }, 7, null, {}]`
	list, err := ReadList(body)
	if err != nil || len(list) != 1 {
		t.Fatalf("got %+v, %v", list, err)
	}
	c := list[0]
	if c.Name != "3001@a.example.com" || c.MemberCount != 2 || len(c.Members) != 2 {
		t.Errorf("got %+v", c)
	}
	if m, ok := c.Member("7"); !ok || m.UUID != "u7" || string(m.JSON) != `{"id":7,"uuid":"u7","flags":{"talking":false}}` {
		t.Errorf("member is %+v, %v", m, ok)
	}
	if _, ok := c.Member("9"); ok {
		t.Error("there is a member 9")
	}
	const want = `{"conference_name":"3001@a.example.com","member_count":2,"variables":[],"x":"{ }\" ",` +
		`"members":[{"id":7,"uuid":"u7","flags":{"talking":false}},{"type":"recording_node"},{"id":"8","uuid":"u8"}],"conference_display_name":"A \"b\""}`
	if got := string(c.JSON(`A "b"`)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestReadNoList(t *testing.T) {
	for _, body := range []string{"", "-ERR Conference 3001@a.example.com not found\n", "No active conferences.\n", "{", `{"a":1}`, "{}", "{ }", "null"} {
		if list, err := ReadList(body); !errors.Is(err, ErrList) || list != nil {
			t.Errorf("%q is the list %+v, %v", body, list, err)
		}
	}
	if list, err := ReadList("[]"); err != nil || len(list) != 0 {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestName(t *testing.T) {
	tests := map[string]struct {
		text, quoted string
		ok           bool
	}{
		"extension":     {"3001@a.example.com", "'3001@a.example.com'", true},
		"percent codes": {"3001%40a.example.com", "'3001@a.example.com'", true},
		"no domain":     {"3001", "", false},
		"no key":        {"@a.example.com", "", false},
		"line break":    {"3001\n\napi system id@a.example.com", "", true},
		"encoded break": {"3001%0a%0aapi system id@a.example.com", "", true},
		"quote":         {"3'1@a.example.com", "", true},
		"space":         {"3 1@a.example.com", "", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			n, ok := FromRequest(test.text)
			if ok != test.ok {
				t.Fatalf("parsed is %v, want %v", ok, test.ok)
			}
			if quoted, err := n.Quoted(); (err == nil) != (test.quoted != "") {
				t.Errorf("argument %v, %v", quoted, err)
			}
		})
	}
}
