package system

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"strowger/config/policy"
	"strowger/system/token"
)

// What the running system says of a subscriber is what its token says, and the handler says the same.
func TestExplain(t *testing.T) {
	cfg := testConfig(t)
	cfg.Policies = map[string]policy.Policy{"weather_service": {
		Scopes:         []policy.Scope{{To: policy.Domain, Keys: []string{"city"}}},
		KeyPermissions: map[string][]string{"mm": {"see_mm"}},
	}}
	s := start(t, cfg)
	watcher := join(t, s, user("Oslo", nil, "weather"))
	event := &Event{Topic: "rain", Payload: json.RawMessage(`{"city":"Oslo","mm":1}`)}
	if _, err := s.Explain("x", "nothing", event); err != ErrUnknownService {
		t.Errorf("unknown service: %v", err)
	}
	if _, err := s.Explain("x", "weather", event); err != ErrNoMember {
		t.Errorf("stranger: %v", err)
	}
	service := join(t, s, remote("weather", "weather_service"))
	watcher.sendf(`{"service":"weather","topic":"t","request_id":"1"}`)
	id := service.asked(`"" weather/t #"1" null`)
	got, err := s.Explain(id, "weather", event)
	if err != nil {
		t.Fatal(err)
	}
	want, err := ExplainToken(cfg, &token.Token{DomainName: "Oslo", Services: []string{"weather"}}, "weather", "weather_service", event)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, []*Explanation{want}) || string(want.Payload) != `{"city":"Oslo"}` || want.Policy != "weather_service" {
		t.Errorf("got  %+v\nwant %+v", got[0], want)
	}

	web := httptest.NewServer(s.explainHandler())
	defer web.Close()
	for name, test := range map[string]struct {
		method, query, body string
		status              int
		want                string
	}{
		"with event":    {"POST", "?service=weather&subscriber=" + id, `{"topic":"rain","payload":{"city":"Oslo","mm":1}}`, 200, `"payload":{"city":"Oslo"}`},
		"without":       {"GET", "?service=weather&subscriber=" + id, "", 200, `[{"service":"weather","class":"weather_service","policy":"weather_service","source":"configuration","watches":true,"scope":"scopes[0] to domain"}]`},
		"no subscriber": {"GET", "?service=weather", "", 400, "want subscriber and service"},
		"stranger":      {"GET", "?service=weather&subscriber=x", "", 404, "does not watch"},
		"no event":      {"POST", "?service=weather&subscriber=" + id, `{}`, 400, "empty"},
		"method":        {"DELETE", "", "", 405, "want GET or POST"},
	} {
		t.Run(name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(context.Background(), test.method, web.URL+"/"+test.query, strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			response, err := web.Client().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != test.status || !strings.Contains(string(body), test.want) {
				t.Errorf("got %d %s, want %d %s", response.StatusCode, body, test.status, test.want)
			}
		})
	}
}

// The list of a service's subscribers tells the ids that an explanation asks for.
func TestSubscribersAreListed(t *testing.T) {
	s := start(t, testConfig(t))
	join(t, s, user("Oslo", nil, "weather"))
	join(t, s, user("Bergen", nil, "weather"))
	join(t, s, user("Bergen", nil, "other"))
	join(t, s, remote("weather", "weather_service"))
	web := httptest.NewServer(s.subscribersHandler())
	defer web.Close()
	get := func(query string) (int, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, web.URL+"/subscribers"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := web.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body)
	}
	status, body := get("?service=weather")
	var all []Subscriber
	if err := json.Unmarshal([]byte(body), &all); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s: %v", status, body, err)
	}
	if len(all) != 2 || all[0].Domain != "Bergen" || all[1].Domain != "Oslo" || !strings.HasPrefix(all[0].Remote, "127.0.0.1:") {
		t.Fatalf("got %+v", all)
	}
	for _, one := range all {
		got, err := s.Explain(one.ID, "weather", nil)
		// No policy is no scope.
		if err != nil || len(got) != 1 || got[0].Scope != "" || got[0].Rule != "no policy" {
			t.Errorf("%s: %+v, %v", one.ID, got, err)
		}
	}
	if status, body := get(""); status != http.StatusBadRequest {
		t.Errorf("without a service: %d %s", status, body)
	}
	if status, body := get("?service=nothing"); status != http.StatusNotFound {
		t.Errorf("of nobody: %d %s", status, body)
	}
}
