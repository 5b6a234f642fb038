package main

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"strowger/system/token"
)

func TestCall(t *testing.T) {
	for name, test := range map[string]struct {
		args   []string
		stdin  string
		status int
		stdout string
		stderr string // in one line of it; empty: nothing there
	}{
		"without a payload": {[]string{"echo", "now"}, "", 0, `{"service":"echo","topic":"now","status":"ok","code":200,"payload":{}}` + "\n", ""},
		"with a payload":    {[]string{"echo", "now", ` {"a": "b"}`}, "", 0, `{"service":"echo","topic":"now","status":"ok","code":200,"payload":{"a":"b"}}` + "\n", ""},
		"with stdin":        {[]string{"echo", "now", "-"}, "[1,\n2]\n", 0, `{"service":"echo","topic":"now","status":"ok","code":200,"payload":[1,2]}` + "\n", ""},
		"refused":           {[]string{"deny", "now"}, "", 3, `{"service":"deny","topic":"now","status":"<denied>","code":403,"payload":null}` + "\n", `status 403 "<denied>" from service "deny", topic "now"; its policy or the service itself refuses`},
		"no answer":         {[]string{"mute", "now", "--timeout", "3s"}, "", 1, "", "nobody answered within --timeout 3s"},
	} {
		t.Run(name, func(t *testing.T) {
			b := startBroker(t)
			args := append([]string{"call", "--url", b.url, "--token-dir", b.dir}, test.args...)
			r := begin(t, func(p *program) { p.stdin = strings.NewReader(test.stdin) }, args...)
			r.wait(test.status)
			if got := r.stdout.String(); got != test.stdout {
				t.Errorf("stdout %q, want %q", got, test.stdout)
			}
			if got := r.stderr.String(); test.stderr == "" && got != "" || !strings.Contains(got, test.stderr) {
				t.Errorf("stderr %q, want %q", got, test.stderr)
			}
			noTokens(t, b.dir)
		})
	}
}

func TestCallMakesItsToken(t *testing.T) {
	b := startBroker(t)
	begin(t, nil, "call", "--url", b.url, "--token-dir", b.dir, "--permission", "p1", "--permission", "p2",
		"--domain-name", "a.example", "--domain-uuid", "u", "echo", "now").wait(0)
	got := b.lastToken()
	if got.Kind != token.User || !slices.Equal(got.Services, []string{"echo"}) || !slices.Equal(got.Permissions, []string{"p1", "p2"}) ||
		got.DomainName != "a.example" || got.DomainUUID != "u" || got.ClaimWithin != time.Minute || got.Limit != 0 {
		t.Errorf("token is %+v", got)
	}
}

func TestCallWithATokenFromOutside(t *testing.T) {
	b := startBroker(t)
	fromFlags, fromEnviron := createToken(t, b.dir, "--user", "flags"), createToken(t, b.dir, "--user", "environ")
	useEnviron := func(p *program) { p.environ = []string{"STROWGER_TOKEN=" + fromEnviron.Name + ":" + fromEnviron.Hash} }

	begin(t, useEnviron, "call", "--url", b.url, "--token-name", fromFlags.Name, "--token-hash", fromFlags.Hash, "echo", "now").wait(0)
	if got := b.lastToken().UserName; got != "flags" {
		t.Errorf("the token of %q was used", got)
	}
	begin(t, useEnviron, "call", "--url", b.url, "echo", "now").wait(0)
	if got := b.lastToken().UserName; got != "environ" {
		t.Errorf("the token of %q was used", got)
	}
	r := begin(t, useEnviron, "call", "--url", b.url, "echo", "now")
	r.wait(3)
	if got := r.stderr.String(); !strings.Contains(got, "status 401") || !strings.Contains(got, "; a token is good for one connection") || strings.Contains(got, fromEnviron.Hash) {
		t.Errorf("stderr of a used token: %s", got)
	}
}

func TestRefusedTokenDoesNotStayBehind(t *testing.T) {
	b := startBroker(t)
	elsewhere := t.TempDir()
	r := begin(t, nil, "call", "--url", b.url, "--token-dir", elsewhere, "echo", "now")
	r.wait(3)
	if got := r.stderr.String(); !strings.Contains(got, "; --token-dir must be where the router looks") {
		t.Errorf("stderr: %s", got)
	}
	noTokens(t, elsewhere)
}

func TestCallInterrupted(t *testing.T) {
	b := startBroker(t)
	r := begin(t, nil, "call", "--url", b.url, "--token-dir", b.dir, "mute", "now")
	<-b.asked
	r.signals.send(t, syscall.SIGINT)
	r.wait(1)
	r.stderr.line(t, "interrupted")
}

func TestListen(t *testing.T) {
	b := startBroker(t)
	r := begin(t, nil, "listen", "--url", b.url, "--token-dir", b.dir, "--count", "3", "weather", "news")
	r.stderr.line(t, "strowger: listening to weather, news")
	if got := b.lastToken().Services; !slices.Equal(got, []string{"weather", "news"}) {
		t.Errorf("subscribed to %q", got)
	}
	b.broadcast("weather", "rain", `{"mm":1}`)
	b.broadcast("foreign", "x", `{}`)
	b.broadcast("news", "<flash>", `null`)
	b.broadcast("weather", "sun", `[]`)
	b.broadcast("weather", "beyond the count", `[]`)
	r.wait(0)
	want := `{"service":"weather","topic":"rain","payload":{"mm":1}}
{"service":"news","topic":"<flash>","payload":null}
{"service":"weather","topic":"sun","payload":[]}
`
	if got := r.stdout.String(); got != want {
		t.Errorf("stdout\n%swant\n%s", got, want)
	}
}

func TestListenInterrupted(t *testing.T) {
	b := startBroker(t)
	r := begin(t, nil, "listen", "--url", b.url, "--token-dir", b.dir, "weather")
	r.stderr.line(t, "listening")
	b.broadcast("weather", "rain", `{}`)
	r.stdout.line(t, `"topic":"rain"`)
	r.signals.send(t, syscall.SIGTERM)
	r.wait(0)
}

func TestListenWithATokenFromOutsideEndsWithTheConnection(t *testing.T) {
	b := startBroker(t)
	c := createToken(t, b.dir, "--user", "alice", "--subscribe", "weather")
	r := begin(t, nil, "listen", "--url", b.url, "--token-name", c.Name, "--token-hash", c.Hash, "weather")
	r.stderr.line(t, "listening")
	b.drop()
	r.wait(1)
	r.stderr.line(t, "strowger: disconnected")
}

func TestListenSeeksALostConnection(t *testing.T) {
	b := startBroker(t)
	r := begin(t, nil, "listen", "--url", b.url, "--token-dir", b.dir, "--count", "1", "weather")
	r.stderr.line(t, "listening")
	b.drop()
	r.stderr.line(t, "connection lost")
	r.stderr.line(t, "connected again")
	b.broadcast("weather", "rain", `{}`)
	r.wait(0)
	noTokens(t, b.dir)
}

func noTokens(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) > 0 {
		t.Errorf("%s stayed behind", entries[0].Name())
	}
}
