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

func (deaf) Now() time.Time                                           { return time.Time{} }
func (deaf) Broadcast(string, any)                                    {}
func (deaf) Every(time.Duration, func(service.Context)) service.Timer { return nil }
func (deaf) After(time.Duration, func(service.Context)) service.Timer { return nil }

// BenchmarkDeliver tells of events of a switch with many calls.
func BenchmarkDeliver(b *testing.B) {
	recording, err := switchsim.Load(os.DirFS(testdata+"/corpus"), "calls-burst10")
	if err != nil {
		b.Fatal(err)
	}
	var deliveries []eventsocket.Delivery
	for _, e := range recording.Events {
		_, body, _ := bytes.Cut(e.Raw, []byte("\n\n"))
		parsed, err := eventsocket.ParseEvent(body)
		if err != nil {
			b.Fatal(err)
		}
		deliveries = append(deliveries, eventsocket.Delivery{Event: parsed})
	}
	l := &life{ctx: deaf{}, keys: event.Calls(), names: map[string]bool{}}
	l.before, l.after = func(string) {}, func(string) {}
	l.calls = channels.NewWatch(deaf{}, channels.Options{Ended: func(*channels.Channel) {}}, new(channels.Memory))
	for _, name := range events() {
		l.names[name] = true
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		l.deliver(deaf{}, deliveries[i%len(deliveries)])
	}
}
