package panel

import (
	"slices"
	"testing"
	"time"

	"strowger/system/fusionpbx/replay"
	"strowger/system/service"
)

// TestAfterTheEnd has events of a channel come after its last one. Pages do not show it again, unless it begins anew.
func TestAfterTheEnd(t *testing.T) {
	at := func(n int) time.Duration { return time.Duration(n) * 100 * time.Millisecond }
	of := func(n int, name, state string) sent {
		return told(at(n), "Event-Name: "+name, "Unique-ID: "+callA, "Caller-Context: a.example.com", "Answer-State: "+state)
	}
	events := []sent{of(1, "CHANNEL_CREATE", "ringing"), of(2, "CHANNEL_CALLSTATE", "answered"), of(3, "CHANNEL_DESTROY", "hangup"),
		of(4, "CHANNEL_CALLSTATE", "hangup"), of(5, "CALL_UPDATE", "answered"), of(6, "CHANNEL_UNPARK", "answered")}
	const topics = "channel_create channel_callstate channel_destroy call_update channel_unpark"
	want := []string{"channel_create", "channel_callstate", "channel_destroy"}
	r := new(exchange).on(t, madeUp(t, events...), 2*time.Minute, nil)
	if got := pushes(r, topics); !slices.Equal(got, want) {
		t.Errorf("pages were told %q, want %q", got, want)
	}
	again := append(events, of(7, "CHANNEL_CREATE", "ringing"), of(8, "CHANNEL_CALLSTATE", "answered"), of(9, "CHANNEL_DESTROY", "hangup"))
	want = append(want, want...)
	r = new(exchange).on(t, madeUp(t, again...), 2*time.Minute, nil)
	if got := pushes(r, topics); !slices.Equal(got, want) {
		t.Errorf("pages were told %q, want %q", got, want)
	}
}

// TestRenamed has a channel get another UUID. Pages are told that the old one has ended, and of the new one by its next
// event, or from the switch's list if none comes.
func TestRenamed(t *testing.T) {
	begun := told(time.Second, "Event-Name: CHANNEL_CREATE", "Unique-ID: "+callA, "Caller-Context: a.example.com")
	changes := told(2*time.Second, "Event-Name: CHANNEL_UUID", "Unique-ID: "+callB, "Old-Unique-ID: "+callA)
	next := told(2100*time.Millisecond, "Event-Name: CHANNEL_CALLSTATE", "Unique-ID: "+callB, "Answer-State: answered")
	for name, events := range map[string][]sent{"next event": {begun, changes, next}, "no event": {begun, changes}} {
		t.Run(name, func(t *testing.T) {
			x := &exchange{answer: func(command string, n int) (string, bool) {
				if n == 1 {
					return channelList(), command == "show channels as json"
				}
				return channelList(callB), command == "show channels as json"
			}}
			r := x.on(t, madeUp(t, events...), 10*time.Second, nil)
			want := []string{"channel_create " + callA, "channel_destroy " + callA, "channel_callstate " + callB}
			if got := pushes(r, "channel_create channel_callstate channel_destroy channel_uuid", "unique_id"); !slices.Equal(got, want) {
				t.Errorf("pages were told %q, want %q", got, want)
			}
		})
	}
}

// TestAfterRenaming has events of a channel come under its old UUID after it got another one. Pages do not show the old one
// again. The new one may be that of a channel that ended lately.
func TestAfterRenaming(t *testing.T) {
	of := func(at time.Duration, name, uuid string, more ...string) sent {
		return told(at, append([]string{"Event-Name: " + name, "Unique-ID: " + uuid, "Caller-Context: a.example.com", "Answer-State: answered"}, more...)...)
	}
	r := new(exchange).on(t, madeUp(t,
		of(time.Second, "CHANNEL_CREATE", callB), of(1100*time.Millisecond, "CHANNEL_DESTROY", callB), of(1200*time.Millisecond, "CHANNEL_CREATE", callA),
		of(1300*time.Millisecond, renamed, callB, "Old-Unique-ID: "+callA),
		of(1400*time.Millisecond, "CALL_UPDATE", callA), of(1500*time.Millisecond, "CALL_UPDATE", callB),
	), 200*time.Millisecond, nil)
	want := []string{"channel_create " + callB, "channel_destroy " + callB, "channel_create " + callA, "channel_destroy " + callA, "call_update " + callB}
	if got := pushes(r, "channel_create channel_destroy call_update", "unique_id"); !slices.Equal(got, want) {
		t.Errorf("pages were told %q, want %q", got, want)
	}
}

// TestLateRow has the switch's list show a channel whose last event comes while pushes wait for the database. Pages do not
// show the channel after it.
func TestLateRow(t *testing.T) {
	ends := told(2430*time.Millisecond, "Event-Name: CHANNEL_DESTROY", "Unique-ID: "+callA, "Caller-Context: a.example.com", "Answer-State: hangup")
	var events []sent
	for at := 2020 * time.Millisecond; at < 3200*time.Millisecond; at += 100 * time.Millisecond {
		events = append(events, inRoom(at, "energy-level", "Member-ID: 6"))
	}
	events = append(events, cut(2*time.Second), ends)
	slices.SortFunc(events, func(a, b sent) int { return int(a.at - b.at) })
	for _, late := range []time.Duration{150 * time.Millisecond, 200 * time.Millisecond, 250 * time.Millisecond, 300 * time.Millisecond} {
		x := &exchange{
			answer: func(command string, n int) (string, bool) {
				if n == 2 {
					return channelList(callA), command == "show channels as json"
				}
				return channelList(), command == "show channels as json"
			},
			delay: func(command string, n int) time.Duration {
				if command == "show channels as json" && n == 2 {
					return late
				}
				return 0
			},
		}
		db := &slow{newSite(t)}
		r := replay.Play(t, madeUp(t, events...), replay.Options{After: 20 * time.Second, Faults: x.faults()}, func(sw replay.Switch) *service.Service {
			return New(Options{Events: sw.Events, Commands: sw.Commands, Database: db, AgentStats: -1})
		})
		if p := shown(t, r.Said, time.Hour); p[callA] != "" {
			t.Errorf("with a list after %s pages were told %q", late, pushes(r, "channel_destroy channel_callstate", "unique_id"))
		}
	}
}
