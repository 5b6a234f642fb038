package config

import (
	"reflect"
	"testing"
	"time"
)

func TestDiff(t *testing.T) {
	tests := []struct {
		name   string
		change func(cfg *Config)
		want   []Change
	}{
		{"nothing", func(*Config) {}, nil},
		{"no list for an empty one", func(cfg *Config) { cfg.Listen.Origins = nil }, nil},
		{"live", func(cfg *Config) { cfg.Limits.HeaderTimeout = time.Minute }, []Change{
			{"limits.header_timeout", "10s", "1m", true}}},
		{"several, in order", func(cfg *Config) {
			cfg.Log.Level, cfg.Log.Format = "debug", "json"
			cfg.Listen.Address = ":80"
			cfg.Listen.Origins = []string{"a", "b"}
		}, []Change{
			{"listen.address", `"127.0.0.1:8080"`, `":80"`, false},
			{"listen.origins", "[]", `["a", "b"]`, true},
			{"log.level", `"info"`, `"debug"`, true},
			{"log.format", `"auto"`, `"json"`, false}}},
		{"fusionpbx", func(cfg *Config) {
			cfg.FusionPBX.EventSocket = EventSocket{"10.0.0.1", 1, "secret"}
			cfg.FusionPBX.Database.Name = "pbx"
			cfg.FusionPBX.File = "/elsewhere"
		}, []Change{
			{"switch.event_socket.host", "127.0.0.1", "10.0.0.1", false},
			{"switch.event_socket.port", "8021", "1", false},
			{"switch.event_socket.password", redacted, redacted, false},
			{"database.0.name", "", "pbx", false}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := Default()
			test.change(cfg)
			if got := Diff(Default(), cfg); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %v\nwant %v", got, test.want)
			}
		})
	}
}
