package event_test

import (
	"bytes"
	"os"
	"testing"

	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/switchsim"
)

// BenchmarkPayload makes a payload of an event of a call, with all headers and with as many as services need.
func BenchmarkPayload(b *testing.B) {
	recording, err := switchsim.Load(os.DirFS("../../../testdata/fusionpbx/corpus"), "calls-answered-caller-hangs")
	if err != nil {
		b.Fatal(err)
	}
	var all, needed *eventsocket.Event
	needs := event.Needs([]*event.Keys{event.Calls(), event.Conferences(), event.PanelCalls(), event.PanelConferences()})
	for _, e := range recording.Events {
		_, body, _ := bytes.Cut(e.Raw, []byte("\n\n"))
		parsed := parse(b, string(body))
		if all == nil || parsed.Len() > all.Len() {
			all = parsed
			needed, _ = without(b, body, needs)
		}
	}
	keys := event.Calls()
	for name, e := range map[string]*eventsocket.Event{"all": all, "needed": needed} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p := keys.Payload(e)
				p.JSON()
			}
		})
	}
}
