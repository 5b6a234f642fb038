package calls

import (
	"bytes"
	"os"
	"testing"
	"time"

	"strowger/system/fusionpbx/channels"
	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/switchsim"
	"strowger/system/service"
)

// deaf is a home that drops what the service says.
type deaf struct{ service.Setup }

func (deaf) Broadcast(string, any)                                    {}
func (deaf) Every(time.Duration, func(service.Context)) service.Timer { return nil }
func (deaf) After(time.Duration, func(service.Context)) service.Timer { return nil }

// BenchmarkDeliver reads events of a switch with many calls, and tells of them.
func BenchmarkDeliver(b *testing.B) {
	recording, err := switchsim.Load(os.DirFS(testdata+"/corpus"), "calls-burst10")
	if err != nil {
		b.Fatal(err)
	}
	var bodies [][]byte
	for _, e := range recording.Events {
		_, body, _ := bytes.Cut(e.Raw, []byte("\n\n"))
		bodies = append(bodies, body)
	}
	l := &life{ctx: deaf{}, keys: event.Calls(), names: map[string]bool{}}
	l.before, l.after = func(string) {}, func(string) {}
	l.calls = channels.NewWatch(deaf{}, channels.Options{Ended: func(*channels.Channel) {}}, new(channels.Memory))
	for _, name := range events() {
		l.names[name] = true
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		e, err := eventsocket.ParseEvent(bodies[i%len(bodies)])
		if err != nil {
			b.Fatal(err)
		}
		l.deliver(deaf{}, eventsocket.Delivery{Event: e})
	}
}
