package conference

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
)

// TestKnownKeepsNoEvent has large events. What is remembered of them does not hold their memory.
func TestKnownKeepsNoEvent(t *testing.T) {
	const events, size = 100, 256 << 10
	keys, known := event.PanelConferences(), NewKnown()
	before := heap()
	for i := range events {
		for _, action := range []string{"conference-create", "add-member", "mute-member", "floor-change", "lock"} {
			e, err := eventsocket.ParseEvent(fmt.Appendf(nil, "Event-Name: CUSTOM\nEvent-Subclass: conference::maintenance\nConference-Name: %d@a.example.com\n"+
				"Action: %s\nMember-ID: 7\nUnique-ID: u%d\nNew-ID: 7\nHuge: %s\n\n", i, action, i, strings.Repeat("x", size)))
			if err != nil {
				t.Fatal(err)
			}
			p := keys.Payload(e)
			p.SetJSON("member", MemberOf(&p))
			known.Remember(Topic(&p), &p)
		}
	}
	if kept := heap() - before; kept > events*size/10 {
		t.Errorf("%d conferences hold %d bytes", events, kept)
	}
	if !known.Has(Name{"99", "a.example.com"}, "u99") {
		t.Error("a member was forgotten")
	}
}

// TestEventWithoutName remembers nothing of an event that does not say of which conference it is.
func TestEventWithoutName(t *testing.T) {
	known := NewKnown()
	var p event.Payload
	p.Set("member_id", "7")
	for _, topic := range []string{Create, Add, Lock, Mute, FloorChange, Delete, Destroy} {
		known.Remember(topic, &p)
	}
	if len(known.rooms) > 0 || known.events > 0 {
		t.Errorf("%d rooms, %d events", len(known.rooms), known.events)
	}
}

func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
