package replay_test

import (
	"strings"
	"testing"

	"strowger/config/policy"
	"strowger/system/fusionpbx/event"
	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/fusionpbx/replay"
	"strowger/system/service"
)

const testdata = "../../../testdata/fusionpbx"

// forwarder is the least of active.calls: it forwards events and answers nothing.
func forwarder(t *testing.T, change func(p *event.Payload)) func(replay.Switch) *service.Service {
	policies, err := policy.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	policy := policies["active_calls_service"]
	m := eventsocket.Match
	filters := []eventsocket.Filter{m("Event-Name", "CHANNEL_CREATE"), m("Event-Name", "CHANNEL_CALLSTATE"), m("Event-Name", "CALL_UPDATE"),
		m("Event-Name", "PLAYBACK_START"), m("Event-Name", "PLAYBACK_STOP"), m("Event-Name", "CHANNEL_DESTROY"), m("Event-Name", "CHANNEL_PARK"),
		m("Event-Name", "CHANNEL_UNPARK"), m("Event-Name", "CHANNEL_EXECUTE"), m("Event-Name", "HEARTBEAT"), m("Event-Subclass", "valet_parking::info")}
	keys := event.Calls()
	return func(sw replay.Switch) *service.Service {
		return &service.Service{Name: "active.calls", Policy: &policy, Setup: func(s service.Setup) error {
			event.Listen(s, "active.calls", sw.Events, filters, nil, func(c service.Context, d eventsocket.Delivery) {
				if d.Event == nil {
					return
				}
				p := keys.Payload(d.Event)
				change(&p)
				c.Broadcast(p.Name(), p.JSON())
			})
			return nil
		}}
	}
}

// TestPushes wants the payloads of all recordings to equal the original's, the order of their keys included.
func TestPushes(t *testing.T) {
	names := replay.Names(t, testdata, "active.calls")
	if len(names) < 20 {
		t.Fatalf("only %d scenarios", len(names))
	}
	pushes := 0
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			if name == "router-drop" {
				t.Skip("the original missed events while the router was away")
			}
			r := replay.Play(t, replay.Load(t, testdata, name), replay.Options{}, forwarder(t, nothing))
			for _, d := range r.Compare(t) {
				if d.Kind == replay.Push {
					t.Error(d)
				}
			}
			for _, m := range r.Said {
				if m.IsPush() {
					pushes++
				}
			}
		})
	}
	t.Logf("%d scenarios, %d pushes", len(names), pushes)
}

// TestDifferences wants each kind of difference to be found.
func TestDifferences(t *testing.T) {
	r := replay.Play(t, replay.Load(t, testdata, "calls-ring-hangup"), replay.Options{}, forwarder(t, func(p *event.Payload) {
		if p.Name() == "CHANNEL_DESTROY" {
			p.Set("caller_context", "b.example.com")
		}
	}))
	found := r.Compare(t)
	const seen = "event_name channel_call_state unique_id answer_state caller_caller_id_name"
	want := []string{
		`push  CHANNEL_DESTROY payload.caller_context: want "a.example.com", got "b.example.com"`,
		`received admin CHANNEL_DESTROY : want event_name channel_call_state unique_id channel_presence_id`,
		`received adminb CHANNEL_DESTROY : want null, got event_name`,
		`received userb CHANNEL_CREATE : want ` + seen, // nothing of it is for that client
		`reply admin hangup status_code: want 400, got 404`,
		`reply admin hangup payload: want "-ERR No such channel!", got null`,
		`reply admin hangup resource_id: want "", got "00000000000000000000000000000002"`,
		`received admin hangup : want nothing, got null`,
		`command   : want api uuid_kill 941e6c95-2430-4353-bc60-333b8e82fb4e, got nothing`,
	}
	for _, text := range want {
		text = "calls-ring-hangup: " + text
		if !contains(found, text) {
			t.Errorf("not found: %s", text)
		}
	}
	for _, d := range found {
		if d.Kind == replay.Push && d.Key != "payload.caller_context" {
			t.Errorf("unexpected: %s", d)
		}
	}
	if t.Failed() {
		for _, d := range found {
			t.Log(d)
		}
	}
}

func contains(found []replay.Difference, beginning string) bool {
	for _, d := range found {
		if strings.HasPrefix(d.String(), beginning) {
			return true
		}
	}
	return false
}

func nothing(*event.Payload) {}
