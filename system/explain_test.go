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

	"strowger/actors/filter"
	"strowger/system/token"
)

// What the running system says of a subscriber is what its token says, and the handler says the same.
func TestExplain(t *testing.T) {
	cfg := testConfig(t)
	cfg.Policies = map[string]filter.Policy{"weather_service": {
		Scopes:         []filter.Scope{{To: filter.Domain, Keys: []string{"city"}}},
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

	web := httptest.NewServer(s.ExplainHandler())
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
