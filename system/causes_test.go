package system

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lxzan/gws"

	"strowger/config"
	"strowger/config/policy"
)

// provoked is a cause that a test can bring about in a running router, and what its line must say.
type provoked struct {
	settings func(*config.Config)
	act      func(t *testing.T, s *System)
	role     string            // empty: the handshake is not over
	setting  string            // empty: no setting decides
	says     map[string]string // keys, and regular expressions of their values
}

// known is what a line says of an authenticated peer.
const known = `^[0-9a-f]{32}$`

// provokedCauses are the causes that need nothing but a socket.
func provokedCauses() map[string]provoked {
	return map[string]provoked{
		"handshake": {
			act:  func(t *testing.T, s *System) { tell(t, s, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n") },
			says: map[string]string{"status": `^4\d\d$`, "reason": ".", "host": "^a.example$"},
		},
		"origin": {
			act:     func(t *testing.T, s *System) { knock(t, s, "a.example", "Origin: https://b.example\r\n") },
			setting: "listen.origins",
			says:    map[string]string{"status": "^403$", "host": "^a.example$", "origin": "^https://b.example$"},
		},
		"proxy_header": {
			settings: func(c *config.Config) {
				c.Listen.TrustedProxies, c.Listen.ProxyProtocol = []string{"127.0.0.1"}, "required"
			},
			act:     func(t *testing.T, s *System) { tell(t, s, "PROXY nonsense\r\n") },
			setting: "listen.proxy_protocol, listen.trusted_proxies",
			says:    map[string]string{"err": "."},
		},
		"header_bytes": {
			act:     func(t *testing.T, s *System) { tell(t, s, "GET /"+strings.Repeat("x", 16<<10)+" HTTP/1.1\r\n\r\n") },
			setting: "limits.header_bytes",
			says:    map[string]string{"status": "^431$"},
		},
		"header_timeout": {
			settings: func(c *config.Config) { c.Limits.HeaderTimeout = 100 * time.Millisecond },
			act:      func(t *testing.T, s *System) { tell(t, s, "GET / HT") },
			setting:  "limits.header_timeout",
		},
		"token": {
			act: func(t *testing.T, s *System) {
				connectAt(t, s.Addr().String()).sendf(`{"service":"authentication","token":{"name":%q,"hash":%[1]q}}`, strings.Repeat("0", 64))
			},
			role: "unauthenticated", setting: "tokens.reclaim",
			says: map[string]string{"attempt": "^1$", "err": "token"},
		},
		"authentication_attempts": {
			settings: func(c *config.Config) { c.Limits.AuthenticationAttempts = 1 },
			act: func(t *testing.T, s *System) {
				connectAt(t, s.Addr().String()).sendf(`{"service":"authentication","token":{"name":"n","hash":"h"}}`)
			},
			role: "unauthenticated", setting: "limits.authentication_attempts", says: map[string]string{"limit": "^1$"},
		},
		"authentication_timeout": {
			settings: func(c *config.Config) { c.Limits.AuthenticationTimeout = 100 * time.Millisecond },
			act:      func(t *testing.T, s *System) { knock(t, s, "a.example", "") },
			role:     "unauthenticated", setting: "limits.authentication_timeout", says: map[string]string{"limit": "^100ms$"},
		},
		"message_too_big": {
			settings: func(c *config.Config) { c.Limits.ClientBytes = config.KiB },
			act:      func(t *testing.T, s *System) { named(t, s).sendf("%s", strings.Repeat("x", 5000)) },
			role:     "client", setting: "limits.client_bytes",
			says: map[string]string{"limit": "^1024$", "reason": "5000", "code": "^1009$", "subscriber": known, "user": "^alice$", "domain": "^a.example$"},
		},
		"fragments": {
			settings: func(c *config.Config) { c.Limits.Fragments = 16 },
			act: func(t *testing.T, s *System) {
				_, conn := knock(t, s, "a.example", "")
				empty := []byte{0x01, 0x80, 0, 0, 0, 0}
				if _, err := conn.Write(append(empty, bytes.Repeat([]byte{0x00, 0x80, 0, 0, 0, 0}, 16)...)); err != nil {
					t.Fatal(err)
				}
			},
			role: "unauthenticated", setting: "limits.fragments", says: map[string]string{"limit": "^16$", "code": "^1009$"},
		},
		"depth": {
			settings: func(c *config.Config) { c.Limits.Depth = 8 },
			act:      func(t *testing.T, s *System) { named(t, s).sendf(`{"payload":[[[[[[[[]]]]]]]]}`) },
			role:     "client", setting: "limits.depth",
			says: map[string]string{"limit": "^8$", "subscriber": known},
		},
		"keys": {
			settings: func(c *config.Config) { c.Limits.Keys = 32 },
			act:      func(t *testing.T, s *System) { named(t, s).sendf(`{"a":1%s}`, strings.Repeat(`,"a":1`, 32)) },
			role:     "client", setting: "limits.keys",
			says: map[string]string{"limit": "^32$", "subscriber": known},
		},
		"connections_per_address": {
			settings: func(c *config.Config) { c.Limits.PerAddress = 1 },
			act: func(t *testing.T, s *System) {
				named(t, s)
				if status, _ := knock(t, s, "a.example", ""); status != 503 {
					t.Errorf("status %d, want 503", status)
				}
			},
			setting: "limits.connections_per_address", says: map[string]string{"status": "^503$", "reason": "one address", "err": "^1 are open"},
		},
		"service_requests": {
			settings: func(c *config.Config) { c.Routing.DefaultPolicy, c.Limits.ServiceRequests = "allow", 1 },
			act: func(t *testing.T, s *System) {
				join(t, s, remote("texts", "texts_service"))
				c := named(t, s)
				for n := range 17 { // of which each client may have 16
					c.sendf(`{"service":"texts","topic":"messages","request_id":"%d"}`, n)
				}
			},
			role: "client", setting: "limits.service_requests",
			says: map[string]string{"service": "^texts$", "subscriber": known, "user": "^alice$"},
		},
		"protocol_error": {
			act: func(t *testing.T, s *System) {
				_, conn := knock(t, s, "a.example", "")
				if _, err := conn.Write([]byte{0x81, 1, 'x'}); err != nil {
					t.Fatal(err)
				}
			},
			role: "unauthenticated", says: map[string]string{"reason": "not masked", "code": "^1002$"},
		},
		"not_utf8": {
			act:  func(t *testing.T, s *System) { _ = named(t, s).conn.WriteMessage(gws.OpcodeText, []byte("\xff")) },
			role: "client", says: map[string]string{"code": "^1007$", "subscriber": known, "user": "^alice$"},
		},
		"idle": {
			settings: func(c *config.Config) {
				c.Keepalive.PingInterval, c.Keepalive.IdleTimeout = time.Second, 2*time.Second
			},
			act:  func(t *testing.T, s *System) { knock(t, s, "a.example", "") }, // it answers no ping
			role: "unauthenticated", setting: "keepalive.idle_timeout", says: map[string]string{"limit": "^2s$"},
		},
		"connections": {
			settings: func(c *config.Config) { c.Limits.Connections = 1 },
			act: func(t *testing.T, s *System) {
				named(t, s)
				tell(t, s, "")
			},
			setting: "limits.connections", says: map[string]string{"limit": "^1$", "connections": "^1$"},
		},
		"client_places": {
			settings: func(c *config.Config) { c.Limits.Connections, c.Limits.ServiceReserve = 4, 1 },
			act: func(t *testing.T, s *System) {
				for range 3 {
					named(t, s)
				}
				made := mint(t, s.running.Load().Tokens.Directory, user("a.example", nil))
				connectAt(t, s.Addr().String()).sendf(`{"service":"authentication","token":{"name":%q,"hash":%q}}`, made.Name, made.Hash)
			},
			role: "unauthenticated", setting: "limits.connections, limits.service_reserve",
		},
		"unauthenticated": {
			settings: func(c *config.Config) { c.Limits.Unauthenticated = 1 },
			act: func(t *testing.T, s *System) {
				for range 3 {
					knock(t, s, "a.example", "")
				}
			},
			setting: "limits.unauthenticated", says: map[string]string{"limit": "^1$", "connections": `^\d+$`},
		},
		"request_refused": {
			settings: governed(policy.Policy{Require: []string{"texts_view"}, Scopes: []policy.Scope{{To: policy.All}}}),
			act: func(t *testing.T, s *System) {
				join(t, s, remote("texts", "texts_service"))
				named(t, s).sendf(`{"service":"texts","topic":"messages","request_id":"1"}`)
			},
			setting: "policies",
			says:    map[string]string{"rule": "texts_view", "service": "^texts$", "class": "^texts_service$", "subscriber": known, "user": "^alice$"},
		},
		"reply_dropped": {
			settings: governed(policy.Policy{Scopes: []policy.Scope{{To: policy.Domain, Keys: []string{"domain"}}}}),
			act: func(t *testing.T, s *System) {
				texts := join(t, s, remote("texts", "texts_service"))
				named(t, s).sendf(`{"service":"texts","topic":"messages","request_id":"1","payload":{"domain":"a.example"}}`)
				asked := texts.next()
				texts.sendf(`{"service_name":"texts","topic":"messages","request_id":"1","resource_id":%q,"status_code":200,"payload":{"other":1}}`, asked.ResourceID)
			},
			setting: "policies",
			says:    map[string]string{"rule": ".", "service": "^texts$", "class": "^texts_service$", "subscriber": known, "user": "^alice$"},
		},
		"foreign_name": {
			act: func(t *testing.T, s *System) {
				named(t, s, "faxes")
				join(t, s, remote("texts", "texts_service")).sendf(`{"service_name":"faxes","payload":1}`)
			},
			role: "service", setting: "services.classes",
			says: map[string]string{"name": "^faxes$", "service": "^texts$", "class": "^texts_service$", "subscriber": known, "why": "class"},
		},
		"unknown_name": {
			settings: func(c *config.Config) { c.Services.Classes = []string{"texts_service"} },
			act: func(t *testing.T, s *System) {
				join(t, s, remote("texts", "texts_service")).sendf(`{"service_name":"nobody","payload":1}`)
			},
			role: "service", says: map[string]string{"name": "^nobody$", "service": "^texts$", "class": "^texts_service$", "subscriber": known},
		},
		"unanswered": {
			settings: func(c *config.Config) {
				c.Routing.DefaultPolicy, c.Routing.Unanswered, c.Routing.RequestTimeout = "allow", "504", 100*time.Millisecond
			},
			act: func(t *testing.T, s *System) {
				join(t, s, remote("texts", "texts_service"))
				named(t, s).sendf(`{"service":"texts","topic":"messages","request_id":"1"}`)
			},
			role: "client", setting: "routing.request_timeout, routing.unanswered",
			says: map[string]string{"service": "^texts$", "class": "^texts_service$", "subscriber": known, "user": "^alice$"},
		},
		"ejected": {
			settings: func(c *config.Config) {
				c.Routing.DefaultPolicy, c.Routing.EjectSilence = "allow", 100*time.Millisecond
			},
			act: func(t *testing.T, s *System) {
				join(t, s, remote("texts", "texts_service"))
				c := named(t, s)
				c.sendf(`{"service":"texts","topic":"messages","request_id":"1"}`)
				c.gets(`503 texts/messages #"1" null`)
				c.sendf(`{"service":"texts","topic":"messages","request_id":"2"}`)
			},
			role: "client", setting: "routing.eject_after, routing.eject_silence, routing.health",
			says: map[string]string{"service": "^texts$", "subscriber": known, "user": "^alice$"},
		},
		"pending_requests": {
			settings: func(c *config.Config) { c.Routing.DefaultPolicy, c.Limits.PendingRequests = "allow", 1 },
			act: func(t *testing.T, s *System) {
				join(t, s, remote("texts", "texts_service"))
				c := named(t, s)
				c.sendf(`{"service":"texts","topic":"messages","request_id":"1"}`)
				c.sendf(`{"service":"texts","topic":"messages","request_id":"2"}`)
			},
			role: "client", setting: "limits.pending_requests",
			says: map[string]string{"service": "^texts$", "subscriber": known, "user": "^alice$"},
		},
		"filter_values": {
			settings: func(c *config.Config) { c.Limits.FilterValues = 1 },
			act: func(t *testing.T, s *System) {
				c := connectAt(t, s.Addr().String())
				made := mint(t, s.running.Load().Tokens.Directory, user("a.example", nil, "texts"))
				c.sendf(`{"service":"authentication","token":{"name":%q,"hash":%q},"payload":{"filters":{"texts":{"topics":["a","b"]}}}}`, made.Name, made.Hash)
			},
			role: "client", setting: "limits.filter_values",
			says: map[string]string{"limit": "^1$", "subscriber": known},
		},
		"presence_people": {
			settings: func(c *config.Config) {
				c.Limits.PresencePeople = 1
				c.Policies = map[string]policy.Policy{"texts": {Scopes: []policy.Scope{{To: policy.All}}, Presence: []string{policy.UserName}}}
			},
			act: func(t *testing.T, s *System) {
				join(t, s, user("a.example", nil, "texts"))
				alice := user("a.example", nil, "texts")
				alice.UserName = "alice"
				join(t, s, alice)
			},
			role: "client", setting: "limits.presence_people",
			says: map[string]string{"service": "^texts$", "limit": "^1$", "subscriber": known, "user": "^alice$"},
		},
		"http_rate": {
			settings: func(c *config.Config) { c.Listen.HTTP, c.HTTP.Rate = true, 1 },
			act: func(t *testing.T, s *System) {
				for range 2 { // each may send more at once than its rate, and not again for a hundred seconds
					knockByHTTP(t, s, "", "["+strings.Repeat(`{"service":"texts"},`, 99)+`{"service":"texts"}]`)
				}
			},
			setting: "http.rate", says: map[string]string{"status": "^429$"},
		},
		"http_body_timeout": {
			settings: func(c *config.Config) { c.Listen.HTTP, c.HTTP.BodyTimeout = true, 100*time.Millisecond },
			act:      func(t *testing.T, s *System) { knockByHTTP(t, s, "Content-Length: 10\r\n", "") },
			setting:  "http.body_timeout", says: map[string]string{"status": "^408$"},
		},
		"http_idempotency_keys": {
			settings: func(c *config.Config) {
				c.Listen.HTTP, c.HTTP.IdempotencyKeys, c.Routing.DefaultPolicy = true, 1, "allow"
			},
			act: func(t *testing.T, s *System) {
				texts := join(t, s, remote("texts", "texts_service"))
				knockByHTTP(t, s, "Idempotency-Key: a\r\n", `{"service":"texts","topic":"messages"}`)
				texts.next()
				knockByHTTP(t, s, "Idempotency-Key: b\r\n", `{"service":"texts","topic":"messages"}`)
			},
			setting: "http.idempotency_keys", says: map[string]string{"status": "^503$"},
		},
		"broadcast_unheard": {
			settings: governed(policy.Policy{Scopes: []policy.Scope{{To: policy.Domain, Keys: []string{"domain"}}}}),
			act: func(t *testing.T, s *System) {
				named(t, s, "texts")
				join(t, s, remote("texts", "texts_service")).sendf(`{"service_name":"texts","topic":"sent","payload":{"other":1}}`)
			},
			role: "service", setting: "policies",
			says: map[string]string{"rule": ".", "service": "^texts$", "class": "^texts_service$", "topic": "^sent$", "subscriber": known},
		},
		"unknown_class": {
			settings: func(c *config.Config) { c.Services.UnknownClass = "client" },
			act:      func(t *testing.T, s *System) { join(t, s, remote("texts", "texts_service")) },
			role:     "client", setting: "services.classes, services.unknown_class",
			says: map[string]string{"service": "^texts$", "class": "^texts_service$", "subscriber": known},
		},
	}
}

// otherCauses names the tests of the causes that need a slow peer, a broken network, much memory or the end of the router.
// Each reads the line, but for that of abandoned, which is at debug, and those in actors, which count.
func otherCauses() map[string]string {
	return map[string]string{
		"abandoned":             "system/refused_test.go TestPortChecksAreQuiet",
		"accept":                "transport/refused_test.go TestFailingAcceptIsNamed",
		"descriptors":           "system/descriptors_test.go TestTooFewDescriptors",
		"pings_ended":           "transport/silence_test.go TestPingsEnd",
		"renewal":               "system/bearers_test.go TestJWTIsRenewed",
		"shutdown":              "transport/stuck_test.go TestStuckAreCutOff",
		"broadcasts_dropped":    "transport/shed_test.go TestDropOldest",
		"ticket":                "actors/resume_test.go TestNoTicketIsMade",
		"resume_wait":           "actors/suspension_test.go TestTooMuchIsKept",
		"slow_reader":           "system/named_test.go TestIdleAndSlowAreNamed",
		"unchecked":             "system/bearers_test.go TestJWKS",
		"unauthenticated_bytes": "transport/crowd_test.go TestCrowdIsToldWhy",
		"outbound_rate":         "transport/pace_test.go TestRateOfSlowReaders",
		"outbound_total":        "transport/pace_test.go TestSlowestGoFirst",
		"pending_bytes":         "actors/kept_test.go TestKeptForFailover",
		"pending_total_bytes":   "actors/kept_test.go TestAllKept",
		"slow_service":          "actors/instance_test.go TestRefusedRequestIsAnsweredAndForgotten",
		"inbound_total":         "transport/inbound_test.go TestHeaviestGoFirst",
		"message_rate":          "transport/rate_test.go TestFrameRate",
		"byte_rate":             "transport/rate_test.go TestByteRate",
		"unreachable":           "transport/cut_linux_test.go TestCutNetwork",
		"write_timeout":         "transport/egress_test.go TestWriteTimeout",
	}
}

// Each cause has a line at Warn that says who, what and which setting.
func TestEveryCauseIsNamed(t *testing.T) {
	for cause, p := range provokedCauses() {
		t.Run(cause, func(t *testing.T) {
			cfg := testConfig(t)
			if p.settings != nil {
				p.settings(cfg)
			}
			s, j := startJournal(t, cfg)
			p.act(t, s)
			line := j.await(t, cause)
			text := func(key string) string {
				if line[key] == nil {
					return ""
				}
				return fmt.Sprint(line[key])
			}
			if !strings.HasPrefix(text("remote"), "127.0.0.1:") || text("level") != "WARN" || text("role") != p.role || text("setting") != p.setting {
				t.Errorf("got %v, want it at WARN with the peer's address, role %q and setting %q", line, p.role, p.setting)
			}
			for key, want := range p.says {
				if !regexp.MustCompile(want).MatchString(text(key)) {
					t.Errorf("%s is %q, want %s: %v", key, text(key), want, line)
				}
			}
		})
	}
}

// A cause that nobody provokes has a test of its own elsewhere.
func TestNoCauseIsForgotten(t *testing.T) {
	s := start(t, testConfig(t))
	here, elsewhere := provokedCauses(), otherCauses()
	for cause := range s.deps.Refusals().Counts() {
		_, provoked := here[cause]
		where, other := elsewhere[cause]
		if provoked == other {
			t.Errorf("%s: provoked here %t, tested elsewhere %t, want one of the two", cause, provoked, other)
		}
		if !other {
			continue
		}
		file, test, _ := strings.Cut(where, " ")
		text, err := os.ReadFile("../" + file)
		if err != nil {
			t.Fatal(err)
		}
		_, body, found := bytes.Cut(text, []byte("func "+test+"("))
		if !found || !bytes.Contains(body, []byte(cause)) {
			t.Errorf("%s: %s is not there or does not look at the line", cause, where)
		}
	}
}

// named is a client with a user's name.
func named(t *testing.T, s *System, services ...string) *peer {
	t.Helper()
	alice := user("a.example", nil, services...)
	alice.UserName = "alice"
	return join(t, s, alice)
}

// governed lets a policy hold for texts_service.
func governed(p policy.Policy) func(*config.Config) {
	return func(c *config.Config) { c.Policies = map[string]policy.Policy{"texts_service": p} }
}

// knockByHTTP sends a request of alice by HTTP, with these lines in its head. A body brings its length along. What comes
// back is not looked at.
func knockByHTTP(t *testing.T, s *System, lines, body string) {
	t.Helper()
	alice := user("a.example", nil)
	alice.UserName = "alice"
	made := mint(t, s.running.Load().Tokens.Directory, alice)
	if body != "" {
		lines += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	tell(t, s, fmt.Sprintf("POST /request HTTP/1.1\r\nHost: a.example\r\nAuthorization: Basic %s\r\n%s\r\n%s",
		base64.StdEncoding.EncodeToString([]byte(made.Name+":"+made.Hash)), lines, body))
}

// tell writes bytes to a new connection. What comes back is not looked at.
func tell(t *testing.T, s *System, bytes string) {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() { _, _ = io.Copy(io.Discard, conn) }() // ends with the connection
	if _, err := io.WriteString(conn, bytes); err != nil {
		t.Fatal(err)
	}
}
