package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lxzan/gws"
)

// TestDaemon plays a day of the daemon: a service joins, is called and heard, the settings are
// read anew, the service is shut to all, and everyone is sent away.
func TestDaemon(t *testing.T) {
	dir, settings := t.TempDir(), filepath.Join(t.TempDir(), "strowger.yaml")
	configure := func(scope string) {
		t.Helper()
		if err := os.WriteFile(settings, []byte("policies: {weather: {scopes: [{to: "+scope+"}]}}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	configure("all")
	daemon := begin(t, nil, "serve", "--listen", "127.0.0.1:0", "--token-dir", dir, "--config", settings)
	var listening struct{ Addr string }
	if err := json.Unmarshal([]byte(daemon.stderr.line(t, `"msg":"listening"`)), &listening); err != nil {
		t.Fatal(err)
	}
	url := "ws://" + listening.Addr + "/"
	weather := joinService(t, url, createToken(t, dir, "--service", "weather"))
	call := func() {
		t.Helper()
		r := begin(t, nil, "call", "--url", url, "--token-dir", dir, "weather", "today", `{"city":"Oslo"}`)
		r.wait(0)
		if got, want := r.stdout.String(), `{"service":"weather","topic":"today","status":"ok","code":200,"payload":{"city":"Oslo"}}`+"\n"; got != want {
			t.Errorf("reply %q, want %q", got, want)
		}
	}
	call()

	listen := begin(t, nil, "listen", "--url", url, "--token-dir", dir, "--count", "1", "weather")
	listen.stderr.line(t, "listening to weather")
	weather.send(packet{ServiceName: "weather", Topic: "rain", Payload: json.RawMessage(`{"mm":1}`)})
	listen.wait(0)
	if got, want := listen.stdout.String(), `{"service":"weather","topic":"rain","payload":{"mm":1}}`+"\n"; got != want {
		t.Errorf("broadcast %q, want %q", got, want)
	}

	daemon.signals.send(t, syscall.SIGHUP)
	daemon.stderr.line(t, `"msg":"settings reloaded","changes":0`)
	call()
	configure("none")
	daemon.signals.send(t, syscall.SIGHUP)
	daemon.stderr.line(t, `"msg":"settings reloaded","changes":1`)
	begin(t, nil, "call", "--url", url, "--token-dir", dir, "weather", "today").wait(3)

	daemon.signals.send(t, syscall.SIGTERM)
	daemon.wait(0)
	select {
	case err := <-weather.closed:
		var closed *gws.CloseError
		if !errors.As(err, &closed) || closed.Code != 1001 {
			t.Errorf("the service was closed with %v, want 1001", err)
		}
	case <-time.After(deadline):
		t.Error("the service is still connected")
	}
	for line := range strings.Lines(daemon.stderr.String()) {
		if strings.Contains(line, `"level":"ERROR"`) || strings.Contains(line, "Oslo") {
			t.Errorf("log: %s", line)
		}
	}
	noTokens(t, dir)
}

// remoteService is a service that answers requests with their payload, or does not answer them if asked is set.
type remoteService struct {
	gws.BuiltinEventHandler
	t      *testing.T
	conn   *gws.Conn
	token  created
	asked  chan struct{} // nil, or gets each request
	ready  chan struct{} // closed when the service is authenticated
	closed chan error    // gets why the connection ended
}

// joinService returns a service that is authenticated.
func joinService(t *testing.T, url string, token created) *remoteService {
	t.Helper()
	return (&remoteService{t: t, token: token}).join(url)
}

// join connects a service, which must be let in.
func (s *remoteService) join(url string) *remoteService {
	t := s.t
	t.Helper()
	s.ready, s.closed = make(chan struct{}), make(chan error, 1)
	var err error
	if s.conn, _, err = gws.NewClient(s, &gws.ClientOption{Addr: url}); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.conn.ReadLoop()
	}()
	t.Cleanup(func() {
		s.conn.NetConn().Close()
		<-ended
	})
	select {
	case <-s.ready:
	case <-time.After(deadline):
		t.Fatal("the service is not let in")
	}
	return s
}

func (s *remoteService) send(v any) {
	data, err := json.Marshal(v)
	if err == nil {
		err = s.conn.WriteMessage(gws.OpcodeText, data)
	}
	if err != nil {
		s.t.Errorf("service: %v", err)
	}
}

func (s *remoteService) OnClose(_ *gws.Conn, err error) { s.closed <- err }

func (s *remoteService) OnMessage(_ *gws.Conn, m *gws.Message) {
	var request struct {
		Service    string          `json:"service_name"`
		Topic      string          `json:"topic"`
		Code       json.RawMessage `json:"status_code"`
		RequestID  json.RawMessage `json:"request_id"`
		ResourceID string          `json:"resource_id"`
		Payload    json.RawMessage `json:"payload"`
	}
	if err := json.Unmarshal(m.Bytes(), &request); err != nil {
		s.t.Errorf("service: %q: %v", m.Bytes(), err)
		return
	}
	switch string(request.Code) {
	case "407":
		s.send(map[string]any{"service": "authentication", "token": map[string]string{"name": s.token.Name, "hash": s.token.Hash}})
	case "200":
		close(s.ready)
	default:
		if s.asked != nil {
			s.asked <- struct{}{}
			return
		}
		s.send(map[string]any{
			"service_name": request.Service, "topic": request.Topic, "payload": request.Payload,
			"request_id": request.RequestID, "resource_id": request.ResourceID, "status_string": "ok", "status_code": 200,
		})
	}
}

// TestServeOffersDashboard wants a router without any settings to have something to tell.
func TestServeOffersDashboard(t *testing.T) {
	dir := t.TempDir()
	ask := func(addr string, status int, permissions ...string) string {
		args := []string{"call", "--url", "ws://" + addr + "/", "--token-dir", dir, "--timeout", "2s"}
		for _, permission := range permissions {
			args = append(args, "--permission", permission)
		}
		r := begin(t, nil, append(args, "dashboard.system.information", "cpu_status")...)
		r.wait(status)
		return r.stdout.String()
	}
	for _, offered := range []bool{true, false} {
		file := filepath.Join(t.TempDir(), "strowger.yaml")
		writeFile(t, file, fmt.Sprintf("dashboard: {enabled: %v}\nadmin: {address: \"\"}\n", offered))
		daemon := begin(t, nil, "serve", "--config", file, "--listen", "127.0.0.1:0", "--token-dir", dir)
		var listening struct{ Addr string }
		if err := json.Unmarshal([]byte(daemon.stderr.line(t, `"msg":"listening"`)), &listening); err != nil {
			t.Fatal(err)
		}
		if offered {
			if out := ask(listening.Addr, 0, "xml_cdr_view"); !strings.Contains(out, `"payload":{"cpu_status":{"total":`) {
				t.Errorf("load is %s", out)
			}
			if out := ask(listening.Addr, 3); !strings.Contains(out, `"code":403`) {
				t.Errorf("who may not see the load gets %s", out)
			}
		} else if out := ask(listening.Addr, 1, "xml_cdr_view"); out != "" {
			t.Errorf("nobody answered %s", out)
		}
		daemon.signals.send(t, syscall.SIGTERM)
		daemon.wait(0)
	}
}
