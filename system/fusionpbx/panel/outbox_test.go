package panel

import (
	"fmt"
	"testing"
	"time"

	"strowger/system/fusionpbx/replay"
	"strowger/system/service"
)

// TestManyWait has more pushes wait for the database than a service may have timers. All of them go out in order, when
// the first has waited long enough.
func TestManyWait(t *testing.T) {
	const many, timers = 300, 50
	events := make([]sent, many)
	for i := range events {
		events[i] = inRoom(time.Second, "energy-level", fmt.Sprintf("Member-ID: %d", i))
	}
	db := &slow{newSite(t)}
	r := replay.Play(t, madeUp(t, events...), replay.Options{}, func(sw replay.Switch) *service.Service {
		built := New(Options{Events: sw.Events, Commands: sw.Commands, Database: db, AgentStats: -1})
		built.Limits.Timers = timers
		return built
	})
	got := pushes(r, "energy_level", keyMember)
	if len(got) != many {
		t.Fatalf("%d pushes, want %d", len(got), many)
	}
	for i, push := range got {
		if want := fmt.Sprintf("energy_level %d", i); push != want {
			t.Fatalf("push %d is %q, want %q", i, push, want)
		}
	}
	for _, m := range r.Said {
		if m.IsPush() && m.At > 2*time.Second {
			t.Fatalf("%s came at %s, long after the event", m.Topic, m.At)
		}
	}
}
