package system

import (
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"

	"strowger/actors/runtime"
	"strowger/config"
	"strowger/system/service"
)

// speaker is a service that broadcasts so many messages of so many bytes when it is asked to, and says how many bytes
// were under way at most.
func speaker(messages, bytes int, used func() int64) *service.Service {
	return &service.Service{Name: "speaker", Policy: service.Everyone(), Setup: func(s service.Setup) error {
		text := strings.Repeat("x", bytes)
		s.Handle("speak", func(r service.Request) error {
			most := int64(0)
			for range messages {
				r.Broadcast("text", text)
				most = max(most, used())
			}
			r.Reply(most)
			return nil
		})
		s.Handle("stream", func(r service.Request) error { r.Stream("part", text); r.Reply("whole"); return nil })
		return nil
	}}
}

func speakerConfig(t *testing.T) *config.Config {
	cfg := testConfig(t)
	cfg.Limits.ServiceBytes, cfg.Limits.OutboundBytes, cfg.Limits.OutboundMessages = config.MiB, config.GiB, 1<<16
	return cfg
}

// TestBroadcastsWaitForRoom: a service that says more than can be delivered is slowed down, and nothing is lost.
func TestBroadcastsWaitForRoom(t *testing.T) {
	const messages, bytes = 256, 64 << 10
	var system atomic.Pointer[System]
	s := start(t, speakerConfig(t), speaker(messages, bytes, func() int64 { return system.Load().services.all()[0].window.Used() }))
	system.Store(s)
	c := join(t, s, user("one.example", nil, "speaker"))
	c.sendf(`{"service":"speaker","topic":"speak","request_id":"1"}`)
	heard := 0
	for {
		e := c.next()
		if e.Topic == "text" {
			heard++
			continue
		}
		var most int64
		if err := json.Unmarshal(e.Payload, &most); err != nil {
			t.Fatal(err)
		}
		if heard != messages || most > int64(config.MiB+bytes+2*envelopeCost) {
			t.Errorf("%d messages have come, want %d; %d bytes were under way", heard, messages, most)
		}
		return
	}
}

// TestNoRoomForBroadcasts: when nothing leaves, broadcasts are dropped and counted after a short wait, and a service in
// whose handler they wait stays up.
func TestNoRoomForBroadcasts(t *testing.T) {
	s := start(t, speakerConfig(t), speaker(100, 10, func() int64 { return 0 }))
	c := join(t, s, user("one.example", nil, "speaker"))
	h := s.services.all()[0]
	h.window.Take(int64(config.MiB))
	stuck := runtime.NewLease(&h.window, int64(config.MiB))
	c.sendf(`{"service":"speaker","topic":"speak","request_id":"1"}`)
	c.gets(`200 speaker/speak #"1" 0`)
	if got := h.instance.Counters().NoRoom.Load(); got != 100 {
		t.Errorf("%d messages were dropped, want 100", got)
	}
	c.sendf(`{"service":"speaker","topic":"stream","request_id":"2"}`)
	c.gets(`503 speaker/stream #"2" {"retry_after":1}`)
	stuck.Release()
	c.sendf(`{"service":"speaker","topic":"stream","request_id":"3"}`)
	c.gets(`200 speaker/part #"3" "xxxxxxxxxx"`)
	c.gets(`200 speaker/stream #"3" "whole"`)
	if got := h.instance.State(); got.Condition != service.Up || got.Restarts != 0 {
		t.Errorf("state %+v", got)
	}
}
