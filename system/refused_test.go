package system

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lxzan/gws"

	"strowger/config"
	"strowger/system/service"
)

// journal keeps the lines of a log.
type journal struct {
	mu  sync.Mutex // Protects out.
	out bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.out.Write(p)
}

// text returns all that was written.
func (j *journal) text() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.out.String()
}

// lines returns those of one cause.
func (j *journal) lines(t *testing.T, cause string) []map[string]any {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	var found []map[string]any
	for d := json.NewDecoder(bytes.NewReader(j.out.Bytes())); d.More(); {
		var line map[string]any
		if err := d.Decode(&line); err != nil {
			t.Fatal(err)
		}
		if line["cause"] == cause {
			found = append(found, line)
		}
	}
	return found
}

// await returns the one line of a cause.
func (j *journal) await(t *testing.T, cause string) map[string]any {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-ticker.C {
		if lines := j.lines(t, cause); len(lines) > 0 {
			return lines[0]
		}
	}
	t.Fatalf("no line with cause %s", cause)
	return nil
}

// startJournal is start with a log that the test can read.
func startJournal(t *testing.T, cfg *config.Config, list ...*service.Service) (*System, *journal) {
	t.Helper()
	j := new(journal)
	s, _ := startLogged(t, cfg, slog.New(slog.NewJSONHandler(j, nil)), list...)
	return s, j
}

// knock sends an upgrade request with more header lines and returns the status of the answer.
func knock(t *testing.T, s *System, host, lines string) (int, net.Conn) {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n%s\r\n", host, lines)
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	return r.StatusCode, conn
}

func TestOriginIsNamed(t *testing.T) {
	s, j := startJournal(t, testConfig(t))
	for range 5 {
		if status, _ := knock(t, s, "127.0.0.1:8080", "Origin: https://pbx.example.com\r\n"); status != http.StatusForbidden {
			t.Fatalf("status %d, want 403", status)
		}
	}
	line := j.await(t, "origin")
	if line["level"] != "WARN" || line["host"] != "127.0.0.1:8080" || line["origin"] != "https://pbx.example.com" || line["setting"] != "listen.origins" {
		t.Errorf("got %v, want both headers and the setting", line)
	}
	if n := len(j.lines(t, "origin")); n != 1 {
		t.Errorf("%d lines for one page, want 1", n)
	}
	if n := s.source().Metrics().Cut["origin"]; n != 5 {
		t.Errorf("counted %d, want 5", n)
	}
}

func TestRemoteIsTheClients(t *testing.T) {
	for name, tc := range map[string]struct {
		proxies []string
		want    string // a beginning
	}{
		"proxy that is trusted": {[]string{"127.0.0.1"}, "203.0.113.9"},
		"nobody is trusted":     {nil, "127.0.0.1:"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(t)
			cfg.Listen.TrustedProxies = tc.proxies
			s, j := startJournal(t, cfg)
			const forwarded = "X-Forwarded-For: 198.51.100.1, 203.0.113.9\r\n"
			knock(t, s, "a.example", forwarded+"Origin: https://b.example\r\n")
			if got := j.await(t, "origin")["remote"].(string); !strings.HasPrefix(got, tc.want) {
				t.Errorf("refused handshake: remote %s, want %s", got, tc.want)
			}
			_, conn := knock(t, s, "a.example", forwarded)
			// A frame that is not masked is an error.
			if _, err := conn.Write([]byte{0x81, 1, 'x'}); err != nil {
				t.Fatal(err)
			}
			if got := j.await(t, "protocol_error")["remote"].(string); !strings.HasPrefix(got, tc.want) {
				t.Errorf("open connection: remote %s, want %s", got, tc.want)
			}
		})
	}
}

// A port check and a connection that a browser keeps in reserve are no lines in the log.
func TestPortChecksAreQuiet(t *testing.T) {
	s, j := startJournal(t, testConfig(t))
	for range 50 {
		conn, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
	}
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); s.source().Metrics().Cut["abandoned"] < 50; <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("counted %d, want 50", s.source().Metrics().Cut["abandoned"])
		}
	}
	if lines := j.lines(t, "abandoned"); len(lines) != 0 {
		t.Errorf("logged %v, want nothing", lines)
	}
}

