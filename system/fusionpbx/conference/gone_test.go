package conference

import (
	"strconv"
	"testing"

	"strowger/system/fusionpbx/event"
)

// TestKnownKeepsNoEnds has members come and go after a comparison. Nothing is kept of those who have gone.
func TestKnownKeepsNoEnds(t *testing.T) {
	known := NewKnown()
	say := func(topic, id string) {
		var p event.Payload
		p.Set("conference_name", "3001@a.example.com")
		p.Set("member_id", id)
		known.Remember(topic, &p)
	}
	since := known.Begin()
	say(Create, "")
	say(Add, "7")
	say(Delete, "7")
	list := []Conference{{Name: "3001@a.example.com", Members: []Member{{ID: "7", UUID: "u"}}}}
	if found, _ := known.Differences(list, since, false); len(found) > 0 {
		t.Errorf("a member who has gone since the switch was asked is a difference: %+v", found)
	}
	for i := range 1000 {
		say(Add, strconv.Itoa(i))
		say(Delete, strconv.Itoa(i))
	}
	if n := len(known.gone); n > 0 {
		t.Errorf("%d members are kept after they have gone", n)
	}
}
