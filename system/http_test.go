package system

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strowger/config"
	"strowger/config/policy"
	"strowger/system/apikey"
)

// posted sends a body by HTTP and returns the status and the answer.
func posted(t *testing.T, s *System, path, authorization, body string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.Addr().String()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", authorization)
	r.Close = true
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got.StatusCode, strings.TrimSpace(string(text))
}

// Backends ask with a JWT and publish with an API key, as often as they like. Policies count for them as for sockets.
func TestHTTPWithReusableTokens(t *testing.T) {
	cfg := jwtConfig(t)
	cfg.Listen.HTTP = true
	cfg.Policies = map[string]policy.Policy{"weather": {Require: []string{"weather_view"}}}
	cfg.APIKeys.File = filepath.Join(t.TempDir(), "keys")
	key, _, err := apikey.Add(cfg.APIKeys.File, apikey.Spec{Services: []string{"weather", "news"}, Class: "weather_service"}, time.Now(), 10)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, cfg)
	watcher := join(t, s, user("a.example.com", []string{"weather_view"}, "weather", "news"))
	for i := range 2 {
		if status, answer := posted(t, s, "/publish?service=weather", "Bearer "+key, fmt.Sprintf(`{"topic":"t","payload":%d}`, i)); status != 200 {
			t.Fatalf("%d %s", status, answer)
		}
		watcher.gets(fmt.Sprintf(`"" weather/t #"" %d`, i))
	}
	if status, answer := posted(t, s, "/publish?service=other", "Bearer "+key, `{"payload":1}`); status != 401 {
		t.Errorf("%d %s", status, answer)
	}
	service := join(t, s, remote("weather", ""))
	may := signed(t, cfg, "u", time.Hour, map[string]any{"permissions": []string{"weather_view"}, "domain_name": "a.example.com", "domain_uuid": "d"})
	answered := make(chan string, 1)
	go func() {
		status, answer := posted(t, s, "/request", "Bearer "+may, `{"service":"weather","topic":"t","request_id":"mine"}`)
		answered <- fmt.Sprint(status, " ", answer)
	}()
	resource := service.asked(`"" weather/t #"1" null`)
	service.sendf(`{"service_name":"weather","topic":"t","status_code":200,"request_id":"1","resource_id":%q,"payload":{"now":21}}`, resource)
	if got := <-answered; !strings.HasPrefix(got, "200 ") || !strings.Contains(got, `"payload":{"now":21}`) || !strings.Contains(got, `"request_id":"mine"`) {
		t.Error(got)
	}
	not := signed(t, cfg, "u", time.Hour, nil)
	if status, answer := posted(t, s, "/request", "Bearer "+not, `{"service":"weather","topic":"t"}`); status != 403 {
		t.Errorf("%d %s", status, answer)
	}
	if status, _ := posted(t, s, "/request", "Bearer "+may+"x", `{"service":"weather","topic":"t"}`); status != 401 {
		t.Errorf("status %d", status)
	}
	if m := s.source().Metrics(); m.HTTP.Published != 2 || m.HTTP.Requested != 2 {
		t.Errorf("%+v", m.HTTP)
	}
}

// A reload turns requests by HTTP on and off.
func TestHTTPByReload(t *testing.T) {
	cfg := testConfig(t)
	s := start(t, cfg)
	for _, on := range []bool{true, false} {
		changed := *cfg
		changed.Listen.HTTP = on
		if _, err := s.Reload(&changed); err != nil {
			t.Fatal(err)
		}
		want := 405
		if on {
			want = 401
		}
		if status, answer := posted(t, s, "/request", "", "{}"); status != want {
			t.Errorf("on %v: %d %s", on, status, answer)
		}
	}
}

// What is published on one node reaches those who watch on another, also when nothing else offers the name.
func TestPublishByHTTPInACluster(t *testing.T) {
	all := nodes(t, 2, func(cfg *config.Config) { cfg.Listen.HTTP = true })
	watcher := join(t, all[1], user("a.example.com", nil, "news"))
	for i := range 3 {
		made := mint(t, all[0].cfg.Tokens.Directory, remote("news", "news_service"))
		if status, answer := posted(t, all[0], "/publish", basic(made.Name, made.Hash), fmt.Sprintf(`{"topic":"t","payload":%d}`, i)); status != 200 {
			t.Fatalf("%d %s", status, answer)
		}
		watcher.gets(fmt.Sprintf(`"" news/t #"" %d`, i))
	}
}

func basic(name, hash string) string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(name, hash)
	return r.Header.Get("Authorization")
}
