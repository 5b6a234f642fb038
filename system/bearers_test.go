package system

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"strowger/client"
	"strowger/config"
	"strowger/config/policy"
	"strowger/system/apikey"
	"strowger/system/jwt"
)

// secret is the secret with which the tests sign.
const secret = "0123456789abcdef0123456789abcdef"

// privateFile writes a file that nobody else can read and returns its path.
func privateFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// jwtConfig is a configuration that accepts JWTs which are signed with the secret.
func jwtConfig(t testing.TB) *config.Config {
	t.Helper()
	cfg := testConfig(t)
	cfg.Routing.UnknownService, cfg.Routing.DefaultPolicy = "503", "allow"
	cfg.JWT.Keys, cfg.JWT.Leeway = []string{"HS256 " + privateFile(t, "secret", secret)}, 0
	return cfg
}

// signed is a JWT of a subject that is good for some time, with more claims.
func signed(t testing.TB, cfg *config.Config, subject string, limit time.Duration, more map[string]any) string {
	t.Helper()
	claims := map[string]any{"sub": subject, "exp": float64(time.Now().Add(limit).UnixMilli()) / 1000}
	for name, value := range more {
		claims[name] = value
	}
	text, err := jwt.Mint(cfg.JWT.Keys[0], "", claims)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// shows presents a token as it is.
func (p *peer) shows(name, hash string) {
	p.t.Helper()
	p.sendf(`{"service":"authentication","request_id":"a","token":{"name":%q,"hash":%q}}`, name, hash)
}

const (
	good200 = `200 authentication/authenticated #"a" null`
	bad401  = `401 authentication/unauthorized #"a" null`
)

// A JWT lets any number of connections in, which get what its claims say.
func TestJWT(t *testing.T) {
	cfg := jwtConfig(t)
	cfg.Policies = map[string]policy.Policy{"weather": {Require: []string{"weather_view"}}}
	s := start(t, cfg)
	weather := join(t, s, remote("weather", ""))
	token := signed(t, cfg, "9a2b3c4d-0000-4000-8000-000000000002", time.Hour, map[string]any{
		"permissions": []string{"weather_view"}, "services": []string{"weather"}, "domain_name": "a.example.com", "domain_uuid": "d"})
	var peers []*peer
	for range 3 {
		p := connectAt(t, s.Addr().String())
		p.shows("jwt", token)
		p.gets(good200)
		peers = append(peers, p)
	}
	other := connectAt(t, s.Addr().String())
	other.shows("jwt", signed(t, cfg, "u", time.Hour, nil))
	other.gets(good200)
	weather.sendf(`{"service_name":"weather","topic":"t","payload":1}`)
	for _, p := range peers {
		p.gets(`"" weather/t #"" 1`)
	}
	peers[0].sendf(`{"service":"weather","topic":"t","request_id":"1"}`)
	weather.asked(`"" weather/t #"1" null`)
	other.sendf(`{"service":"weather","topic":"t","request_id":"1"}`)
	other.gets(`403 weather/t #"1" null`)
	if m := s.tokens.bearers.stats(); m.JWTs != 4 || m.NoJWTs != 0 {
		t.Errorf("%+v", m)
	}
}

// The end of a JWT is that of its connection.
func TestJWTExpires(t *testing.T) {
	cfg := jwtConfig(t)
	s := start(t, cfg)
	p := connectAt(t, s.Addr().String())
	p.shows("jwt", signed(t, cfg, "u", 500*time.Millisecond, nil))
	p.gets(good200)
	<-p.closed
	if p.code != 4001 {
		t.Errorf("closed with %d, want 4001", p.code)
	}
}

// A fresh JWT of the same subject moves the end without a gap. Another one does not.
func TestJWTIsRenewed(t *testing.T) {
	cfg := jwtConfig(t)
	var log syncBuffer
	s, stop := startLogged(t, cfg, slog.New(slog.NewJSONHandler(&log, nil)))
	service := join(t, s, remote("weather", ""))
	grants := map[string]any{"services": "weather"}
	p := connectAt(t, s.Addr().String())
	first := time.Now().Add(2 * time.Second)
	p.shows("jwt", signed(t, cfg, "u", time.Until(first), grants))
	p.gets(good200)
	witness := connectAt(t, s.Addr().String())
	witness.shows("jwt", signed(t, cfg, "u", time.Until(first.Add(200*time.Millisecond)), grants))
	witness.gets(good200)
	for name, test := range map[string]struct{ token, reason string }{
		"another subject": {signed(t, cfg, "v", time.Hour, grants), "subject"},
		"more grants":     {signed(t, cfg, "u", time.Hour, map[string]any{"services": "weather news"}), "grants"},
		"expired":         {signed(t, cfg, "u", -time.Hour, grants), "token"},
	} {
		p.shows("jwt", test.token)
		if got, want := p.next().String(), fmt.Sprintf(`401 authentication/unauthorized #"a" {"reason":%q}`, test.reason); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	p.shows("jwt", signed(t, cfg, "u", time.Hour, grants))
	p.gets(good200)
	// The same again, and a token of a file, change nothing.
	p.sendf(`{"service":"authentication","request_id":"a","token":{"name":"0123456789abcdef","hash":"0123456789abcdef"}}`)
	p.gets(good200)
	<-witness.closed // the first end has passed
	service.sendf(`{"service_name":"weather","topic":"t","payload":1}`)
	p.gets(`"" weather/t #"" 1`)
	p.sendf(`{"service":"weather","topic":"t","request_id":"1"}`)
	service.asked(`"" weather/t #"1" null`)
	if c := s.counters(); c.Renewed.Load() != 1 || c.NotRenewed.Load() != 3 {
		t.Errorf("%d renewed, %d not", c.Renewed.Load(), c.NotRenewed.Load())
	}
	stop()
	if line := lineOf(t, &log, "renewal"); line["role"] != "client" || line["subscriber"] == nil || line["err"] == nil || line["level"] != "WARN" {
		t.Errorf("line of a renewal: %v", line)
	}
}

// A JWT that is not good is a refused token like any other; its line names the cause and the setting.
func TestJWTIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		change       func(*config.Config)
		token        func(t *testing.T, cfg *config.Config) string
		err, setting string
	}{
		"off": {func(c *config.Config) { c.JWT.Keys = nil }, func(*testing.T, *config.Config) string { return "x" },
			"a JWT was presented, and none is accepted", "jwt.keys, jwt.jwks"},
		"expired": {nil, func(t *testing.T, c *config.Config) string { return signed(t, c, "u", -time.Hour, nil) },
			"JWT has expired", "jwt.leeway"},
		"wrong audience": {nil, func(t *testing.T, c *config.Config) string {
			return signed(t, c, "u", time.Hour, map[string]any{"aud": "x"})
		}, "audience of the JWT is not accepted", "jwt.audiences"},
		"too long": {func(c *config.Config) { c.JWT.MaxBytes = 600 }, func(t *testing.T, c *config.Config) string {
			return signed(t, c, "u", time.Hour, map[string]any{"x": strings.Repeat("x", 600)})
		}, "JWT is too long", "jwt.max_bytes"},
		"alg none": {nil, func(*testing.T, *config.Config) string {
			return "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1IiwiZXhwIjo5OTk5OTk5OTk5fQ."
		},
			"algorithm of the JWT is not that of a key", "jwt.keys, jwt.jwks"},
		"wrong secret": {nil, func(t *testing.T, c *config.Config) string {
			mine := *c
			mine.JWT.Keys = []string{"HS256 " + privateFile(t, "secret", strings.Repeat("x", 32))}
			return signed(t, &mine, "u", time.Hour, nil)
		}, "signature of the JWT is wrong", "jwt.keys, jwt.jwks"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := jwtConfig(t)
			signing := *cfg
			if test.change != nil {
				test.change(cfg)
			}
			var log syncBuffer
			s, stop := startLogged(t, cfg, slog.New(slog.NewJSONHandler(&log, nil)))
			p := connectAt(t, s.Addr().String())
			token := test.token(t, &signing)
			p.shows("jwt", token)
			p.gets(bad401)
			stop()
			line := lineOf(t, &log, "token")
			setting, _ := line["setting"].(string)
			if got, _ := line["err"].(string); !strings.Contains(got, test.err) || setting != test.setting {
				t.Errorf("%v, want %q and %q", line, test.err, test.setting)
			}
			if len(token) > 100 && strings.Contains(log.String(), token[60:100]) {
				t.Error("the log has the JWT")
			}
		})
	}
}

