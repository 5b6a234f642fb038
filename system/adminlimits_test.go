package system

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"strowger/config"
)

// TestAdminLimits: the settings of the admin pages reach them.
func TestAdminLimits(t *testing.T) {
	cfg := testConfig(t)
	cfg.Admin.Address = "127.0.0.1:0"
	cfg.Admin.Actors, cfg.Admin.HeaderBytes = 2, config.KiB
	cfg.Admin.IdleTimeout, cfg.Admin.WriteTimeout = time.Second, 5*time.Second
	s := start(t, cfg)
	metrics := string(get(t, s, "/metrics", http.StatusOK))
	if n := strings.Count(metrics, "strowger_supervisor_running_status{"); n != 2 || strings.Contains(metrics, "strowger_supervisor_omitted_actors 0\n") {
		t.Errorf("%d actors are shown, want 2 and the others omitted", n)
	}
	conn, err := net.Dial("tcp", s.AdminAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: %s\r\n\r\n", strings.Repeat("x", 6<<10))
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a head of 6 KiB is answered %d, want 431", response.StatusCode)
	}
	idle, err := net.Dial("tcp", s.AdminAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	fmt.Fprint(idle, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
	eventually(t, "the idle connection is closed and counted", func() bool {
		return strings.Contains(string(get(t, s, "/metrics", http.StatusOK)), `strowger_admin_refused_total{cause="idle_timeout"} 1`)
	})
}

// TestHandshakes: limits.handshakes reaches the transport, at the start and by a reload, and the metric says that none waits.
func TestHandshakes(t *testing.T) {
	cfg := testConfig(t)
	cfg.Admin.Address = "127.0.0.1:0"
	cfg.Limits.Handshakes = 3
	s := start(t, cfg)
	if n := s.limits.Load().Handshakes; n != 3 {
		t.Errorf("limit %d, want 3", n)
	}
	changed := *cfg
	changed.Limits.Handshakes = 4
	if _, err := s.Reload(&changed); err != nil {
		t.Fatal(err)
	}
	if n := s.limits.Load().Handshakes; n != 4 {
		t.Errorf("limit %d after a reload, want 4", n)
	}
	if metrics := string(get(t, s, "/metrics", http.StatusOK)); !strings.Contains(metrics, "strowger_transport_waiting_handshakes 0\n") {
		t.Error("no metric of the handshakes that wait")
	}
}

// TestRefusalKinds: log.refusal_kinds holds from a reload on, and the metric counts what is not told apart.
func TestRefusalKinds(t *testing.T) {
	cfg := testConfig(t)
	cfg.Log.RefusalKinds, cfg.Log.RefusalLines = 1, 2
	s, log := startJournal(t, cfg)
	for i := range 4 {
		conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+i))}}).Dial("tcp", s.Addr().String())
		if err != nil {
			t.Skipf("this machine has one loopback address only: %v", err)
		}
		fmt.Fprint(conn, "hello\r\n\r\n")
		if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
	}
	eventually(t, "all are counted", func() bool { return s.source().Metrics().Cut["handshake"] == 4 })
	if n := s.source().Metrics().Merged; n != 3 {
		t.Errorf("%d merged, want 3", n)
	}
	if n := len(log.lines(t, "handshake")); n != 2 {
		t.Errorf("%d lines, want 2: the first host's and the others'", n)
	}
}
