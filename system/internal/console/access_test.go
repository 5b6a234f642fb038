package console

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"strowger/actors"
	"strowger/actors/clock/clocktest"
	"strowger/system/internal/introspect"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// still is a source in which nothing happens.
type still struct{ clock *clocktest.Clock }

func (s still) Hello() Hello                                               { return Hello{} }
func (s still) Reading() Reading                                           { return Reading{At: s.clock.Now()} }
func (still) Revisions() (tree, letters, log uint64)                       { return 0, 0, 0 }
func (still) Tree(context.Context) (Node, error)                           { return Node{}, nil }
func (still) Connections(context.Context) ([]Connection, error)            { return nil, nil }
func (still) Topics(context.Context) ([]Topic, error)                      { return nil, nil }
func (still) Services(context.Context) ([]Service, error)                  { return nil, nil }
func (still) Letters() ([]introspect.DeadLetter, uint64, map[string]int64) { return nil, 0, nil }
func (still) Cluster() introspect.Cluster                                  { return introspect.Cluster{} }
func (still) Log(uint64) []*introspect.LogRecord                           { return nil }
func (still) Explain(string, string, json.RawMessage) (any, error)         { return nil, nil }
func (still) Disconnect(context.Context, uint64) error                     { return nil }
func (still) Order(context.Context, string, string) error                  { return nil }
func (still) Add(context.Context, string, string, map[string]string) error { return nil }
func (still) Remove(context.Context, string) error                         { return nil }
func (still) Replay(context.Context, uint64) (*Replayed, error)            { return nil, ErrGone }

const password = "correct horse"

// newConsole returns a console with a password, on a clock that stands still.
func newConsole(t *testing.T, change func(*Options)) (*Console, *clocktest.Clock) {
	t.Helper()
	clock := clocktest.New()
	o := Options{Source: still{clock}, Log: slog.New(slog.DiscardHandler), Clock: clock, Address: "admin.example:8081", TrustLoopback: true,
		PasswordHash: HashPassword(password), PasswordAttempts: 3, Session: time.Hour, Connections: 8, HeaderBytes: 8 << 10}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Stop(context.Background()) })
	return c, clock
}

// request is one request to the console.
type request struct {
	method, path, from, host, body string
	header                         map[string]string
}

