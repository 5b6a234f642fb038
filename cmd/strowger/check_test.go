package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"strowger/client"
	"strowger/cmd/strowger/internal/check"
	"strowger/system"
	"strowger/system/service"
)

// checked runs check and returns its findings by name.
func checked(t *testing.T, status int, environ []string, args ...string) map[string][]check.Finding {
	t.Helper()
	var stdout, stderr bytes.Buffer
	args = append([]string{"check", "--json", "--timeout", "2m"}, args...)
	if got := run(args, strings.NewReader(""), &stdout, &stderr, environ); got != status || stderr.Len() > 0 {
		t.Errorf("exit status %d, want %d; stderr: %s\n%s", got, status, &stderr, &stdout)
	}
	var all []map[string]string
	if err := json.Unmarshal(stdout.Bytes(), &all); err != nil {
		t.Fatalf("%v:\n%s", err, &stdout)
	}
	found := map[string][]check.Finding{}
	for _, f := range all {
		if len(f) != 4 || f["name"] == "" || f["state"] == "" || f["what"] == "" {
			t.Errorf("finding is %q", f)
		}
		found[f["name"]] = append(found[f["name"]], check.Finding{Name: check.Name(f["name"]), State: check.State(f["state"]), What: f["what"], Mend: f["mend"]})
	}
	return found
}

// want wants a name to have one finding, of a state and with a text.
func want(t *testing.T, found map[string][]check.Finding, name string, state check.State, text string) {
	t.Helper()
	if f := found[name]; len(f) != 1 || f[0].State != state || !strings.Contains(f[0].String(), text) {
		t.Errorf("%s is %v, want %s with %q", name, f, state, text)
	}
}

// TestCheckRunningRouter has a whole router in this process.
func TestCheckRunningRouter(t *testing.T) {
	tokens := t.TempDir()
	made := make(chan *system.System, 1)
	r := begin(t, func(p *program) {
		p.newRouter = func(o system.Options, services ...*service.Service) (router, error) {
			built, err := newSystem(o, services...)
			if err == nil {
				made <- built.(*system.System)
			}
			return built, err
		}
	}, "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--token-dir", tokens)
	r.stderr.line(t, `"msg":"listening"`)
	running := <-made
	for late := time.After(deadline); running.AdminAddr() == nil; {
		select {
		case <-late:
			t.Fatal("there are no admin pages")
		default:
			runtime.Gosched()
		}
	}
	environ := []string{
		"STROWGER_LISTEN__ADDRESS=" + running.Addr().String(),
		"STROWGER_ADMIN__ADDRESS=" + running.AdminAddr().String(),
		"STROWGER_TOKENS__DIRECTORY=" + tokens,
	}
	found := checked(t, 0, environ)
	want(t, found, "listen.port", check.OK, "held by the running router")
	want(t, found, "admin.pages", check.OK, "a strowger answers")
	want(t, found, "router.ready", check.OK, "accepts connections")
	want(t, found, "tokens.directory", check.OK, tokens)
	want(t, found, "tokens.refused", check.OK, "no token")
	if n := len(found["config.value"]); n != 3 {
		t.Errorf("%d settings are no defaults: %v", n, found["config.value"])
	}
	unknown := func(context.Context) (client.Token, error) { return client.Token{Name: "unknown", Hash: "hash"}, nil }
	_, err := client.Dial(t.Context(), "ws://"+running.Addr().String(), unknown, client.Options{Reconnect: client.Reconnect{Disabled: true}})
	if !errors.Is(err, client.ErrUnauthorized) {
		t.Fatalf("with a token that nobody made: %v", err)
	}
	want(t, checked(t, 0, environ), "tokens.refused", check.Note, "has refused: 1, the last one in the log")
	want(t, checked(t, 0, environ), "tokens.refused", check.Note, "from 127.0.0.1:")
	want(t, checked(t, 0, environ), "tokens.refused", check.Note, "not well formed")
	r.signals.handled(t, os.Interrupt)
	r.signals.send(t, os.Interrupt)
	r.wait(0)
}

func TestCheckStatus(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	found := checked(t, 0, []string{"STROWGER_LISTEN__ADDRESS=127.0.0.1:0", "STROWGER_ADMIN__ADDRESS=", "STROWGER_TOKENS__DIRECTORY=" + t.TempDir()})
	want(t, found, "listen.port", check.Note, "any free port")
	found = checked(t, 1, []string{"STROWGER_LISTEN__ADDRESS=127.0.0.1:0", "STROWGER_ADMIN__ADDRESS=", "STROWGER_TOKENS__DIRECTORY=/nonexistent"})
	want(t, found, "tokens.directory", check.Error, "install -d")
}

// TestCheckWrongSettings names the nearest key, and where the wrong one is.
func TestCheckWrongSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "strowger.yaml")
	if err := os.WriteFile(file, []byte("limits:\n  conections: 5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	found := checked(t, 1, nil, "--config", file)
	problems := found["config.problem"]
	if len(found) != 1 || len(problems) != 2 || problems[0].State != check.Error || !strings.Contains(problems[0].What, file+":2: limits.conections: unknown key, did you mean limits.connections?") ||
		problems[1].Mend != "strowger check --config "+file {
		t.Errorf("findings are %v", found)
	}
	checked(t, 1, nil, "--fusionpbx=/nonexistent/config.conf")
}

// TestCheckPrints wants one line a finding.
func TestCheckPrints(t *testing.T) {
	var stdout, stderr bytes.Buffer
	environ := []string{"STROWGER_LISTEN__ADDRESS=127.0.0.1:0", "STROWGER_ADMIN__ADDRESS=", "STROWGER_TOKENS__DIRECTORY=/nonexistent"}
	if status := run([]string{"check"}, strings.NewReader(""), &stdout, &stderr, environ); status != 1 || stderr.Len() > 0 {
		t.Errorf("exit status %d, stderr %s", status, &stderr)
	}
	for line := range strings.Lines(stdout.String()) {
		state, rest, _ := strings.Cut(line, " ")
		if name, _, ok := strings.Cut(strings.TrimSpace(rest), ": "); !ok || !strings.Contains(name, ".") || !strings.Contains("ok note warning error", state) {
			t.Errorf("line is %q", line)
		}
	}
	if !strings.Contains(stdout.String(), "error    tokens.directory: user ") {
		t.Errorf("output is\n%s", &stdout)
	}
}