func TestWhoIsCutOffIsNamed(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.ClientBytes, cfg.Limits.ServiceBytes = 4<<10, 8<<10
	cfg.Limits.AuthenticationAttempts = 2
	s, j := startJournal(t, cfg)
	long := strings.Repeat("x", 16<<10)
	check := func(cause, role, setting string) {
		t.Helper()
		line := j.await(t, cause)
		for _, l := range j.lines(t, cause) {
			if l["role"] == role {
				line = l
			}
		}
		if got, _ := line["setting"].(string); line["level"] != "WARN" || line["role"] != role || got != setting {
			t.Errorf("%s: got %v, want role %s and setting %s", cause, line, role, setting)
		}
	}
	client := join(t, s, user("a.example", nil))
	client.sendf("%s", long)
	<-client.closed
	check("message_too_big", "client", "limits.client_bytes")
	service := join(t, s, remote("clock", "clock_service"))
	service.sendf("%s", long)
	<-service.closed
	check("message_too_big", "service", "limits.service_bytes")
	text := join(t, s, user("a.example", nil))
	_ = text.conn.WriteMessage(gws.OpcodeText, []byte("\xff"))
	<-text.closed
	check("not_utf8", "client", "")

	status, conn := knock(t, s, "a.example", "")
	if status != http.StatusSwitchingProtocols {
		t.Fatalf("status %d, want 101", status)
	}
	for range 2 {
		if _, err := conn.Write(maskedText(`{"service":"authentication","token":{"name":"n"}}`)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Fatal(err)
	}
	if got, _ := j.await(t, "token")["err"].(string); !strings.Contains(got, "token.hash is missing") {
		t.Errorf("a token without a hash: err %q", got)
	}
	check("authentication_attempts", "unauthenticated", "limits.authentication_attempts")
}

// maskedText returns a short text as a client sends it, under a mask of zeros.
func maskedText(text string) []byte {
	return append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...)
}

// Tabs that come back with a used token are one line a minute, and do not hide another cause.
func TestStaleTabsAreOneLine(t *testing.T) {
	s, j := startJournal(t, testConfig(t))
	for i := range 20 {
		_, conn := knock(t, s, "a.example", "")
		name := fmt.Sprintf("%064d", i)
		if i == 19 {
			name = "short"
		}
		if _, err := conn.Write(longText(fmt.Sprintf(`{"service":"authentication","token":{"name":%q,"hash":"%064d"}}`, name, i))); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all are counted", func() bool { return s.source().Metrics().Cut["token"] == 20 })
	// A refusal is counted before its line is written.
	eventually(t, "there is a line for each cause", func() bool { return len(j.lines(t, "token")) >= 2 })
	if lines := j.lines(t, "token"); len(lines) != 2 {
		t.Errorf("%d lines, want one for tokens that are gone and one for the malformed: %v", len(lines), lines)
	}
}

// longText is maskedText for up to 64 KiB.
func longText(text string) []byte {
	head := []byte{0x81, 0x80 | 126, byte(len(text) >> 8), byte(len(text)), 0, 0, 0, 0}
	return append(head, text...)
}

func TestLateIsNamed(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.AuthenticationTimeout = 100 * time.Millisecond
	s, j := startJournal(t, cfg)
	knock(t, s, "a.example", "")
	line := j.await(t, "authentication_timeout")
	if line["setting"] != "limits.authentication_timeout" || line["level"] != "WARN" {
		t.Errorf("got %v", line)
	}
	cfg = testConfig(t) // of another router: on a slow machine no handshake ends in so short a time
	cfg.Limits.HeaderTimeout = 100 * time.Millisecond
	s, j = startJournal(t, cfg)
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if line := j.await(t, "header_timeout"); line["setting"] != "limits.header_timeout" {
		t.Errorf("got %v", line)
	}
}

func TestFullIsNamed(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.Connections = 1
	s, j := startJournal(t, cfg)
	join(t, s, user("a.example", nil))
	for range 3 {
		conn, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if r, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || r.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("response %v, err %v; want 503", r, err)
		}
		_ = conn.Close()
	}
	line := j.await(t, "connections")
	if line["setting"] != "limits.connections" || line["limit"] != 1.0 || line["connections"] != 1.0 {
		t.Errorf("got %v, want the setting and both numbers", line)
	}
	if n := len(j.lines(t, "connections")); n != 1 || s.source().Metrics().Cut["connections"] != 3 {
		t.Errorf("%d lines, counted %d; want 1 and 3", n, s.source().Metrics().Cut["connections"])
	}
}

// Whatever a host writes, it has one line a minute for each cause and reason.
func TestLogOfAFlood(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.AuthenticationAttempts = 1000
	s, j := startJournal(t, cfg)
	const each = 200
	for i := range each {
		knock(t, s, fmt.Sprintf("host%d.example", i), fmt.Sprintf("Origin: https://page%d.example\r\nX-Forwarded-For: 203.0.113.%d\r\n", i, i))
		knock(t, s, "a.example", fmt.Sprintf("X-Other: %d\r\nContent-Length: %d\r\n", i, i+1))
	}
	p := connectAt(t, s.Addr().String())
	for i := range each {
		token := fmt.Sprintf("%064d", i)
		p.sendf(`{"service":"authentication","token":{"name":%q,"hash":%q}}`, token, token)
		if got := <-p.got; string(got.Code) != "401" {
			t.Fatalf("token %d gets %v", i, got)
		}
	}
	for _, cause := range []string{"origin", "handshake", "token"} {
		// A slow machine may take more than a minute, and then the next one has a line too.
		if n := len(j.lines(t, cause)); n == 0 || n > 10 {
			t.Errorf("%s: %d lines, want 1", cause, n)
		}
		if n := s.source().Metrics().Cut[cause]; n < each {
			t.Errorf("%s: counted %d, want %d", cause, n, each)
		}
	}
}
