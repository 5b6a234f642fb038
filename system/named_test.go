package system

import (
	"strings"
	"testing"
	"time"

	"strowger/config"
)

// Who gives no sign of life and who does not read are named with their settings.
func TestIdleAndSlowAreNamed(t *testing.T) {
	cfg := testConfig(t)
	cfg.Routing.DefaultPolicy = "allow"
	cfg.Limits.OutboundBytes = 64 * config.KiB
	s, j := startJournal(t, cfg)
	deafen(t, s, mint(t, cfg.Tokens.Directory, user("a.example", nil, "weather")))
	weather := join(t, s, remote("weather", "weather_service"))
	for end := time.Now().Add(patience); len(j.lines(t, "slow_reader")) == 0; {
		if time.Now().After(end) {
			t.Fatal("the reader that does not read is not named")
		}
		weather.sendf(`{"service_name":"weather","payload":%q}`, strings.Repeat("x", 256<<10))
		settled(weather)
	}
	line := j.await(t, "slow_reader")
	if line["level"] != "WARN" || line["role"] != "client" || line["setting"] != "limits.outbound_messages, limits.outbound_bytes" {
		t.Errorf("slow: got %v", line)
	}

	cfg = testConfig(t)
	cfg.Keepalive.PingInterval, cfg.Keepalive.IdleTimeout = time.Second, 2*time.Second
	s, j = startJournal(t, cfg)
	knock(t, s, "a.example", "") // it answers no ping
	if line := j.await(t, "idle"); line["level"] != "WARN" || line["setting"] != "keepalive.idle_timeout" {
		t.Errorf("idle: got %v", line)
	}
}
