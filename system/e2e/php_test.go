package e2e

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	labService     = "lab.clock"
	labDomain      = "lab.example.com"
	labPermissions = 300
)

// request is a line for ws_client.php.
type request struct {
	ID      any    `json:"request_id"`
	Topic   string `json:"topic"`
	Payload any    `json:"payload"`
}

// broadcast is a line for ws_service.php.
type broadcast struct {
	Topic   string         `json:"topic"`
	Payload map[string]any `json:"payload"`
}

func startPHPService(t *testing.T, d *daemon) *phpProcess {
	t.Helper()
	return startPHP(t, d, "ws_service.php", labService)
}

func startPHPClient(t *testing.T, d *daemon) *phpProcess {
	t.Helper()
	return startPHP(t, d, "ws_client.php", labService, strconv.Itoa(labPermissions), labDomain)
}

// TestPHP has a PHP client talk with a PHP service through the daemon.
func TestPHP(t *testing.T) {
	lookPath(t, "STROWGER_REQUIRE_PHP", "php")
	t.Parallel()
	d := startDaemon(t, "")
	service := startPHPService(t, d)
	client := startPHPClient(t, d)
	t.Run("tokens are used up", func(t *testing.T) { checkNoTokens(t, d) })
	t.Run("request", func(t *testing.T) { checkRequest(t, client, service) })
	t.Run("large reply", func(t *testing.T) { checkLargeReply(t, client, service) })
	t.Run("broadcast", func(t *testing.T) { checkBroadcast(t, client, service) })
	service = restart(t, d, service)
	t.Run("request after restart", func(t *testing.T) { checkRequest(t, client, service) })
	t.Run("broadcast after restart", func(t *testing.T) { checkBroadcast(t, client, service) })
	d.stop(t)
	for _, peer := range []*phpProcess{client, service} {
		if closed := peer.want(t, "closed"); closed.Code != 1001 {
			t.Errorf("%s was closed with %d, want 1001", peer.script, closed.Code)
		}
	}
}

func checkNoTokens(t *testing.T, d *daemon) {
	entries, err := os.ReadDir(d.TokenDir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) > 0 {
		t.Errorf("%d token files are left, want none: %v", len(entries), entries)
	}
}

// checkRequest looks at a request as the service gets it and at its reply as the client does.
func checkRequest(t *testing.T, client, service *phpProcess) {
	payload := map[string]any{"text": "grüße/\"\\\u2028", "list": []any{1.0, nil, true}}
	client.tell(t, request{ID: "7", Topic: "echo", Payload: payload})

	got := service.message(t)
	checkKeys(t, got)
	checkFields(t, got, map[string]any{
		"service_name": labService, "topic": "echo", "request_id": "7", "payload": payload,
		"domain_name": labDomain, "domain_uuid": "11111111-1111-4111-8111-111111111111",
		"status_string": "", "status_code": "", "permissions": labPermissionMap(),
	})
	if id, _ := got["resource_id"].(string); !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(id) {
		t.Errorf("resource_id is %q, want 32 hex digits", id)
	}

	reply := client.message(t)
	checkKeys(t, reply)
	checkFields(t, reply, map[string]any{
		"service_name": labService, "topic": "echo", "request_id": "7", "payload": payload,
		"status_string": "ok", "status_code": 200.0, "resource_id": "", "permissions": []any{},
	})
}

func labPermissionMap() map[string]any {
	permissions := map[string]any{}
	for number := range labPermissions {
		permissions[fmt.Sprintf("lab_permission_number_%d", number+1)] = true
	}
	return permissions
}

// checkLargeReply wants a reply of 200 KiB whole and alone, and the number in its request_id kept one.
func checkLargeReply(t *testing.T, client, service *phpProcess) {
	const size = 200 << 10
	client.tell(t, request{ID: 8, Topic: "large", Payload: map[string]any{"bytes": size}})
	service.message(t)
	reply := client.message(t)
	checkFields(t, reply, map[string]any{"request_id": 8.0, "status_code": 200.0})
	payload, _ := reply["payload"].(map[string]any)
	if fill, _ := payload["fill"].(string); fill != strings.Repeat("x", size) {
		t.Errorf("reply holds %d bytes, want %d times x", len(fill), size)
	}
}

func checkBroadcast(t *testing.T, client, service *phpProcess) {
	payload := map[string]any{"event_name": "TICK", "domain_name": labDomain, "count": 1.0}
	service.tell(t, broadcast{Topic: "tick", Payload: payload})
	got := client.message(t)
	checkKeys(t, got)
	checkFields(t, got, map[string]any{
		"service_name": labService, "topic": "tick", "request_id": "", "payload": payload,
		"status_string": "", "status_code": "",
	})
}

// restart lets the service leave, with its close frame that has no mask, and starts another one.
func restart(t *testing.T, d *daemon, service *phpProcess) *phpProcess {
	t.Helper()
	if err := service.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	service.want(t, "left")
	return startPHPService(t, d)
}

// envelopeKeys are the keys of every envelope (protocol 3.1).
func envelopeKeys() []string {
	return []string{
		"domain_name", "domain_uuid", "id", "payload", "permissions", "request_id", "resource_id",
		"service_name", "status_code", "status_string", "token_hash", "token_name", "topic",
	}
}

func checkKeys(t *testing.T, envelope map[string]any) {
	t.Helper()
	if keys := slices.Sorted(maps.Keys(envelope)); !slices.Equal(keys, envelopeKeys()) {
		t.Errorf("envelope has the keys %v, want %v", keys, envelopeKeys())
	}
}

func checkFields(t *testing.T, envelope, want map[string]any) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if !reflect.DeepEqual(envelope[key], want[key]) {
			t.Errorf("%s is %#v, want %#v", key, envelope[key], want[key])
		}
	}
}

// TestPHPKeepsAlive has the daemon ping often and give up soon on a client that does not answer. The
// PHP client answers without a mask; the PHP service, silent meanwhile, is not one to give up on.
func TestPHPKeepsAlive(t *testing.T) {
	lookPath(t, "STROWGER_REQUIRE_PHP", "php")
	t.Parallel()
	d := startDaemon(t, "keepalive:\n  ping_interval: 1s\n  idle_timeout: 2500ms\n")
	service := startPHPService(t, d)
	client := startPHPClient(t, d)
	for range 4 { // more than idle_timeout
		client.want(t, "ping")
	}
	checkRequest(t, client, service)
	checkBroadcast(t, client, service)
}
