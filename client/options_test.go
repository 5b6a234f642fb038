package client

import (
	"strings"
	"testing"
	"time"

	"strowger/actors/envelope"
)

func TestOptions(t *testing.T) {
	got, err := Options{RequestTimeout: -1, PingInterval: -1, WriteTimeout: time.Second, Reconnect: Reconnect{Refusals: -1}}.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if got.RequestTimeout >= 0 || got.PingInterval >= 0 || got.Reconnect.Refusals >= 0 {
		t.Errorf("negative values that mean something are lost: %+v", got)
	}
	if got.WriteTimeout != time.Second || got.ConnectTimeout != 10*time.Second || got.CloseTimeout != 5*time.Second {
		t.Errorf("timeouts are %v, %v, %v", got.WriteTimeout, got.ConnectTimeout, got.CloseTimeout)
	}
	if got.Limits != (Limits{MessageBytes: 16<<20 + envelope.EnvelopeBytes, HeaderBytes: 64 << 10, QueueMessages: 1024, QueueBytes: 16 << 20}) {
		t.Errorf("limits are %+v", got.Limits)
	}

	refused := map[string]Options{
		"ConnectTimeout":       {ConnectTimeout: -1},
		"WriteTimeout":         {WriteTimeout: -1},
		"CloseTimeout":         {CloseTimeout: -1},
		"Reconnect.Min":        {Reconnect: Reconnect{Min: -1}},
		"Reconnect.Max":        {Reconnect: Reconnect{Max: -1}},
		"Limits.MessageBytes":  {Limits: Limits{MessageBytes: -1}},
		"Limits.HeaderBytes":   {Limits: Limits{HeaderBytes: -1}},
		"Limits.QueueMessages": {Limits: Limits{QueueMessages: -1}},
		"Limits.QueueBytes":    {Limits: Limits{QueueBytes: -1}},
	}
	for name, opts := range refused {
		if _, err := opts.WithDefaults(); err == nil || !strings.Contains(err.Error(), "options: "+name+" is -1") {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

func TestStateString(t *testing.T) {
	want := map[State]string{
		StateConnecting: "connecting", StateOnline: "online", StateOffline: "offline", StateClosed: "closed", 0: "state(0)",
	}
	for s, text := range want {
		if s.String() != text {
			t.Errorf("state %d is %q, want %q", int(s), s, text)
		}
	}
}
