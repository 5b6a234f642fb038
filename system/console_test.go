package system

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"strowger/client"
	"strowger/config"
	"strowger/config/policy"
	"strowger/system/internal/console"
	"strowger/system/service"
)

// consoleConfig is testConfig with admin pages on a port of their own.
func consoleConfig(t *testing.T) *config.Config {
	cfg := testConfig(t)
	cfg.Admin.Address = "127.0.0.1:0"
	return cfg
}

// post sends JSON to the console and returns the answer.
func post(t *testing.T, s *System, path, body string) (int, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.AdminAddr().String()+"/console/"+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answer.Bytes()
}

// desk is somebody in the console.
type desk struct {
	t *testing.T
	*client.Client
}

// operate connects to the console as a program on this machine does.
func operate(t *testing.T, s *System) *desk {
	t.Helper()
	eventually(t, "the admin pages listen", func() bool { return s.AdminAddr() != nil })
	token := func(context.Context) (client.Token, error) {
		status, body := post(t, s, "token", "{}")
		var made client.Token
		if err := json.Unmarshal(body, &made); err != nil || status != http.StatusOK {
			return made, fmt.Errorf("%d %s: %w", status, body, err)
		}
		return made, nil
	}
	c, err := client.Dial(t.Context(), "ws://"+s.AdminAddr().String()+"/console/ws", token, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &desk{t, c}
}

// ask asks the console and decodes the answer into v, unless that is nil. It returns the status.
func (o *desk) ask(topic, payload string, v any) (int, string) {
	o.t.Helper()
	reply, err := o.Request(o.t.Context(), console.Name, topic, json.RawMessage(payload))
	var refused *client.StatusError
	if errors.As(err, &refused) {
		var why struct{ Reason string }
		_ = json.Unmarshal(refused.Payload, &why)
		return refused.Code, why.Reason
	}
	if err != nil {
		o.t.Fatalf("%s: %v", topic, err)
	}
	if v != nil {
		if err := json.Unmarshal(reply.Payload, v); err != nil {
			o.t.Fatalf("%s: %v in %s", topic, err, reply.Payload)
		}
	}
	return 200, string(reply.Payload)
}

// all are the rows of a view.
type all[T any] struct {
	Total, Matched int
	Rows           []T
}

func echo() *service.Service {
	return &service.Service{Name: "echo", Policy: service.Everyone(), Setup: func(s service.Setup) error {
		s.Handle("say", func(r service.Request) error { r.Reply(r.Payload()); return nil })
		s.Handle("fail", func(service.Request) error { panic("on purpose") })
		return nil
	}}
}

func TestConsoleViews(t *testing.T) {
	cfg := consoleConfig(t)
	cfg.Policies = map[string]policy.Policy{"weather": {Scopes: []policy.Scope{{To: policy.All}}}}
	s, _ := startJournal(t, cfg, echo())
	o := operate(t, s)
	join(t, s, user("Oslo", nil, "weather"))
	watcher := join(t, s, user("Bergen", []string{"p"}, "weather", "echo"))
	remoteService := join(t, s, remote("weather", "weather_service"))
	remoteService.sendf(`{"service_name":"weather","topic":"rain","payload":1}`)
	watcher.gets(`"" weather/rain #"" 1`)
	watcher.sendf(`{"service":"echo","topic":"say","request_id":"1","payload":{}}`)
	watcher.gets(`200 echo/say #"1" {}`)

	var rows all[console.Connection]
	o.ask("connections", `{"sort":"domain","role":"client"}`, &rows)
	if rows.Total != 3 || rows.Matched != 2 || rows.Rows[0].Domain != "Bergen" || rows.Rows[0].Subscriptions != 2 ||
		rows.Rows[0].InBytes == 0 || rows.Rows[0].OutBytes == 0 {
		t.Fatalf("connections: %+v", rows)
	}
	bergen := rows.Rows[0]
	o.ask("connections", `{"search":"WEATHER_serv"}`, &rows)
	if rows.Matched != 1 || rows.Rows[0].Role != "service" || rows.Rows[0].Name != "weather" {
		t.Errorf("search: %+v", rows)
	}
	o.ask("connections", `{"limit":1,"offset":2}`, &rows)
	if rows.Matched != 3 || len(rows.Rows) != 1 {
		t.Errorf("last page: %+v", rows)
	}
	o.ask("connections", `{"service":"echo"}`, &rows)
	if rows.Matched != 1 || rows.Rows[0].ID != bergen.ID {
		t.Errorf("those of echo: %+v", rows)
	}
	for query, why := range map[string]string{
		`{"limit":201}`: "limit 201 is not between 1 and 200", `{"offset":-1}`: "offset -1 is negative", `{"sort":"x"}`: `sort "x" is unknown`,
	} {
		if code, reason := o.ask("connections", query, nil); code != 400 || reason != why {
			t.Errorf("%s: %d %s", query, code, reason)
		}
	}
	var one struct {
		console.Connection
		Services    []string
		Permissions int
	}
	o.ask("connection", `{"id":"`+bergen.ID+`"}`, &one)
	if one.Number != bergen.Number || len(one.Services) != 2 || one.Permissions != 1 {
		t.Errorf("connection: %+v", one)
	}
	if code, _ := o.ask("connection", `{"number":99}`, nil); code != 404 {
		t.Errorf("nobody: %d", code)
	}

	var topics all[console.Topic]
	o.ask("topics", `{"sort":"members","descending":true}`, &topics)
	if topics.Matched != 2 || topics.Rows[0].Name != "weather" || topics.Rows[0].Members != 2 || topics.Rows[0].Broadcasts != 1 || topics.Rows[0].Classes != 1 {
		t.Errorf("topics: %+v", topics)
	}
	var services all[console.Service]
	o.ask("services", `{}`, &services)
	if services.Matched != 2 || !services.Rows[0].Inside || services.Rows[0].State != "up" || services.Rows[0].Requests != 1 ||
		services.Rows[0].Latency == nil || services.Rows[1].Latency != nil || services.Rows[1].Inside || services.Rows[1].Instances[0].Class != "weather_service" {
		t.Errorf("services: %+v", services)
	}
	var explained struct{ Explanations []Explanation }
	o.ask("explain", `{"subscriber":"`+bergen.ID+`","service":"weather","event":{"topic":"rain","payload":1}}`, &explained)
	if len(explained.Explanations) != 1 || explained.Explanations[0].Source != "configuration" {
		t.Errorf("explain: %+v", explained)
	}
	if code, reason := o.ask("explain", `{"subscriber":"x","service":"weather"}`, nil); code != 404 || reason != ErrNoMember.Error() {
		t.Errorf("explain a stranger: %d %s", code, reason)
	}
	var lines struct {
		First, Last uint64
		Rows        []struct{ Message, Level string }
	}
	o.ask("log", `{"search":"authenticated","limit":2}`, &lines)
	if len(lines.Rows) != 2 || lines.Rows[0].Message != "authenticated" || lines.First != 1 || lines.Last < 4 {
		t.Errorf("log: %+v", lines)
	}
	lines.Rows = nil
	o.ask("log", `{"after":1000000}`, &lines)
	if len(lines.Rows) == 0 {
		t.Errorf("the log after the last number of a daemon before: %+v", lines)
	}
	if code, _ := o.ask("log", `{"level":"loud"}`, nil); code != 400 {
		t.Errorf("a level that is none: %d", code)
	}
	if code, _ := o.ask("nothing", `{}`, nil); code != 404 {
		t.Errorf("unknown topic: %d", code)
	}
	for topic, want := range map[string]string{"status": `"sample":{`, "samples": `"every_ms":5000`, "slow": `"waiting_bytes":`, "tree": `"name":"root"`} {
		var answer json.RawMessage
		if code, _ := o.ask(topic, `{}`, &answer); code != 200 || !bytes.Contains(answer, []byte(want)) {
			t.Errorf("%s: %d, %s; want %s in it", topic, code, answer, want)
		}
	}
}

func TestConsolePulses(t *testing.T) {
	s := start(t, consoleConfig(t))
	o := operate(t, s)
	beats := make(chan string, 100)
	o.Listen(console.Name, func(m client.Message) { beats <- m.Topic })
	var hello struct {
		You  struct{ Name string }
		Page struct{ Most int }
	}
	o.ask("hello", `{}`, &hello)
	if hello.You.Name != "loopback" || hello.Page.Most != 200 {
		t.Errorf("hello: %+v", hello)
	}
	for range 2 {
		select {
		case topic := <-beats:
			if topic != "pulse" {
				t.Errorf("topic %s", topic)
			}
		case <-time.After(patience):
			t.Fatal("no pulse")
		}
	}
}
