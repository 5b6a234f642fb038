package panel

import (
	"slices"
	"testing"
	"time"
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
