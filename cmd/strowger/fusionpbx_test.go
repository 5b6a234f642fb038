package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"strowger/system/fusionpbx/switchsim"
)

// startSwitch returns a simulated switch and a config.conf that names it.
func startSwitch(t *testing.T) (*switchsim.Simulator, string) {
	t.Helper()
	recording, err := switchsim.Load(os.DirFS("../../testdata/fusionpbx/corpus"), "calls-ring-hangup")
	if err != nil {
		t.Fatal(err)
	}
	sim, err := switchsim.Start(recording, switchsim.Options{Password: "Secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	host, port, err := net.SplitHostPort(sim.Addr())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "config.conf")
	writeFile(t, file, fmt.Sprintf("switch.event_socket.host = %s\nswitch.event_socket.port = %s\nswitch.event_socket.password = Secret\n", host, port))
	return sim, file
}

// awaitCommand waits until the switch has got a command.
func awaitCommand(t *testing.T, sim *switchsim.Simulator, command string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	if err := sim.Await(ctx, func(got []switchsim.Command) bool {
		return slices.ContainsFunc(got, func(c switchsim.Command) bool { return c.Text == command })
	}); err != nil {
		t.Fatalf("the switch never gets %q: %v", command, err)
	}
}

func serve(t *testing.T, fusionPBX, tokens, settings string) (daemon *running, url string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "strowger.yaml")
	writeFile(t, file, settings)
	daemon = begin(t, nil, "serve", "--fusionpbx="+fusionPBX, "--config", file, "--listen", "127.0.0.1:0", "--admin", "", "--token-dir", tokens)
	var listening struct{ Addr string }
	if err := json.Unmarshal([]byte(daemon.stderr.line(t, `"msg":"listening"`)), &listening); err != nil {
		t.Fatal(err)
	}
	return daemon, "ws://" + listening.Addr + "/"
}

// TestActiveCallsInside has the daemon take the place of FusionPBX's service: it tells of calls, ends one, and leaves
// the service in PHP without work.
func TestActiveCallsInside(t *testing.T) {
	sim, fusion := startSwitch(t)
	tokens := t.TempDir()
	daemon, url := serve(t, fusion, tokens, "log: {level: info}\nservices: {active_conferences: php, operator_panel: php}\n")
	daemon.stderr.line(t, `"msg":"connected to the switch"`, `"connection":"events"`)
	daemon.stderr.line(t, `"msg":"connected to the switch"`, `"connection":"commands"`)
	awaitCommand(t, sim, "api show channels as json") // the service asks for its list when its events come

	listen := begin(t, nil, "listen", "--url", url, "--token-dir", tokens, "--permission", "call_active_all", "--permission", "call_active_domain", "--count", "1", "active.calls")
	listen.stderr.line(t, "listening to active.calls")
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	if err := sim.Play(ctx); err != nil {
		t.Fatal(err)
	}
	listen.wait(0)
	for _, want := range []string{`"topic":"CHANNEL_CREATE"`, `"caller_context":"a.example.com"`} {
		if out := listen.stdout.String(); !strings.Contains(out, want) {
			t.Errorf("broadcast %s, want %s", out, want)
		}
	}

	const uuid = "941e6c95-2430-4353-bc60-333b8e82fb4e"
	hangup := func(status int, want string, permissions ...string) {
		t.Helper()
		args := []string{"call", "--url", url, "--token-dir", tokens}
		for _, permission := range permissions {
			args = append(args, "--permission", permission)
		}
		r := begin(t, nil, append(args, "active.calls", "hangup", `{"unique_id":"`+uuid+`"}`)...)
		r.wait(status)
		if out := r.stdout.String(); !strings.Contains(out, want) {
			t.Errorf("answer %s, want %s", out, want)
		}
	}
	hangup(0, `"payload":"+OK"`, "call_active_hangup", "call_active_all")
	hangup(3, `"code":403`, "call_active_all")
	var kills int
	for _, c := range sim.Commands() {
		if c.Text == "api uuid_kill "+uuid {
			kills++
		}
	}
	if kills != 1 {
		t.Errorf("%d commands to end the call, want 1", kills)
	}

	joinService(t, url, createToken(t, tokens, "--service", "active.calls", "--class", "active_calls_service"))
	daemon.stderr.line(t, "service is passive", `"stop_unit":"active_calls"`)
	daemon.signals.send(t, syscall.SIGTERM)
	daemon.wait(0)
	if log := daemon.stderr.String(); strings.Contains(log, "Secret") {
		t.Errorf("the log has the password: %s", log)
	}
}

// TestNodeOfACall has a node of a cluster tell its name to those who may see it.
func TestNodeOfACall(t *testing.T) {
	sim, fusion := startSwitch(t)
	tokens := t.TempDir()
	daemon, url := serve(t, fusion, tokens, "cluster: {node: pbx7, listen: \"127.0.0.1:0\"}\n")
	daemon.stderr.line(t, `"msg":"connected to the switch"`, `"connection":"events"`)
	awaitCommand(t, sim, "api show channels as json")
	listen := func(permissions ...string) *running {
		args := []string{"listen", "--url", url, "--token-dir", tokens, "--permission", "call_active_all", "--permission", "call_active_domain", "--count", "1", "active.calls"}
		for _, permission := range permissions {
			args = append(args, "--permission", permission)
		}
		r := begin(t, nil, args...)
		r.stderr.line(t, "listening to active.calls")
		return r
	}
	sees, another := listen("cluster_node_view"), listen()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	if err := sim.Play(ctx); err != nil {
		t.Fatal(err)
	}
	sees.wait(0)
	another.wait(0)
	if out := sees.stdout.String(); !strings.Contains(out, `"node_name":"pbx7"`) {
		t.Errorf("the broadcast does not name the node: %s", out)
	}
	if out := another.stdout.String(); !strings.Contains(out, `"topic":"CHANNEL_CREATE"`) || strings.Contains(out, "node_name") {
		t.Errorf("the broadcast is %s", out)
	}
	daemon.signals.send(t, syscall.SIGTERM)
	daemon.wait(0)
}

// TestActiveCallsInPHP leaves the service to PHP: the daemon does not connect to the switch, and the service that comes
// is asked.
func TestActiveCallsInPHP(t *testing.T) {
	sim, fusion := startSwitch(t)
	tokens := t.TempDir()
	daemon, url := serve(t, fusion, tokens, "services: {active_calls: php, active_conferences: php, operator_panel: php}\n")
	joinService(t, url, createToken(t, tokens, "--service", "active.calls", "--class", "active_calls_service"))
	r := begin(t, nil, "call", "--url", url, "--token-dir", tokens, "--permission", "call_active_view", "--permission", "call_active_all", "active.calls", "in.progress", `{"event_name":"HEARTBEAT"}`)
	r.wait(0)
	if out := r.stdout.String(); !strings.Contains(out, `"payload":{"event_name":"HEARTBEAT"}`) {
		t.Errorf("answer %s", out)
	}
	daemon.signals.send(t, syscall.SIGTERM)
	daemon.wait(0)
	if commands := sim.Commands(); len(commands) > 0 {
		t.Errorf("the switch got %v", commands)
	}
	if log := daemon.stderr.String(); strings.Contains(log, "passive") {
		t.Errorf("log: %s", log)
	}
}

// TestOperatorPanelInside has the daemon take the place of FusionPBX's service. There is no database, so that what needs
// one is refused and the rest is answered.
func TestOperatorPanelInside(t *testing.T) {
	_, fusion := startSwitch(t)
	tokens := t.TempDir()
	daemon, url := serve(t, fusion, tokens, "")
	ask := func(status int, topic, payload string, want ...string) {
		t.Helper()
		r := begin(t, nil, "call", "--url", url, "--token-dir", tokens, "--permission", "operator_panel_view", "--permission", "operator_panel_manage", "active.operator.panel", topic, payload)
		r.wait(status)
		for _, text := range want {
			if out := r.stdout.String(); !strings.Contains(out, text) {
				t.Errorf("%s is answered %s, want %s", topic, out, text)
			}
		}
	}
	ask(0, "ping", "{}", `"topic":"pong"`, `"pong":`)
	ask(3, "extensions_active", "{}", `"code":503`, `"reason":`)
	ask(3, "action", `{"action":"hangup","uuid":"941e6c95-2430-4353-bc60-333b8e82fb4e"}`, `"topic":"action_response"`, `"success":false`, "Permission denied")
	ask(3, "action", `{"action":"user_status","user_uuid":"d0000000-0000-4000-8000-000000000003","status":"Available"}`, `"code":503`, `"success":false`)
	joinService(t, url, createToken(t, tokens, "--service", "active.operator.panel", "--class", "operator_panel_service"))
	daemon.stderr.line(t, "service is passive", `"stop_unit":"operator_panel"`)
	daemon.signals.send(t, syscall.SIGTERM)
	daemon.wait(0)
}

// TestNoSwitch starts the daemon with a password that the switch refuses. Routing goes on, and who asks for calls is
// told why there are none.
func TestNoSwitch(t *testing.T) {
	sim, fusion := startSwitch(t)
	settings, err := os.ReadFile(fusion)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, fusion, strings.ReplaceAll(string(settings), "Secret", "Wrong"))
	tokens := t.TempDir()
	daemon, url := serve(t, fusion, tokens, "")
	daemon.stderr.line(t, `"msg":"no connection to the switch"`, `"addr":"`+sim.Addr()+`"`, "see password")
	r := begin(t, nil, "call", "--url", url, "--token-dir", tokens, "--timeout", time.Minute.String(), "--permission", "call_active_view", "--permission", "call_active_all", "active.calls", "in.progress")
	r.wait(3)
	if out := r.stdout.String(); !strings.Contains(out, `"code":503`) || !strings.Contains(out, "no connection to the switch") {
		t.Errorf("answer %s", out)
	}
	daemon.signals.send(t, syscall.SIGTERM)
	daemon.wait(0)
}
