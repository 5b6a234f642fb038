package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// inUnit makes a program one that ExecReload= of a unit runs, whose main process is this one.
func inUnit(more ...string) func(*program) {
	return func(p *program) { p.environ = append(more, "MAINPID="+strconv.Itoa(os.Getpid())) }
}

// hungUp returns what gets a SIGHUP of this process.
func hungUp(t *testing.T) <-chan os.Signal {
	t.Helper()
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(c) })
	return c
}

// refusing returns an address where nobody listens.
func refusing(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestReload has a router answer that runs in this process.
func TestReload(t *testing.T) {
	dir := t.TempDir()
	file, audit := filepath.Join(dir, "strowger.yaml"), filepath.Join(dir, "audit.log")
	writeFile(t, file, fmt.Sprintf("limits: {depth: 9}\nadmin: {audit_file: %q}\n", audit))
	daemon := begin(t, nil, "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--token-dir", t.TempDir(), "--config", file)
	var admin struct{ Addr string }
	if err := json.Unmarshal([]byte(daemon.stderr.line(t, `"msg":"admin listening"`)), &admin); err != nil {
		t.Fatal(err)
	}
	writeFile(t, file, fmt.Sprintf("limits: {depth: 10}\nadmin: {address: %q, audit_file: %q}\n", admin.Addr, audit))
	// The address is in the settings that the router reads, and the process is the right one.
	r := begin(t, inUnit(), "reload", "--config", file)
	r.wait(0)
	if got, want := r.stdout.String(), "in effect: limits.depth is 10, was 9\n"; got != want {
		t.Errorf("stdout %q, want %q", got, want)
	}
	r = begin(t, inUnit("STROWGER_ADMIN__ADDRESS="+admin.Addr), "reload", "--json")
	r.wait(0)
	if got, want := r.stdout.String(), `{"applied":[],"restart":[]}`+"\n"; got != want {
		t.Errorf("stdout %q, want %q", got, want)
	}
	writeFile(t, file, "limits: {depth: none}\n")
	r = begin(t, inUnit("STROWGER_ADMIN__ADDRESS="+admin.Addr), "reload")
	r.wait(exitRefused)
	daemon.signals.send(t, syscall.SIGTERM)
	daemon.wait(0)
	text, err := os.ReadFile(audit)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 3 || !strings.Contains(lines[0], `"who":"admin port","from":"127.0.0.1:`) ||
		!strings.Contains(lines[0], `"action":"reload","object":"","result":"ok"`) || !strings.Contains(lines[2], "limits.depth") {
		t.Errorf("audit file: %s", text)
	}
}

// A router that is not the unit's is not asked, and the unit's gets a signal.
func TestReloadOfAnotherRouter(t *testing.T) {
	hangUps := hungUp(t)
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"another process": {func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost || r.URL.Path != "/reload" || r.URL.Query().Get("pid") != strconv.Itoa(os.Getpid()) {
				t.Errorf("asked with %s %s", r.Method, r.URL)
			}
			w.WriteHeader(http.StatusConflict)
			fmt.Fprint(w, `{"error":"this router is process 7"}`)
		}, "409 Conflict"},
		"another program":   {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, "is no strowger that can reload"},
		"another API":       {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }, "is no strowger that can reload"},
		"an older strowger": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusMethodNotAllowed) }, "405 Method Not Allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(test.handler)
			defer server.Close()
			at := strings.TrimPrefix(server.URL, "http://")
			r := begin(t, inUnit(), "reload", "--admin", at)
			r.wait(0)
			r.stderr.line(t, test.want)
			r.stderr.line(t, "was sent SIGHUP; its log says")
			<-hangUps
			if test.want == "409 Conflict" {
				return // only a unit asks for a process
			}
			// Without a unit there is nobody to send it to.
			r = begin(t, nil, "reload", "--admin", at)
			r.wait(exitError)
			r.stderr.line(t, test.want)
		})
	}
}

// Without the admin pages the unit's process gets a signal, unless the settings are seen to be wrong.
func TestReloadWithoutAdminPages(t *testing.T) {
	hangUps := hungUp(t)
	off := filepath.Join(t.TempDir(), "off.yaml")
	writeFile(t, off, "admin: {address: \"\"}\n")
	r := begin(t, inUnit(), "reload", "--config", off)
	r.wait(0)
	r.stderr.line(t, "admin.address is empty")
	r.stderr.line(t, "was sent SIGHUP")
	<-hangUps
	closed := refusing(t)
	r = begin(t, inUnit(), "reload", "--admin", closed)
	r.wait(0)
	r.stderr.line(t, "connection refused; does strowger serve run, with its admin pages at "+closed)
	<-hangUps
	r = begin(t, nil, "reload", "--admin", closed)
	r.wait(exitError)
	r.stderr.line(t, "connection refused; does strowger serve run")

	for name, text := range map[string]string{
		"limits: {depth: 1}\n": "the smallest is 8",
		"admin: {address: \"\"}\nlisten: {tls_certificate: /nonexistent/c, tls_key: /nonexistent/k}\n": "listen.tls_certificate, listen.tls_key: load certificate /nonexistent/c",
	} {
		wrong := filepath.Join(t.TempDir(), "wrong.yaml")
		writeFile(t, wrong, name)
		r = begin(t, inUnit(), "reload", "--config", wrong)
		r.wait(exitError)
		r.stderr.line(t, text)
		r.stderr.line(t, "the router was not asked, and goes on with the settings that it has")
	}
	select {
	case <-hangUps:
		t.Error("wrong settings, and the router was sent SIGHUP")
	default:
	}
}

// A router that stops meanwhile does not answer, and nothing hangs.
func TestReloadWhileStopping(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `{"error":"the router stops"}`)
	}))
	defer server.Close()
	r := begin(t, inUnit(), "reload", "--admin", strings.TrimPrefix(server.URL, "http://"))
	r.wait(exitError)
	r.stderr.line(t, "the router stops")
}
