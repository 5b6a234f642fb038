package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"strowger/config"
	"strowger/config/policy"
	"strowger/system"
)

func put(t *testing.T, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const rain = `{"service_name":"weather","topic":"rain","payload":{"city":"Oslo","mm":1.50,"source":"radar"}}`

func TestExplainToken(t *testing.T) {
	dir := t.TempDir()
	settings := put(t, "strowger.yaml", `
policies:
  weather:
    scopes: [{permission: see_all, to: all}, {to: domain, keys: [city]}]
    key_permissions: {source: [see_source]}
  weather_service: {require: [nothing]}
`)
	event := put(t, "rain.json", rain)
	oslo := createToken(t, dir, "--user", "a", "--subscribe", "weather", "--domain-name", "Oslo")
	bergen := createToken(t, dir, "--user", "b", "--domain-name", "Bergen", "--format", "json")
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"delivered": {[]string{"--token", oslo.File, "--service", "weather", "--config", settings, "--event", event},
			`{"service":"weather","policy":"weather","source":"configuration","watches":true,"scope":"scopes[1] to domain","verdict":"deliver","topic":"rain","fields":[{"key":"city","kept":true},{"key":"mm","kept":true},{"key":"source","kept":false,"rule":"key_permissions.source: any of see_source"}],"payload":{"city":"Oslo","mm":1.50}}`},
		"dropped": {[]string{"--token", bergen.File, "--service", "weather", "--config", settings, "--event", event},
			`{"service":"weather","policy":"weather","source":"configuration","watches":false,"scope":"scopes[1] to domain","verdict":"drop","rule":"scopes[1] to domain: the key that tells whose it is does not match","topic":"rain","fields":[{"key":"city","kept":false},{"key":"mm","kept":false},{"key":"source","kept":false,"rule":"key_permissions.source: any of see_source"}]}`},
		"by class": {[]string{"--token", oslo.File, "--service", "other", "--class", "weather_service", "--config", settings},
			`{"service":"other","class":"weather_service","policy":"weather_service","source":"configuration","watches":false,"rule":"require: has none of nothing"}`},
		"built in": {[]string{"--token", oslo.File, "--service", "active.calls"},
			`{"service":"active.calls","class":"active_calls_service","policy":"active_calls_service","source":"builtin","watches":false,"scope":"scopes[2] to extensions"}`},
		"default": {[]string{"--token", oslo.File, "--service", "weather"},
			`{"service":"weather","source":"default","watches":true,"rule":"no policy"}`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := succeed(t, append([]string{"explain"}, test.args...)...); got != test.want+"\n" {
				t.Errorf("got\n%swant\n%s", got, test.want)
			}
		})
	}
	for _, file := range []string{oslo.File, bergen.File} {
		if _, err := os.Stat(file); err != nil {
			t.Errorf("the token was used up: %v", err)
		}
	}
}

func TestExplainSubscriber(t *testing.T) {
	var asked []string
	admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		asked = append(asked, r.Method+" "+r.URL.Path+" "+query.Get("subscriber")+" "+query.Get("service"))
		switch query.Get("service") {
		case "s":
			_, _ = w.Write([]byte(`[{"service":"s","source":"default","watches":true},{"service":"s","source":"builtin","watches":true}]`))
		case "page":
			_, _ = w.Write([]byte(`<html>`))
		default:
			http.Error(w, "explain: "+system.ErrUnknownService.Error(), http.StatusNotFound)
		}
	}))
	defer admin.Close()
	host := strings.TrimPrefix(admin.URL, "http://")
	got := succeed(t, "explain", "--subscriber", "x&y", "--service", "s", "--admin", host)
	if want := `{"service":"s","source":"default","watches":true}` + "\n" + `{"service":"s","source":"builtin","watches":true}` + "\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	succeed(t, "explain", "--subscriber", "x", "--service", "s", "--admin", host, "--event", put(t, "e.json", rain))
	if want := "GET /explain x&y s, POST /explain x s"; strings.Join(asked, ", ") != want {
		t.Errorf("the daemon was asked %q, want %s", asked, want)
	}
	for service, want := range map[string]string{
		"page": "the answer is no explanation",
		"none": "404 Not Found: explain: nobody offers or watches this service",
	} {
		r := begin(t, nil, "explain", "--subscriber", "x", "--service", service, "--admin", host)
		r.wait(exitError)
		if !strings.Contains(r.stderr.String(), want) {
			t.Errorf("%s: stderr %s, want %s", service, r.stderr, want)
		}
	}
}

func TestConfigPolicies(t *testing.T) {
	own := put(t, "own.yaml", "policies: {active_calls_service: {keys: [a]}, x.y: {scopes: [{to: all}]}}\n")
	builtin, err := policy.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{"built in": nil, "of a file": {own}} {
		t.Run(name, func(t *testing.T) {
			printed := succeed(t, append([]string{"config", "policies"}, args...)...)
			cfg, err := config.Load(config.Options{File: put(t, "printed.yaml", printed)})
			if err != nil {
				t.Fatal(err)
			}
			want := &config.Config{}
			if args != nil {
				if want, err = config.Load(config.Options{File: own}); err != nil {
					t.Fatal(err)
				}
			}
			effective, err := want.EffectivePolicies()
			if err != nil {
				t.Fatal(err)
			}
			one, _ := json.Marshal(cfg.Policies)
			other, _ := json.Marshal(effective)
			if string(one) != string(other) || len(effective) < len(builtin) {
				t.Errorf("printed\n%s\nwhich is\n%s\nwant\n%s", printed, one, other)
			}
		})
	}
	if printed := succeed(t, "config", "policies"); !strings.Contains(printed, "# the page that shows it asks for") {
		t.Error("the built-in policies have lost their comments")
	}
}