func (c *Console) do(t *testing.T, r request) *http.Response {
	t.Helper()
	if r.method == "" {
		r.method = http.MethodPost
	}
	sent := httptest.NewRequestWithContext(t.Context(), r.method, Path+r.path, strings.NewReader(r.body))
	sent.RemoteAddr, sent.Host = r.from, r.host
	if r.method == http.MethodPost {
		sent.Header.Set("Content-Type", "application/json")
	}
	for name, value := range r.header {
		sent.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	c.ServeHTTP(w, sent)
	answer := w.Result()
	t.Cleanup(func() { _ = answer.Body.Close() })
	return answer
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	line, _ := bufio.NewReader(r.Body).ReadString('\n') // an answer may be empty
	return line
}

const (
	here  = "127.0.0.1:51000"
	there = "192.0.2.7:51000"
)

// Who gets a token without a password, and who does not.
func TestWhoNeedsAPassword(t *testing.T) {
	type row struct {
		from, host string
		header     map[string]string
		status     int
	}
	for name, test := range map[string]row{
		"loopback":                        {here, "127.0.0.1:8081", nil, 200},
		"loopback by name":                {here, "localhost:8081", nil, 200},
		"loopback by capital name":        {here, "LocalHost", nil, 200},
		"loopback, IPv6":                  {"[::1]:51000", "[::1]:8081", nil, 200},
		"loopback, mapped":                {"[::ffff:127.0.0.1]:51000", "127.0.0.1:8081", nil, 200},
		"the name of the setting":         {here, "admin.example:8081", nil, 200},
		"a name that leads here":          {here, "evil.example:8081", nil, 401},
		"a name that begins alike":        {here, "localhost.evil.example", nil, 401},
		"the address of this machine":     {here, "192.0.2.1:8081", nil, 401},
		"no host":                         {here, "", nil, 401},
		"another machine":                 {there, "192.0.2.1:8081", nil, 401},
		"another machine that pretends":   {there, "localhost:8081", nil, 401},
		"through a proxy":                 {here, "127.0.0.1:8081", map[string]string{"X-Forwarded-For": "192.0.2.7"}, 401},
		"through a proxy that says https": {here, "127.0.0.1:8081", map[string]string{"X-Forwarded-Proto": "https"}, 401},
		"through a proxy, standard":       {here, "127.0.0.1:8081", map[string]string{"Forwarded": "for=192.0.2.7"}, 401},
		"a page of ours":                  {here, "127.0.0.1:8081", map[string]string{"Origin": "http://127.0.0.1:8081", "Sec-Fetch-Site": "same-origin"}, 200},
		"a page behind a TLS proxy":       {there, "pbx.example", map[string]string{"Origin": "https://pbx.example"}, 401},
		"a page of another port":          {here, "127.0.0.1:8081", map[string]string{"Origin": "http://127.0.0.1:3000"}, 403},
		"a page of another host":          {here, "127.0.0.1:8081", map[string]string{"Origin": "http://evil.example"}, 403},
		"a page of no origin":             {here, "127.0.0.1:8081", map[string]string{"Origin": "null"}, 403},
		"a page of another site":          {here, "127.0.0.1:8081", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		"no JSON":                         {here, "127.0.0.1:8081", map[string]string{"Content-Type": "text/plain"}, 415},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := newConsole(t, nil)
			if got := c.do(t, request{path: "token", from: test.from, host: test.host, header: test.header, body: "{}"}); got.StatusCode != test.status {
				t.Errorf("status %d, want %d: %s", got.StatusCode, test.status, body(t, got))
			}
		})
	}
	t.Run("loopback is not trusted", func(t *testing.T) {
		c, _ := newConsole(t, func(o *Options) { o.TrustLoopback = false })
		if got := c.do(t, request{path: "token", from: here, host: "127.0.0.1:8081", body: "{}"}); got.StatusCode != 401 {
			t.Errorf("status %d", got.StatusCode)
		}
	})
	t.Run("without a password nobody else gets in", func(t *testing.T) {
		c, _ := newConsole(t, func(o *Options) { o.PasswordHash = "" })
		got := c.do(t, request{path: "token", from: there, host: "192.0.2.1:8081", body: `{"password":""}`})
		if text := body(t, got); got.StatusCode != 403 || !strings.Contains(text, "admin.password_hash") {
			t.Errorf("%d %s", got.StatusCode, text)
		}
		got = c.do(t, request{method: "GET", path: "access", from: there, host: "192.0.2.1:8081"})
		if text := body(t, got); !strings.Contains(text, `"way":"none"`) || !strings.Contains(text, "admin.password_hash") {
			t.Error(text)
		}
	})
}

// A session is begun by the password, holds for so long, and ends when its browser says so.
func TestSession(t *testing.T) {
	c, clock := newConsole(t, nil)
	at := func(path, body, cookie string) *http.Response {
		return c.do(t, request{path: path, from: there, host: "pbx:8081", body: body, header: map[string]string{"Cookie": cookie}})
	}
	if got := at("login", `{"password":"wrong"}`, ""); got.StatusCode != 401 || len(got.Cookies()) != 0 {
		t.Fatalf("wrong password: %d %v", got.StatusCode, got.Cookies())
	}
	login := func() string {
		t.Helper()
		got := at("login", fmt.Sprintf(`{"password":%q}`, password), "")
		if got.StatusCode != 204 || len(got.Cookies()) != 1 {
			t.Fatalf("login: %d", got.StatusCode)
		}
		k := got.Cookies()[0]
		if !k.HttpOnly || k.SameSite != http.SameSiteStrictMode || k.Path != Path {
			t.Errorf("cookie %v", k)
		}
		return k.Name + "=" + k.Value
	}
	first, second := login(), login()
	for _, cookie := range []string{first, second} {
		if got := at("token", "{}", cookie); got.StatusCode != 200 {
			t.Errorf("with a session: %d", got.StatusCode)
		}
	}
	at("logout", "{}", first)
	if got := at("token", "{}", first); got.StatusCode != 401 {
		t.Errorf("after the logout: %d", got.StatusCode)
	}
	clock.Advance(time.Hour - time.Nanosecond)
	if got := at("token", "{}", second); got.StatusCode != 200 {
		t.Errorf("at the end: %d", got.StatusCode)
	}
	clock.Advance(time.Nanosecond)
	if got := at("token", "{}", second); got.StatusCode != 401 {
		t.Errorf("past the end: %d", got.StatusCode)
	}
	if got := at("token", fmt.Sprintf(`{"password":%q}`, password), ""); got.StatusCode != 200 || len(got.Cookies()) != 0 {
		t.Errorf("a program: %d", got.StatusCode)
	}
}

