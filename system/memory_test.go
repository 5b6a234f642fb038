package system

import (
	"log/slog"
	"runtime"
	"testing"
	"time"
	"weak"

	"strowger/config"
	"strowger/config/policy"
)

// awaitCollected waits until the collector has taken a System of which the caller has only this pointer.
func awaitCollected(t *testing.T, what string, s weak.Pointer[System]) {
	t.Helper()
	eventually(t, what+" is collected", func() bool {
		runtime.GC()
		return s.Value() == nil
	})
}

// What a router has been through does not keep it in memory after Stop: no timer that is due much later, no value that
// many share, no former life of a service.
func TestStoppedSystemIsCollected(t *testing.T) {
	lives := []struct {
		name string
		live func(t *testing.T, s *System)
	}{
		{"idle", func(*testing.T, *System) {}},
		{"asked", func(t *testing.T, s *System) {
			p := join(t, s, user("a.example", []string{"one"}, fragileName))
			p.sendf(`{"service":"fragile","topic":"echo","request_id":"1","payload":1}`)
			p.gets(`200 fragile/echo #"1" 1`)
		}},
		{"panicked", func(t *testing.T, s *System) {
			p := join(t, s, user("a.example", []string{"one"}, fragileName))
			p.sendf(`{"service":"fragile","topic":"panic","request_id":"1"}`)
			p.gets(`500 fragile/panic #"1" null`)
		}},
		{"ended within a call", func(t *testing.T, s *System) {
			p := join(t, s, user("a.example", []string{"one"}, fragileName))
			p.sendf(`{"service":"fragile","topic":"exit","request_id":"1"}`)
			p.gets(`500 fragile/exit #"1" null`)
		}},
		{"a request is open", func(t *testing.T, s *System) {
			service := join(t, s, remote(echoName, "echo_service"))
			p := join(t, s, user("a.example", nil, echoName))
			p.sendf(`{"service":"echo","topic":"x","request_id":"1"}`)
			service.asked(`"" echo/x #"1" null`)
		}},
		{"a history is kept", func(t *testing.T, s *System) {
			service := join(t, s, remote(ledgerName, "ledger_service"))
			p := join(t, s, user("a.example", nil, ledgerName))
			service.sendf(`{"service_name":"ledger","topic":"x","payload":{"d":"a.example"}}`)
			p.gets(`"" ledger/x #"" {"d":"a.example"}`)
			if s.counters().HistoryMessages.Load() == 0 {
				t.Error("no history is kept")
			}
		}},
		{"a client owes its window", func(t *testing.T, s *System) {
			cfg := *s.running.Load()
			cfg.Limits.MessageRate = 2
			if _, err := s.Reload(&cfg); err != nil {
				t.Fatal(err)
			}
			p := join(t, s, user("a.example", nil))
			for range 10 {
				p.sendf(`{"service":"nobody","topic":"x","request_id":"1"}`)
			}
			eventually(t, "the client is slowed down", func() bool { return s.egress.Traffic().Paused > 0 })
		}},
	}
	for _, tc := range lives {
		t.Run(tc.name, func(t *testing.T) { awaitCollected(t, "the router", lived(t, tc.live)) })
	}
}

// lived starts a router, has it live, and returns it stopped.
func lived(t *testing.T, live func(t *testing.T, s *System)) weak.Pointer[System] {
	t.Helper()
	s, err := New(Options{Config: longLived(t), Log: slog.New(slog.DiscardHandler)}, fragile(), unaskable())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	live(t, s)
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	return weak.Make(s)
}

// longLived has timers that run for hours.
func longLived(t *testing.T) *config.Config {
	cfg := chaosConfig(t)
	cfg.Routing.RequestTimeout = time.Hour
	cfg.Heartbeat.Interval, cfg.Heartbeat.Limit = time.Minute, 10*time.Minute
	cfg.Limits.AuthenticationTimeout = time.Hour
	cfg.Routing.Health = []string{echoName + " ping"}
	cfg.Routing.HealthInterval = time.Hour
	cfg.Policies["ledger_service"] = policy.Policy{Scopes: []policy.Scope{{To: policy.Domain, Keys: []string{"d"}}},
		History: policy.History{Messages: 10, Bytes: 1 << 20, Age: 24 * time.Hour}}
	return cfg
}
