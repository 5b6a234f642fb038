package system

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"strowger/system/service"
)

// hanger is a service whose requests for the topic hang do not return before until is closed.
func hanger(until <-chan struct{}) *service.Service {
	return &service.Service{Name: "hanger", Policy: service.Everyone(), Limits: service.Limits{Abandoned: 1},
		Supervision: service.Supervision{PingEvery: 10 * time.Millisecond, PingTimeout: 100 * time.Millisecond, CoolDown: 10 * time.Millisecond},
		Setup: func(s service.Setup) error {
			s.Handle("hang", func(service.Request) error { <-until; return nil })
			s.Handle("echo", func(r service.Request) error { r.Reply(r.Payload()); return nil })
			return nil
		}}
}

// TestAbandonedIsShown: a goroutine that hangs is counted for operators as long as it runs, and the log says why the
// service stays down.
func TestAbandonedIsShown(t *testing.T) {
	until := make(chan struct{})
	free := sync.OnceFunc(func() { close(until) })
	cfg := testConfig(t)
	cfg.Admin.Address = "127.0.0.1:0"
	var log syncBuffer
	s, err := New(Options{Config: cfg, Log: slog.New(slog.NewTextHandler(&log, nil))}, hanger(until))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		free()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	c := join(t, s, user("one.example", nil, "hanger"))
	c.sendf(`{"service":"hanger","topic":"hang","request_id":"1"}`)
	abandoned := func() float64 {
		for _, m := range scrape(t, s)["strowger_service_abandoned_goroutines"].GetMetric() {
			return m.GetGauge().GetValue()
		}
		return -1
	}
	eventually(t, "the goroutine is counted", func() bool { return abandoned() == 1 })
	rows, err := shown{s}.Services(context.Background())
	if err != nil || len(rows) != 1 || rows[0].Abandoned != 1 || rows[0].State == "up" {
		t.Errorf("the console shows %+v, %v", rows, err)
	}
	eventually(t, "the log says why the service stays down", func() bool {
		return strings.Contains(log.String(), `1 goroutines of 1 earlier lives of the service do not end`)
	})
	free()
	eventually(t, "the goroutine is gone", func() bool { return abandoned() == 0 })
	eventually(t, "the service is back", func() bool { return s.services.all()[0].instance.State().Condition == service.Up })
}
