package main

import (
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// serveWithConsole runs a daemon until the test ends and returns its addresses.
func serveWithConsole(t *testing.T, dir string, args ...string) (router, admin string) {
	t.Helper()
	daemon := begin(t, nil, append([]string{"serve", "--listen", "127.0.0.1:0", "--token-dir", dir, "--admin", "127.0.0.1:0"}, args...)...)
	addr := func(message string) string {
		var line struct{ Addr string }
		if err := json.Unmarshal([]byte(daemon.stderr.line(t, message, "addr")), &line); err != nil {
			t.Fatal(err)
		}
		return line.Addr
	}
	router, admin = addr(`"msg":"listening"`), addr(`"msg":"admin listening"`)
	t.Cleanup(func() {
		daemon.signals.send(t, syscall.SIGTERM)
		daemon.wait(0)
	})
	return router, admin
}

// fails runs a verb that must fail and returns what it says.
func fails(t *testing.T, status int, change func(*program), args ...string) string {
	t.Helper()
	r := begin(t, change, args...)
	r.wait(status)
	return r.stderr.String()
}

func TestConsoleVerbs(t *testing.T) {
	dir := t.TempDir()
	router, admin := serveWithConsole(t, dir)
	at := []string{"--admin", admin}
	ask := func(args ...string) string { t.Helper(); return succeed(t, append(args, at...)...) }

	text := ask("status")
	for _, want := range []string{router, "ready\n", "SERVICE", "dashboard.system.information  up"} {
		if !strings.Contains(text, want) {
			t.Errorf("status lacks %q:\n%s", want, text)
		}
	}
	var status struct {
		Status   daemonStatus
		Services struct{ Rows []serviceRow }
	}
	if err := json.Unmarshal([]byte(ask("status", "--json")), &status); err != nil || !status.Status.Ready || len(status.Services.Rows) != 1 {
		t.Errorf("%v in %+v", err, status)
	}

	weather := joinService(t, "ws://"+router+"/", createToken(t, dir, "--service", "weather"))
	var page struct {
		Matched int
		Rows    []connectionRow
	}
	if err := json.Unmarshal([]byte(ask("connections", "--json", "--role", "service")), &page); err != nil || page.Matched != 1 || page.Rows[0].Name != "weather" {
		t.Fatalf("%v in %+v", err, page)
	}
	if text := ask("connections"); !strings.Contains(text, fmt.Sprintf("%d  ", page.Rows[0].Number)) || !strings.Contains(text, "1 to 1 of 1, 1 connection in all") {
		t.Errorf("connections:\n%s", text)
	}
	if text := ask("connections", "disconnect", fmt.Sprint(page.Rows[0].Number)); text != `{"result":"ok","audit":1}`+"\n" {
		t.Errorf("disconnect: %s", text)
	}
	if err := <-weather.closed; err == nil || !strings.Contains(err.Error(), "1001") {
		t.Errorf("the service was closed with %v", err)
	}
	if text := fails(t, exitRefused, nil, append([]string{"connections", "disconnect", "99999"}, at...)...); text != "strowger: it is not there any more\n" {
		t.Errorf("disconnect nobody: %s", text)
	}
	if text := ask("service", "restart", "dashboard.system.information"); text != `{"result":"ok","audit":3}`+"\n" {
		t.Errorf("restart: %s", text)
	}
	if text := fails(t, exitRefused, nil, append([]string{"service", "start", "weather"}, at...)...); !strings.Contains(text, "weather: there is no such service in the router") {
		t.Errorf("start nothing: %s", text)
	}
	if text := fails(t, exitRefused, nil, append([]string{"service", "add", "weather.oslo", "weather", "city=Oslo"}, at...)...); !strings.Contains(text, `there is no template "weather": this program has none`) {
		t.Errorf("add: %s", text)
	}
	if text := fails(t, exitRefused, nil, append([]string{"service", "remove", "dashboard.system.information"}, at...)...); !strings.Contains(text, "it can be stopped but not removed") {
		t.Errorf("remove: %s", text)
	}
	if text := ask("deadletters"); !strings.Contains(text, "NUMBER") {
		t.Errorf("dead letters: %s", text)
	}
	if text := fails(t, exitRefused, nil, append([]string{"deadletters", "show", "99"}, at...)...); text != "strowger: it is not there any more\n" {
		t.Errorf("show nothing: %s", text)
	}
	if text := fails(t, exitUsage, nil, append([]string{"deadletters", "replay", "1"}, at...)...); !strings.Contains(text, "write --yes") {
		t.Errorf("replay unasked: %s", text)
	}
}

// A daemon that asks for the password also of those on this machine.
func TestConsolePassword(t *testing.T) {
	var hash strings.Builder
	r := begin(t, func(p *program) { p.stdin = strings.NewReader("correct horse\n") }, "admin", "password")
	r.wait(0)
	hash.WriteString(strings.TrimSpace(r.stdout.String()))
	config := put(t, "s.yaml", fmt.Sprintf("admin: {password_hash: %q, trust_loopback: false, audit_file: %q}\n", hash.String(), filepath.Join(t.TempDir(), "audit")))
	_, admin := serveWithConsole(t, t.TempDir(), "--config", config)
	with := func(password string) func(*program) {
		return func(p *program) { p.environ = []string{passwordVariable + "=" + password} }
	}
	if text := fails(t, exitError, nil, "status", "--admin", admin); !strings.Contains(text, "asks for a password: put it into the environment variable STROWGER_ADMIN_PASSWORD") {
		t.Errorf("without: %s", text)
	}
	if text := fails(t, exitError, with("wrong"), "status", "--admin", admin); !strings.Contains(text, "the password in STROWGER_ADMIN_PASSWORD is wrong") {
		t.Errorf("wrong: %s", text)
	}
	r = begin(t, with("correct horse"), "status", "--admin", admin)
	r.wait(0)
	if !strings.Contains(r.stdout.String(), "ready") {
		t.Errorf("right: %s", r.stdout)
	}
	if text := fails(t, exitError, func(p *program) { p.stdin = strings.NewReader("short\n") }, "admin", "password"); !strings.Contains(text, "fewer than 8 bytes") {
		t.Errorf("a short one: %s", text)
	}
}

func TestConsoleIsNotThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := l.Addr().String()
	_ = l.Close()
	for _, args := range [][]string{{"status"}, {"connections"}, {"deadletters"}, {"service", "stop", "x"}} {
		if text := fails(t, exitError, nil, append(args, "--admin", free)...); !strings.Contains(text, "no router answers at "+free+": does strowger serve run") {
			t.Errorf("%v: %s", args, text)
		}
	}
	_, admin := serveWithConsole(t, t.TempDir(), "--config", put(t, "s.yaml", "admin: {console: false}\n"))
	if text := fails(t, exitError, nil, "status", "--admin", admin); !strings.Contains(text, "has no console: is admin.console false") {
		t.Errorf("turned off: %s", text)
	}
}

func TestTextsForPeople(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 5 << 20: "5.0 MiB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{-1: "0s", 59 * time.Second: "59s", 61 * time.Second: "1m1s", 25 * time.Hour: "1d1h"} {
		if got := ageText(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
	if got := plainText("a\x1b[31mb\u202ec", 10); got != "a?[31mb?c" {
		t.Errorf("got %q", got)
	}
	if got := plainText("abcdef", 3); got != "ab…" {
		t.Errorf("got %q", got)
	}
}