func TestTokensAreGoodForOneConnection(t *testing.T) {
	clock := clocktest.New()
	store := newTokens(clock, newLogins(time.Hour, clock))
	admit := func(actors.Role) error { return nil }
	name, hash := store.issue(visitor{name: "loopback", from: here})
	if _, err := store.Claim(name, strings.Repeat("0", 64), admit); err == nil {
		t.Error("a wrong hash is taken")
	}
	got, err := store.Claim(name, hash, admit)
	if err != nil || got.Role != actors.Client || got.UserName != "loopback" || len(got.Services) != 1 || got.Services[0] != Name {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := store.Claim(name, hash, admit); err == nil {
		t.Error("it is good twice")
	}
	name, hash = store.issue(visitor{})
	clock.Advance(tokenLife)
	if _, err := store.Claim(name, hash, admit); err == nil {
		t.Error("it is too old")
	}
	first, firstHash := store.issue(visitor{})
	for range mostTokens {
		clock.Advance(time.Nanosecond)
		store.issue(visitor{})
	}
	if _, err := store.Claim(first, firstHash, admit); err == nil || len(store.open) != mostTokens {
		t.Errorf("%d tokens are kept, want %d", len(store.open), mostTokens)
	}
}

// Wrong passwords make their address wait, a good one does not help meanwhile, and other addresses need not wait.
func TestGuesses(t *testing.T) {
	c, clock := newConsole(t, nil)
	guess := func(from, word string) *http.Response {
		return c.do(t, request{path: "login", from: from, host: "pbx", body: fmt.Sprintf(`{"password":%q}`, word)})
	}
	for i := range 3 {
		if got := guess(there, "x"); got.StatusCode != 401 {
			t.Fatalf("guess %d: %d", i+1, got.StatusCode)
		}
	}
	got := guess(there, password)
	if text := body(t, got); got.StatusCode != 429 || got.Header.Get("Retry-After") != "30" || !strings.Contains(text, "admin.password_attempts") {
		t.Errorf("one past the limit: %d %s", got.StatusCode, text)
	}
	if got := guess("192.0.2.8:1", password); got.StatusCode != 204 {
		t.Errorf("another address: %d", got.StatusCode)
	}
	clock.Advance(30*time.Second - time.Nanosecond)
	if got := guess(there, password); got.StatusCode != 429 {
		t.Errorf("a moment too soon: %d", got.StatusCode)
	}
	clock.Advance(time.Nanosecond)
	if got := guess(there, "x"); got.StatusCode != 401 {
		t.Errorf("the next guess: %d", got.StatusCode)
	}
	if got := guess(there, password); got.StatusCode != 429 || got.Header.Get("Retry-After") != "60" {
		t.Errorf("the next pause: %d %s", got.StatusCode, got.Header.Get("Retry-After"))
	}
	clock.Advance(time.Minute)
	if got := guess(there, password); got.StatusCode != 204 {
		t.Errorf("the right one in time: %d", got.StatusCode)
	}
	// The audit log has each password that was looked at.
	wrong, right := 0, 0
	entries, _ := c.audit.latest(auditKept)
	for _, e := range entries {
		switch {
		case e.Action != "login" || e.From != there && e.From != "192.0.2.8:1":
			t.Errorf("entry %+v", e)
		case e.Who == "nobody" && e.Result == "the password is wrong":
			wrong++
		case e.Who == "password" && e.Result == "ok":
			right++
		}
	}
	if wrong != 4 || right != 2 {
		t.Errorf("%d wrong and %d right passwords are in the audit log, want 4 and 2", wrong, right)
	}
}

// Any page may send requests, so they make one line a minute.
func TestForeignRequestsAreLoggedOnceAMinute(t *testing.T) {
	var log strings.Builder
	c, clock := newConsole(t, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	for range 3 {
		for range 10 {
			if got := c.do(t, request{path: "token", from: here, host: "localhost", body: "{}", header: map[string]string{"Origin": "http://evil.example"}}); got.StatusCode != 403 {
				t.Fatalf("status %d", got.StatusCode)
			}
		}
		clock.Advance(time.Minute)
	}
	if n := strings.Count(log.String(), "another origin"); n != 3 || strings.Count(log.String(), "suppressed=9") != 2 {
		t.Errorf("log:\n%s", log.String())
	}
}

func TestAttemptsOfMany(t *testing.T) {
	clock := clocktest.New()
	a := newAttempts(3, clock)
	address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}) }
	for i := range 3 * together {
		if a.wait(address(i)) != 0 {
			t.Fatalf("address %d must wait", i)
		}
		a.failed(address(i))
	}
	if got := a.wait(address(999)); got != time.Minute {
		t.Errorf("one past the limit of all: %v", got)
	}
	clock.Advance(time.Minute)
	if got := a.wait(address(999)); got != 0 {
		t.Errorf("the next minute: %v", got)
	}
	for i := range mostSources + 10 {
		a.failed(address(i))
	}
	if len(a.of) != mostSources {
		t.Errorf("%d addresses are remembered", len(a.of))
	}
	// One holder of IPv6 has a whole network.
	clock.Advance(time.Minute)
	for range 3 {
		a.failed(netip.MustParseAddr("2001:db8::1"))
	}
	if a.wait(netip.MustParseAddr("2001:db8::2:3")) == 0 || a.wait(netip.MustParseAddr("2001:db8:0:1::1")) != 0 {
		t.Error("a network is not one address, or two networks are")
	}
}