// lineOf returns the last line of a cause.
func lineOf(t *testing.T, log *syncBuffer, cause string) (line map[string]any) {
	t.Helper()
	for text := range strings.Lines(log.String()) {
		if strings.Contains(text, `"cause":"`+cause+`"`) {
			line = nil
			if err := json.Unmarshal([]byte(text), &line); err != nil {
				t.Fatal(err)
			}
		}
	}
	return line
}

// A JWT as long as its bound fits into the first message.
func TestLongestJWTFits(t *testing.T) {
	cfg := jwtConfig(t)
	s := start(t, cfg)
	// The one that is sent is one whose length was looked at: another one may be longer, as its times have other digits.
	token := ""
	for fill := 1; ; {
		longer := signed(t, cfg, "u", time.Hour, map[string]any{"x": strings.Repeat("x", fill)})
		if len(longer) > int(cfg.JWT.MaxBytes) {
			break
		}
		token = longer
		fill += max(1, (int(cfg.JWT.MaxBytes)-len(longer))/2)
	}
	if len(token) < int(cfg.JWT.MaxBytes)-8 {
		t.Fatalf("%d bytes", len(token))
	}
	p := connectAt(t, s.Addr().String())
	p.shows("jwt", token)
	p.gets(good200)
}

// A reload changes what counts for JWTs from then on, reads key files again, and changes nothing if one cannot be used.
func TestJWTReload(t *testing.T) {
	cfg := jwtConfig(t)
	s := start(t, cfg)
	token := signed(t, cfg, "u", time.Hour, nil)
	present := func(want string) {
		t.Helper()
		p := connectAt(t, s.Addr().String())
		p.shows("jwt", token)
		p.gets(want)
	}
	present(good200)
	_, path, _ := strings.Cut(cfg.JWT.Keys[0], " ")
	if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reload(cfg); err == nil || !strings.Contains(err.Error(), "jwt.keys") {
		t.Errorf("%v", err)
	}
	present(good200)
	if err := os.WriteFile(path, []byte(strings.Repeat("y", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	present(bad401)
	if err := os.WriteFile(path, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	changed := *cfg
	changed.JWT.Audiences = []string{"x"}
	done, err := s.Reload(&changed)
	if err != nil || len(done.Applied) != 1 || done.Applied[0].Key != "jwt.audiences" {
		t.Fatalf("%+v, %v", done, err)
	}
	present(bad401)
}

// A JWT whose keys cannot be fetched is turned away and stays good; the router is not held up.
func TestJWKS(t *testing.T) {
	var ready atomic.Bool
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !ready.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`)
	}))
	t.Cleanup(issuer.Close)
	cfg := jwtConfig(t)
	cfg.JWT.Keys, cfg.JWT.Sets, cfg.JWT.Audiences, cfg.JWT.JWKSRetry = nil, []string{"me " + issuer.URL}, []string{"pbx"}, time.Second
	var log syncBuffer
	s, _ := startLogged(t, cfg, slog.New(slog.NewJSONHandler(&log, nil)))
	// Signed by the private key of RFC 8037, appendix A: iss me, sub u, aud pbx, exp in the year 2286, kid a.
	token, err := jwt.Mint("EdDSA "+privateFile(t, "key", rfc8037), "a", map[string]any{"iss": "me", "sub": "u", "aud": "pbx", "exp": int64(9999999999)})
	if err != nil {
		t.Fatal(err)
	}
	p := connectAt(t, s.Addr().String())
	p.shows("jwt", token)
	<-p.closed
	if p.code != 1013 {
		t.Errorf("closed with %d, want 1013", p.code)
	}
	if line := lineOf(t, &log, "unchecked"); line["setting"] != "jwt.jwks" || line["role"] != "unauthenticated" || line["err"] == nil {
		t.Errorf("line of keys that are away: %v", line)
	}
	ready.Store(true)
	for by := time.Now().Add(patience); ; {
		p := connectAt(t, s.Addr().String())
		p.shows("jwt", token)
		select {
		case e := <-p.got:
			if e.String() != good200 {
				t.Fatal(e)
			}
			if m := s.tokens.bearers.stats(); m.SetKeys != 1 || m.Fetches != 1 {
				t.Errorf("%+v", m)
			}
			return
		case <-p.closed: // it may be fetched again after jwt.jwks_retry
			if time.Now().After(by) {
				t.Fatal("it is never let in")
			}
		}
	}
}

// rfc8037 is the private key of RFC 8037, appendix A.1, in PKCS 8.
const rfc8037 = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n"

// A JWT makes its holder a service only where the settings name the claims.
func TestServiceByJWT(t *testing.T) {
	for _, on := range []bool{false, true} {
		cfg := jwtConfig(t)
		if on {
			cfg.JWT.ServiceNameClaim, cfg.JWT.ServiceClassClaim = "strowger_service", "strowger_class"
		}
		s := start(t, cfg)
		p := connectAt(t, s.Addr().String())
		p.shows("jwt", signed(t, cfg, "u", time.Hour, map[string]any{"strowger_service": "weather", "strowger_class": "weather_service"}))
		p.gets(good200)
		c := join(t, s, user("", nil))
		c.sendf(`{"service":"strowger","topic":"offered","request_id":"1","payload":{"service":"weather"}}`)
		c.gets(fmt.Sprintf(`200 strowger/offered #"1" {"offered":%v}`, on))
	}
}

// An API key makes its holder a service of one of its names, any number of times.
func TestAPIKey(t *testing.T) {
	cfg := jwtConfig(t)
	cfg.APIKeys.File = filepath.Join(t.TempDir(), "keys")
	key, _, err := apikey.Add(cfg.APIKeys.File, apikey.Spec{Services: []string{"weather", "news"}, Class: "weather_service"}, time.Now(), 10)
	if err != nil {
		t.Fatal(err)
	}
	var log syncBuffer
	s, stop := startLogged(t, cfg, slog.New(slog.NewJSONHandler(&log, nil)))
	c := join(t, s, user("", nil, "weather"))
	for _, name := range []string{"weather", "news", "weather"} {
		p := connectAt(t, s.Addr().String())
		p.shows("apikey:"+name, key)
		p.gets(good200)
		if name == "weather" {
			p.sendf(`{"service_name":"weather","topic":"t","payload":1}`)
			c.gets(`"" weather/t #"" 1`)
		}
		// A second authentication changes nothing, as with a token of a file.
		p.shows("apikey:news", key)
		p.gets(good200)
	}
	for name, hash := range map[string]string{"apikey": key, "apikey:panel": key, "apikey:weather": key[:len(key)-1] + "g", "apikey:news": "x"} {
		p := connectAt(t, s.Addr().String())
		p.shows(name, hash)
		p.gets(bad401)
	}
	second, _, err := apikey.Add(cfg.APIKeys.File, apikey.Spec{Services: []string{"panel"}}, time.Now(), 10)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	p := connectAt(t, s.Addr().String())
	p.shows("apikey", second)
	p.gets(good200)
	if m := s.tokens.bearers.stats(); m.Keys != 4 || m.NoKeys != 4 || m.KeyChecks != 2 || m.APIKeys != 2 {
		t.Errorf("%+v", m)
	}
	stop()
	for _, k := range []string{key, second} {
		if strings.Contains(log.String(), k[25:]) {
			t.Error("the log has a key")
		}
	}
	if !strings.Contains(log.String(), `"bearer":"apikey `) {
		t.Error("the log does not say which key let somebody in")
	}
}

// The Go client stays connected beyond the end of its JWT, and comes back with one that grants something else.
func TestClientRenewsItsJWT(t *testing.T) {
	cfg := jwtConfig(t)
	s := start(t, cfg)
	service := join(t, s, remote("weather", ""))
	const limit = 2 * time.Second
	var grants atomic.Pointer[string]
	grants.Store(new(string))
	states := make(chan client.State, 64)
	c, err := client.Dial(t.Context(), "ws://"+s.Addr().String()+"/", func(context.Context) (client.Token, error) {
		return client.JWT(signed(t, cfg, "u", limit, map[string]any{"services": *grants.Load()})), nil
	}, client.Options{OnState: func(state client.State, _ error) { states <- state }, Reconnect: client.Reconnect{Min: time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	witness := connectAt(t, s.Addr().String())
	witness.shows("jwt", signed(t, cfg, "u", 2*limit, nil))
	<-witness.closed
	if c.State() != client.StateOnline || len(states) != 2 || s.counters().Renewed.Load() < 2 {
		t.Errorf("%v after %d states and %d renewals", c.State(), len(states), s.counters().Renewed.Load())
	}
	<-states // connecting
	<-states // online
	other := "weather"
	grants.Store(&other)
	heard := make(chan struct{}, 8)
	defer c.Listen("weather", func(client.Message) { heard <- struct{}{} })()
	for state := range states {
		if state == client.StateOnline {
			break
		}
	}
	service.sendf(`{"service_name":"weather","topic":"t","payload":1}`)
	<-heard
}

// Files stay what they are: the names of reusable tokens are too short for them, and are refused where nothing is set.
func TestReusableTokensAreOff(t *testing.T) {
	s := start(t, testConfig(t))
	for _, name := range []string{"jwt", "apikey", "apikey:weather"} {
		p := connectAt(t, s.Addr().String())
		p.shows(name, strings.Repeat("x", 64))
		p.gets(bad401)
	}
}
