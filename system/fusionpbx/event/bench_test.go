package event_test

import (
	"bytes"
	"os"
	"testing"

	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/switchsim"
)

// BenchmarkPayload makes a payload of a whole event of a call.
func BenchmarkPayload(b *testing.B) {
	recording, err := switchsim.Load(os.DirFS("../../../testdata/fusionpbx/corpus"), "calls-answered-caller-hangs")
	if err != nil {
		b.Fatal(err)
	}
	var longest *eventsocket.Event
	for _, e := range recording.Events {
		_, body, _ := bytes.Cut(e.Raw, []byte("\n\n"))
		parsed, err := eventsocket.ParseEvent(body)
		if err != nil {
			b.Fatal(err)
		}
		if longest == nil || parsed.Len() > longest.Len() {
			longest = parsed
		}
	}
	keys := event.Calls()
	b.ReportAllocs()
	for b.Loop() {
		p := keys.Payload(longest)
		p.JSON()
	}
}