func TestPasswordHashes(t *testing.T) {
	line := HashPassword(password)
	h, err := parseHash(line)
	if err != nil || !h.is(password) || h.is(password+" ") || h.is("") {
		t.Fatalf("%s: %v", line, err)
	}
	if HashPassword(password) == line {
		t.Error("two hashes have one salt")
	}
	for _, wrong := range []string{"", "secret", strings.Replace(line, "argon2id", "argon2i", 1), strings.Replace(line, "v=19", "v=16", 1),
		strings.Replace(line, "m=19456", "m=99999999", 1), strings.Replace(line, "t=2", "t=0", 1), line[:len(line)-30], line + "$x"} {
		if _, err := parseHash(wrong); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}

func TestMethodsAndFiles(t *testing.T) {
	c, _ := newConsole(t, nil)
	for name, test := range map[string]struct {
		method, path string
		status       int
	}{
		"the page":      {"GET", "", 200},
		"its head":      {"HEAD", "", 200},
		"no such file":  {"GET", "assets/nothing.js", 404},
		"above":         {"GET", "../dist.go", 404},
		"a post":        {"POST", "", 405},
		"login by get":  {"GET", "login", 405},
		"token by get":  {"GET", "token", 405},
		"an empty body": {"POST", "token", 400},
		"no upgrade":    {"POST", "ws", 405},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.do(t, request{method: test.method, path: test.path, from: here, host: "localhost"})
			if got.StatusCode != test.status {
				t.Errorf("status %d", got.StatusCode)
			}
			if test.status == 200 && (got.Header.Get("Content-Security-Policy") != contentPolicy || got.Header.Get("Content-Type") != "text/html; charset=utf-8") {
				t.Errorf("headers %v", got.Header)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "no", "audit")
	for want, change := range map[string]func(*Options){
		"admin.password_hash": func(o *Options) { o.PasswordHash = "secret" },
		"admin.audit_file":    func(o *Options) { o.AuditFile = file },
	} {
		o := Options{Source: still{clocktest.New()}, Log: slog.New(slog.DiscardHandler), Clock: clocktest.New()}
		change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
