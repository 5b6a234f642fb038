package eventsocket_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/switchsim"
)

const corpus = "../../../testdata/fusionpbx/corpus"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds waits that end at once unless something is broken.
const patience = 2 * time.Minute

func load(t testing.TB, name string) *switchsim.Recording {
	t.Helper()
	recording, err := switchsim.Load(os.DirFS(corpus), name)
	if err != nil {
		t.Fatal(err)
	}
	return recording
}

func names(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir(corpus)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if len(names) < 31 {
		t.Fatalf("%d recordings, want 31", len(names))
	}
	return names
}

// rig is a simulator with a client that is not running yet.
type rig struct {
	*testing.T
	ctx    context.Context
	sim    *switchsim.Simulator
	client *eventsocket.Client
	ended  chan error
}

func newRig(t *testing.T, recording string, faults switchsim.Faults, change ...func(*eventsocket.Options)) *rig {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	sim, err := switchsim.Start(load(t, recording), switchsim.Options{Faults: faults})
	if err != nil {
		t.Fatal(err)
	}
	options := eventsocket.Options{Address: sim.Addr(), Password: "ClueCon", MinBackoff: time.Millisecond, MaxBackoff: 2 * time.Millisecond}
	for _, f := range change {
		f(&options)
	}
	client, err := eventsocket.New(options)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{T: t, ctx: ctx, sim: sim, client: client}
	t.Cleanup(func() {
		cancel()
		if r.ended != nil {
			<-r.ended
		}
		sim.Close()
	})
	return r
}

func (r *rig) run() {
	r.ended = make(chan error, 1)
	go func() { r.ended <- r.client.Run(r.ctx) }()
}

func (r *rig) subscribe(filters ...eventsocket.Filter) *eventsocket.Subscription {
	r.Helper()
	s, err := r.client.Subscribe("test", filters...)
	if err != nil {
		r.Fatal(err)
	}
	return s
}

func (r *rig) next(s *eventsocket.Subscription) eventsocket.Delivery {
	r.Helper()
	d, err := s.Next(r.ctx)
	if err != nil {
		r.Fatalf("next delivery: %v; %+v", err, r.client.Stats())
	}
	return d
}

func (r *rig) gap(s *eventsocket.Subscription) eventsocket.Delivery {
	r.Helper()
	d := r.next(s)
	if d.Kind != eventsocket.KindGap {
		r.Fatalf("got %s, want a gap", show(d))
	}
	return d
}

// playing plays the recording beside the test, which must wait for the result.
func (r *rig) playing() <-chan error {
	done := make(chan error, 1)
	go func() { done <- r.sim.Play(r.ctx) }()
	return done
}

func (r *rig) play() {
	r.Helper()
	if err := r.sim.Play(r.ctx); err != nil {
		r.Fatal(err)
	}
}

func show(d eventsocket.Delivery) string {
	if d.Kind == eventsocket.KindEvent {
		return "event " + d.Event.Name()
	}
	return fmt.Sprintf("mark %d, lost %d", d.Kind, d.Lost)
}

func calls() []eventsocket.Filter {
	m := eventsocket.Match
	return []eventsocket.Filter{m("Event-Name", "CHANNEL_CREATE"), m("Event-Name", "CHANNEL_CALLSTATE"), m("Event-Name", "CALL_UPDATE"),
		m("Event-Name", "PLAYBACK_START"), m("Event-Name", "PLAYBACK_STOP"), m("Event-Name", "CHANNEL_DESTROY"), m("Event-Name", "CHANNEL_PARK"),
		m("Event-Name", "CHANNEL_UNPARK"), m("Event-Name", "CHANNEL_EXECUTE"), m("Event-Name", "HEARTBEAT"), m("Event-Subclass", "valet_parking::info")}
}

func conferences() []eventsocket.Filter {
	m := eventsocket.Match
	return []eventsocket.Filter{m("API-Command", "conference"), m("Event-Name", "HEARTBEAT"), m("Event-Subclass", "conference::maintenance")}
}

func panel() []eventsocket.Filter {
	m := eventsocket.Match
	return []eventsocket.Filter{m("Event-Name", "CHANNEL_CREATE"), m("Event-Name", "CHANNEL_CALLSTATE"), m("Event-Name", "CALL_UPDATE"),
		m("Event-Name", "CHANNEL_DESTROY"), m("Event-Name", "CHANNEL_PARK"), m("Event-Name", "CHANNEL_UNPARK"), m("Event-Name", "HEARTBEAT"),
		m("Event-Subclass", "valet_parking::info"), m("Event-Subclass", "conference::maintenance"), m("Event-Subclass", "callcenter::maintenance"),
		m("Event-Subclass", "sofia::register"), m("Event-Subclass", "sofia::unregister"), m("API-Command", "conference")}
}
