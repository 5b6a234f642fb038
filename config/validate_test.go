package config

import (
	"testing"
	"time"

	"strowger/config/policy"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name   string
		change func(cfg *Config)
		want   []string // none when it is valid
	}{
		{"defaults", func(*Config) {}, nil},
		{"no lists", func(cfg *Config) { cfg.Listen.Origins, cfg.Services.Classes = nil, nil }, nil},
		{"bounds", func(cfg *Config) { cfg.Limits.Depth, cfg.Limits.HeaderBytes = 0, GiB }, []string{
			"limits.depth: 0 is too small, the smallest is 8",
			"limits.header_bytes: 1GiB is too large, the largest is 1MiB"}},
		{"word", func(cfg *Config) { cfg.Log.Level = "" }, []string{`log.level: "" is not one of debug, info, warn, error`}},
		{"list", func(cfg *Config) { cfg.Tokens.Owners = []string{"a b"} }, []string{
			`tokens.owners: "a b" is neither a user name nor a number`}},
		{"control character", func(cfg *Config) { cfg.Listen.TLSKey = "a\nb" }, []string{"listen.tls_key: has control characters"}},
		{"together", func(cfg *Config) { cfg.Keepalive.IdleTimeout = cfg.Keepalive.PingInterval; cfg.Listen.TLSKey = "/k" }, []string{
			"keepalive.idle_timeout: 25s is not longer than keepalive.ping_interval, which is 25s",
			"listen.tls_certificate: is missing, listen.tls_key needs it"}},
		{"together, one wrong alone", func(cfg *Config) { cfg.Keepalive.IdleTimeout = 1 }, []string{
			"keepalive.idle_timeout: 1ns is too small, the smallest is 1s"}},
		{"policies", func(cfg *Config) {
			cfg.Policies = map[string]policy.Policy{
				"a.b": {Scopes: []policy.Scope{{To: "x"}}, Require: []string{""}}, "c": {}, "": {Keys: []string{"k"}},
			}
		}, []string{
			"policies: has a policy for nobody: its name is empty",
			"policies.a.b.require[0]: is empty",
			`policies.a.b.scopes[0].to: "x" is none of all, domain, extensions, none`,
			"policies.c.scopes: no rule at all; write a scope to all to let everybody see everything"}},
		{"no admin pages", func(cfg *Config) { cfg.Admin.Address = "" }, nil},
		{"admin pages nowhere", func(cfg *Config) { cfg.Admin.Address = "8081" }, []string{
			"admin.address: 8081 is not host:port, write it like 127.0.0.1:8080 or [::1]:8080"}},
		{"a password in place of its hash", func(cfg *Config) { cfg.Admin.PasswordHash = "secret" }, []string{
			"admin.password_hash: it is no line that strowger admin password has printed"}},
		{"an audit file anywhere", func(cfg *Config) { cfg.Admin.AuditFile = "audit.log" }, []string{
			"admin.audit_file: audit.log is not an absolute path"}},
		{"a collector", func(cfg *Config) { cfg.Traces.Endpoint = "https://otel.example.com:4318/v1/traces" }, nil},
		{"a collector without a path", func(cfg *Config) { cfg.Traces.Endpoint = "http://127.0.0.1:4318" }, []string{
			"traces.endpoint: http://127.0.0.1:4318 has no path: collectors take traces at /v1/traces"}},
		{"a collector for gRPC", func(cfg *Config) { cfg.Traces.Endpoint = "127.0.0.1:4317" }, []string{
			"traces.endpoint: 127.0.0.1:4317 is not an http or https URL"}},
		{"a collector with a password", func(cfg *Config) { cfg.Traces.Endpoint = "http://me:secret@127.0.0.1:4318/v1/traces" }, []string{
			"traces.endpoint: http://me:xxxxx@127.0.0.1:4318/v1/traces has a user in it"}},
		{"no request in one", func(cfg *Config) { cfg.Traces.OneIn = 0 }, []string{
			"traces.one_in: 0 is too small, the smallest is 1"}},
		{"headers of no proxy", func(cfg *Config) { cfg.Listen.ProxyProtocol = "required" }, []string{
			"listen.trusted_proxies: is empty, listen.proxy_protocol needs it"}},
		{"one address for two", func(cfg *Config) { cfg.Admin.Address = cfg.Listen.Address }, []string{
			"admin.address: is 127.0.0.1:8080, which listen.address is too"}},
		{"old tokens nobody looks for", func(cfg *Config) { cfg.Tokens.SweepInterval, cfg.Tokens.UnclaimedAfter = 0, 24*time.Hour }, []string{
			"tokens.unclaimed_after: is set, but tokens.sweep_interval is 0s: nothing is deleted"}},
		{"a JWK Set for anybody", func(cfg *Config) { cfg.JWT.Sets = []string{"https://login.example.com/jwks"} }, []string{
			"jwt.audiences: is empty, jwt.jwks needs it: the issuer signs for other programs too",
			"jwt.issuers: is empty, jwt.jwks needs it or an issuer before each URL"}},
		{"a JWK Set for us", func(cfg *Config) {
			cfg.JWT.Sets, cfg.JWT.Audiences = []string{"https://login.example.com/ https://login.example.com/jwks"}, []string{"pbx"}
		}, nil},
		{"JWTs that do not fit", func(cfg *Config) {
			cfg.JWT.Keys, cfg.JWT.MaxBytes = []string{"HS256 /etc/secret"}, 8*KiB
		}, []string{"jwt.max_bytes: 8KiB and 256 bytes around it are more than limits.unauthenticated_bytes, which is 8KiB"}},
		{"tickets that fit just so", func(cfg *Config) { cfg.Tokens.Tickets, cfg.Tokens.TicketBytes = time.Minute, 7*KiB }, nil},
		{"tickets that do not fit", func(cfg *Config) { cfg.Tokens.Tickets, cfg.Tokens.TicketBytes = time.Minute, 7*KiB+1 }, []string{
			"tokens.ticket_bytes: 7169 and 1024 bytes around it are more than limits.unauthenticated_bytes, which is 8KiB"}},
		{"tickets that would not fit if there were any", func(cfg *Config) { cfg.Tokens.TicketBytes = 8 * KiB }, nil},
		{"JWTs that would not fit if there were any", func(cfg *Config) { cfg.JWT.MaxBytes = 8 * KiB }, nil},
		{"what nobody gets", func(cfg *Config) { cfg.JWT.Services = []string{"weather"} }, []string{
			"jwt.services: is set, but jwt.keys and jwt.jwks are empty: no JWT is accepted"}},
		{"any port for two", func(cfg *Config) { cfg.Admin.Address, cfg.Listen.Address = "127.0.0.1:0", "127.0.0.1:0" }, nil},
		{"nothing set", func(cfg *Config) { *cfg = Config{} }, []string{
			"admin.actors: 0 is too small, the smallest is 1",
			"admin.connections: 0 is too small, the smallest is 1",
			"admin.dead_letter_bytes: 0 is too small, the smallest is 64KiB",
			"admin.header_bytes: 0 is too small, the smallest is 1KiB",
			"admin.idle_timeout: 0s is too small, the smallest is 1s",
			"admin.log_bytes: 0 is too small, the smallest is 64KiB",
			"admin.password_attempts: 0 is too small, the smallest is 1",
			"admin.read_timeout: 0s is too small, the smallest is 100ms",
			"admin.services: 0 is too small, the smallest is 1",
			"admin.session: 0s is too small, the smallest is 1m",
			"admin.write_timeout: 0s is too small, the smallest is 100ms",
			"apikeys.checks: 0 is too small, the smallest is 1",
			"apikeys.max_keys: 0 is too small, the smallest is 1",
			"cluster.inbound_bytes: 0 is too small, the smallest is 1MiB",
			`cluster.name: "" is not made of 1 to 64 letters, digits, - and _`,
			"cluster.offered: 0 is too small, the smallest is 100",
			"cluster.pending_bytes: 0 is too small, the smallest is 16MiB",
			"cluster.queue_bytes: 0 is too small, the smallest is 1MiB",
			"cluster.singleton_wait: 0s is too small, the smallest is 100ms",
			"cluster.visitors: 0 is too small, the smallest is 1024",
			"cluster.watched: 0 is too small, the smallest is 1000",
			"cluster.wills: 0 is too small, the smallest is 1024",
			"conferences.push_queue: 0 is too small, the smallest is 10",
			"conferences.push_wait: 0s is too small, the smallest is 10ms",
			"dashboard.cpu_interval: 0s is too small, the smallest is 1s",
			"dashboard.network_interval: 0s is too small, the smallest is 1s",
			"database.connections: 0 is too small, the smallest is 1",
			"database.name_age: 0s is too small, the smallest is 1s",
			"database.names: 0 is too small, the smallest is 100",
			"database.rows: 0 is too small, the smallest is 100",
			"database.timeout: 0s is too small, the smallest is 100ms",
			"heartbeat.interval: 0s is too small, the smallest is 100ms",
			"heartbeat.limit: 0s is too small, the smallest is 1s",
			"http.batch: 0 is too small, the smallest is 1",
			"http.body_timeout: 0s is too small, the smallest is 100ms",
			"http.idempotency_bytes: 0 is too small, the smallest is 64KiB",
			"http.idempotency_keys: 0 is too small, the smallest is 1",
			"jwt.jwks_bytes: 0 is too small, the smallest is 1KiB",
			"jwt.jwks_interval: 0s is too small, the smallest is 10s",
			"jwt.jwks_keep: 0s is too small, the smallest is 1m",
			"jwt.jwks_keys: 0 is too small, the smallest is 1",
			"jwt.jwks_retry: 0s is too small, the smallest is 1s",
			"jwt.jwks_timeout: 0s is too small, the smallest is 100ms",
			"jwt.jwks_wait: 0s is too small, the smallest is 10ms",
			"jwt.jwks_waiting: 0 is too small, the smallest is 1",
			"jwt.max_bytes: 0 is too small, the smallest is 512",
			"keepalive.tcp: 0s is too small, the smallest is 1s",
			"limits.authentication_attempts: 0 is too small, the smallest is 1",
			"limits.authentication_timeout: 0s is too small, the smallest is 100ms",
			"limits.client_bytes: 0 is too small, the smallest is 1KiB",
			"limits.connections: 0 is too small, the smallest is 1",
			"limits.depth: 0 is too small, the smallest is 8",
			"limits.filter_values: 0 is too small, the smallest is 1",
			"limits.fragments: 0 is too small, the smallest is 16",
			"limits.header_bytes: 0 is too small, the smallest is 1KiB",
			"limits.header_timeout: 0s is too small, the smallest is 100ms",
			"limits.history_bytes: 0 is too small, the smallest is 64KiB",
			"limits.inbound_messages: 0 is too small, the smallest is 1",
			"limits.keys: 0 is too small, the smallest is 32",
			"limits.outbound_bytes: 0 is too small, the smallest is 64KiB",
			"limits.outbound_messages: 0 is too small, the smallest is 1",
			"limits.pending_bytes: 0 is too small, the smallest is 1KiB",
			"limits.pending_requests: 0 is too small, the smallest is 1",
			"limits.presence_people: 0 is too small, the smallest is 1",
			"limits.service_bytes: 0 is too small, the smallest is 1KiB",
			"limits.service_inbound_messages: 0 is too small, the smallest is 1",
			"limits.service_requests: 0 is too small, the smallest is 1",
			"limits.unauthenticated_bytes: 0 is too small, the smallest is 1KiB",
			"limits.unauthenticated_total_bytes: 0 is too small, the smallest is 1MiB",
			"limits.write_timeout: 0s is too small, the smallest is 100ms",
			`listen.address: "" is not host:port, write it like 127.0.0.1:8080 or [::1]:8080`,
			"listen.compression_level: 0 is too small, the smallest is 1",
			"listen.compression_threshold: 0 is too small, the smallest is 64",
			`listen.proxy_protocol: "" is not one of off, optional, required`,
			`log.format: "" is not one of auto, text, json`,
			`log.level: "" is not one of debug, info, warn, error`,
			"log.queue_bytes: 0 is too small, the smallest is 64KiB",
			"log.refusal_kinds: 0 is too small, the smallest is 1",
			"log.refusal_lines: 0 is too small, the smallest is 1",
			"memory.heap_floor: 0 is too small, the smallest is 4MiB",
			"panel.calls_per_minute: 0 is too small, the smallest is 1",
			"panel.recording_questions: 0 is too small, the smallest is 1",
			`routing.default_policy: "" is not one of deny, allow`,
			"routing.eject_pause: 0s is too small, the smallest is 100ms",
			"routing.health_interval: 0s is too small, the smallest is 100ms",
			`routing.instances: "" is not one of all, balanced, failover`,
			"routing.presence_interval: 0s is too small, the smallest is 100ms",
			"routing.request_timeout: 0s is too small, the smallest is 100ms",
			`routing.unanswered: "" is not one of silent, 504`,
			`routing.unknown_service: "" is not one of silent, 404, 503`,
			`services.active_calls: "" is not one of inside, php`,
			`services.active_conferences: "" is not one of inside, php`,
			`services.operator_panel: "" is not one of inside, php`,
			"services.pool: 0 is too small, the smallest is 1",
			`services.unknown_class: "" is not one of service, client`,
			"switch.command_timeout: 0s is too small, the smallest is 100ms",
			"switch.event_bytes: 0 is too small, the smallest is 16KiB",
			"switch.queue_bytes: 0 is too small, the smallest is 1MiB",
			"switch.queue_events: 0 is too small, the smallest is 16",
			"switch.reply_bytes: 0 is too small, the smallest is 64KiB",
			"tokens.max_bytes: 0 is too small, the smallest is 4KiB",
			"tokens.max_depth: 0 is too small, the smallest is 4",
			"tokens.max_extensions: 0 is too small, the smallest is 100",
			"tokens.max_permissions: 0 is too small, the smallest is 100",
			"tokens.max_services: 0 is too small, the smallest is 16",
			"tokens.reclaim_count: 0 is too small, the smallest is 100",
			"tokens.resume_bytes: 0 is too small, the smallest is 1KiB",
			"tokens.resume_count: 0 is too small, the smallest is 1",
			"tokens.resume_messages: 0 is too small, the smallest is 1",
			"tokens.ticket_bytes: 0 is too small, the smallest is 512",
			"tokens.ticket_count: 0 is too small, the smallest is 100",
			"tokens.waiting: 0 is too small, the smallest is 8",
			"traces.one_in: 0 is too small, the smallest is 1",
			"upgrade.pause: 0s is too small, the smallest is 100ms",
			"upgrade.timeout: 0s is too small, the smallest is 1s"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := Default()
			test.change(cfg)
			err := cfg.Validate()
			if test.want != nil {
				wantError(t, err, test.want...)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}
