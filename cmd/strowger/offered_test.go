package main

import (
	"encoding/json"
	"net"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
)

// beginRouter starts the daemon and returns where it listens and looks for tokens.
func beginRouter(t *testing.T) (daemon *running, url, dir string) {
	t.Helper()
	dir = t.TempDir()
	daemon = begin(t, nil, "serve", "--listen", "127.0.0.1:0", "--admin", "", "--token-dir", dir)
	var listening struct{ Addr string }
	if err := json.Unmarshal([]byte(daemon.stderr.line(t, `"msg":"listening"`)), &listening); err != nil {
		t.Fatal(err)
	}
	return daemon, "ws://" + listening.Addr + "/", dir
}

// TestCallNobody calls a service that nobody offers. Without the router's word it would wait for an hour.
func TestCallNobody(t *testing.T) {
	daemon, url, dir := beginRouter(t)
	given := createToken(t, dir, "--user", "a")
	for name, flags := range map[string][]string{
		"with a token of its own": {"--token-dir", dir},
		"with one from outside":   {"--token-name", given.Name, "--token-hash", given.Hash},
	} {
		t.Run(name, func(t *testing.T) {
			r := begin(t, nil, append([]string{"call", "--url", url, "--timeout", "1h", "weathr", "today"}, flags...)...)
			r.wait(1)
			want := `strowger: nobody offers the service "weathr": is its program running, is it connected to this router, and is the name right?` + "\n"
			if got := r.stderr.String(); got != want || r.stdout.String() != "" {
				t.Errorf("stderr %q, stdout %q", got, r.stdout)
			}
		})
	}
	daemon.signals.send(t, syscall.SIGTERM)
	daemon.wait(0)
	noTokens(t, dir)
}

// TestCallTheRouter asks the router itself, as call does before it asks anybody else.
func TestCallTheRouter(t *testing.T) {
	daemon, url, dir := beginRouter(t)
	joinService(t, url, createToken(t, dir, "--service", "weather"))
	for about, want := range map[string]string{"weather": "true", "weathr": "false"} {
		r := begin(t, nil, "call", "--url", url, "--token-dir", dir, "strowger", "offered", `{"service":"`+about+`"}`)
		r.wait(0)
		if got := r.stdout.String(); !strings.Contains(got, `"payload":{"offered":`+want+`}`) {
			t.Errorf("%s: %s", about, got)
		}
	}
	r := begin(t, nil, "call", "--url", url, "--token-dir", dir, "--timeout", "1h", "strowger", "today")
	r.wait(1)
	r.stderr.line(t, `nobody offers the service "strowger"`)
	daemon.signals.send(t, syscall.SIGTERM)
	daemon.wait(0)
}

// TestListenToNobody listens to a service before it is there.
func TestListenToNobody(t *testing.T) {
	daemon, url, dir := beginRouter(t)
	here := joinService(t, url, createToken(t, dir, "--service", "clock"))
	r := begin(t, nil, "listen", "--url", url, "--token-dir", dir, "weather", "clock")
	r.stderr.line(t, `strowger: nobody offers the service "weather" now; what it says will be printed once it is there`)
	joinService(t, url, createToken(t, dir, "--service", "weather"))
	here.send(packet{ServiceName: "clock", Topic: "tick"}) // goes nowhere: it has no policy
	r.signals.send(t, syscall.SIGINT)
	r.wait(0)
	if got := r.stderr.String(); strings.Contains(got, `"clock"`) {
		t.Errorf("stderr: %s", got)
	}
	daemon.signals.send(t, syscall.SIGTERM)
	daemon.wait(0)
}

// TestCallWithoutTheRoutersWord calls through a router that does not know the question.
func TestCallWithoutTheRoutersWord(t *testing.T) {
	b := startBroker(t)
	b.silent = "strowger"
	begin(t, nil, "call", "--url", b.url, "--token-dir", b.dir, "--timeout", "1h", "echo", "now").wait(0)
	listen := begin(t, nil, "listen", "--url", b.url, "--token-dir", b.dir, "--count", "1", "weather")
	listen.stderr.line(t, "listening")
	b.broadcast("weather", "rain", `{}`)
	listen.wait(0)
}

// TestUnreachableRouter wants an error that says what to look at.
func TestUnreachableRouter(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	web, secure := httptest.NewServer(nil), httptest.NewTLSServer(nil)
	t.Cleanup(web.Close)
	t.Cleanup(secure.Close)
	other, encrypted := web.Listener.Addr().String(), secure.Listener.Addr().String()
	for name, test := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"call":         {[]string{"call", "a", "b", "--url", "ws://" + free + "/"}, 1, "connection refused; does strowger serve run, and does it listen at ws://" + free + "/? --url names another address"},
		"listen":       {[]string{"listen", "a", "--url", "ws://" + free + "/"}, 1, "connection refused; does strowger serve run, and does it listen at ws://" + free + "/?"},
		"explain":      {[]string{"explain", "--subscriber", "a", "--service", "b", "--admin", free}, 1, "connection refused; does strowger serve run, with its admin pages at " + free + "? --admin names another address"},
		"other server": {[]string{"call", "a", "b", "--url", "ws://" + other + "/"}, 3, `status 404 "Not Found": "404 page not found"; is ws://` + other + "/ where strowger serve listens, and not its admin pages?"},
		"no TLS":       {[]string{"call", "a", "b", "--url", "wss://" + other + "/"}, 1, "; is there TLS at wss://" + other + "/? Without it the address begins with ws://"},
		"TLS":          {[]string{"call", "a", "b", "--url", "ws://" + encrypted + "/"}, 3, `status 400 "Bad Request": "Client sent an HTTP request to an HTTPS server."; is ws://` + encrypted + "/ where strowger serve listens"},
	} {
		t.Run(name, func(t *testing.T) {
			r := begin(t, nil, test.args...)
			r.wait(test.status)
			r.stderr.line(t, test.want)
		})
	}
}

// TestNoDirectoryForTokens wants to know of the flag.
func TestNoDirectoryForTokens(t *testing.T) {
	b := startBroker(t)
	r := begin(t, nil, "call", "--url", b.url, "--token-dir", "/nonexistent", "echo", "now")
	r.wait(1)
	r.stderr.line(t, "; --token-dir must be where the router looks for tokens")
}
