package system

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"strowger/system/internal/console"
	"strowger/system/service"
)

// acted is the answer to an action.
type acted struct {
	Result  string
	Audit   uint64
	Status  int
	Topic   string
	Payload *string
}

// entry is a line of the audit file.
type entry struct {
	Number                            uint64
	At                                time.Time
	Who, From, Action, Object, Result string
}

// audited returns the entries of an audit file, each as a line: who action object result.
func audited(t *testing.T, file string) string {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the audit file has mode %v", info.Mode())
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for line := range bytes.Lines(data) {
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if time.Since(e.At) > time.Hour || !strings.HasPrefix(e.From, "127.0.0.1:") {
			t.Errorf("entry %s", line)
		}
		fmt.Fprintf(&text, "%d %s %s %s %s\n", e.Number, e.Who, e.Action, e.Object, e.Result)
	}
	return text.String()
}

func TestDisconnect(t *testing.T) {
	cfg := consoleConfig(t)
	cfg.Admin.AuditFile = filepath.Join(t.TempDir(), "audit.jsonl")
	s, log := startJournal(t, cfg)
	o := operate(t, s)
	join(t, s, user("Oslo", nil, "weather"))
	other := join(t, s, user("Bergen", nil, "weather"))
	var rows all[console.Connection]
	o.ask("connections", `{"search":"oslo"}`, &rows)
	number := rows.Rows[0].Number
	var a acted
	o.ask("connection.disconnect", fmt.Sprintf(`{"number":%d}`, number), &a)
	if a.Result != "ok" || a.Audit != 1 {
		t.Errorf("got %+v", a)
	}
	eventually(t, "one of the two has gone", func() bool { return s.Connections() == 1 })
	settled(other)
	if code, _ := o.ask("connection.disconnect", fmt.Sprintf(`{"number":%d}`, number), nil); code != 404 {
		t.Errorf("again: %d", code)
	}
	want := fmt.Sprintf("1 loopback connection.disconnect %d ok\n2 loopback connection.disconnect %d it is not there any more\n", number, number)
	if got := audited(t, cfg.Admin.AuditFile); got != want {
		t.Errorf("audit:\n%swant:\n%s", got, want)
	}
	if got := log.text(); strings.Count(got, `"msg":"action in the console","audit":`) != 2 {
		t.Errorf("the log has not both actions: %s", got)
	}
}

// counting is a service that counts how often it starts and what it is asked.
type counting struct{ setups, asked atomic.Int64 }

func (c *counting) service() *service.Service {
	return &service.Service{Name: "counting", Policy: service.Everyone(),
		Supervision: service.Supervision{Intensity: -1, CoolDown: time.Hour},
		Setup: func(s service.Setup) error {
			c.setups.Add(1)
			s.Handle("count", func(r service.Request) error {
				r.Reply(c.asked.Add(1))
				return nil
			})
			s.Handle("crash", func(service.Request) error { panic("on purpose") })
			return nil
		}}
}

func TestServiceActions(t *testing.T) {
	cfg := consoleConfig(t)
	cfg.Admin.AuditFile = filepath.Join(t.TempDir(), "audit.jsonl")
	var c counting
	s := start(t, cfg, c.service())
	o := operate(t, s)
	page := join(t, s, user("Oslo", nil, "x"))
	is := func(state string, setups int64) {
		t.Helper()
		eventually(t, "the service is "+state, func() bool {
			var rows all[console.Service]
			o.ask("services", `{"search":"counting"}`, &rows)
			return len(rows.Rows) == 1 && rows.Rows[0].State == state && c.setups.Load() == setups
		})
	}
	asks := func(id int, want string) {
		t.Helper()
		page.sendf(`{"service":"counting","topic":"count","request_id":%d}`, id)
		page.gets(want)
	}
	is("up", 1)
	asks(1, `200 counting/count #1 1`)
	o.ask("service.restart", `{"name":"counting"}`, nil)
	is("up", 2)
	asks(2, `200 counting/count #2 2`)
	if code, why := o.ask("service.start", `{"name":"counting"}`, nil); code != 409 || why != "counting: not possible: it is not stopped" {
		t.Errorf("start of one that runs: %d %s", code, why)
	}
	o.ask("service.stop", `{"name":"counting"}`, nil)
	is("stopped", 2)
	asks(3, `503 counting/count #3 null`)
	o.ask("service.start", `{"name":"counting"}`, nil)
	is("up", 3)
	asks(4, `200 counting/count #4 3`)
	page.sendf(`{"service":"counting","topic":"crash","request_id":5}`)
	page.gets(`500 counting/crash #5 null`)
	is("down", 3)
	o.ask("service.reset", `{"name":"counting"}`, nil)
	is("up", 4)
	asks(6, `200 counting/count #6 4`)
	if code, _ := o.ask("service.stop", `{"name":"weather"}`, nil); code != 404 {
		t.Errorf("a service that is not in the router: %d", code)
	}
	const want = `1 loopback service.restart counting ok
2 loopback service.start counting counting: not possible: it is not stopped
3 loopback service.stop counting ok
4 loopback service.start counting ok
5 loopback service.reset counting ok
6 loopback service.stop weather weather: there is no such service in the router
`
	if got := audited(t, cfg.Admin.AuditFile); got != want {
		t.Errorf("audit:\n%swant:\n%s", got, want)
	}
	var shown struct{ Rows []entry }
	o.ask("audit", `{"limit":1}`, &shown)
	if len(shown.Rows) != 1 || shown.Rows[0].Number != 6 {
		t.Errorf("shown: %+v", shown)
	}
}

// lettered is a dead letter as the console shows it.
type lettered struct {
	Number                       uint64
	Reason, Kind, Service, Topic string
	Why, Stack                   string
	Replayable                   bool
	Payload                      *string
	PayloadBytes                 int `json:"payload_bytes"`
	From                         *struct{ ID, Domain, Remote string }
	Replayed                     *time.Time
}

func TestReplay(t *testing.T) {
	cfg := consoleConfig(t)
	cfg.Admin.Payloads = true
	cfg.Admin.AuditFile = filepath.Join(t.TempDir(), "audit.jsonl")
	cfg.Routing.DefaultPolicy = "allow"
	s := start(t, cfg, echo())
	o := operate(t, s)
	page := join(t, s, user("Oslo", []string{"p"}, "weather"))
	page.sendf(`{"service":"later","topic":"say","request_id":"1","payload":{"a":1}}`)
	var rows all[lettered]
	eventually(t, "there is a dead letter", func() bool {
		o.ask("deadletters", `{}`, &rows)
		return len(rows.Rows) == 1
	})
	got := rows.Rows[0]
	if got.Reason != "unknown_service" || got.Kind != "request" || !got.Replayable || got.From == nil || got.From.Domain != "Oslo" || got.PayloadBytes != 7 {
		t.Fatalf("got %+v", got)
	}
	if code, _ := o.ask("deadletter.replay", `{"number":1}`, nil); code != 400 {
		t.Errorf("without confirmation: %d", code)
	}
	if code, why := o.ask("deadletter.replay", `{"number":1,"confirm":1}`, nil); code != 409 || !strings.Contains(why, "nobody offers or watches later") {
		t.Errorf("while nobody offers it: %d %s", code, why)
	}
	later := join(t, s, remote("later", "later_service"))
	replies := make(chan string, 1)
	go func() {
		reply, err := o.Request(t.Context(), console.Name, "deadletter.replay", json.RawMessage(`{"number":1,"confirm":1}`))
		if err != nil {
			replies <- err.Error()
			return
		}
		replies <- string(reply.Payload)
	}()
	id := later.asked(`"" later/say #"replay-1" {"a":1}`)
	later.sendf(`{"service_name":"later","topic":"say","request_id":"replay-1","resource_id":%q,"status_code":200,"payload":{"b":2}}`, id)
	var a acted
	if text := <-replies; json.Unmarshal([]byte(text), &a) != nil {
		t.Fatal(text)
	}
	if a.Status != 200 || a.Topic != "say" || a.Payload == nil || *a.Payload != `{"b":2}` {
		t.Errorf("answer: %+v", a)
	}
	if code, why := o.ask("deadletter.replay", `{"number":1,"confirm":1}`, nil); code != 409 || why != "not possible: it was replayed" {
		t.Errorf("a second time: %d %s", code, why)
	}
	settled(later) // it was asked once
	settled(page)  // who asked first gets nothing

	// What a service crashed at.
	page.sendf(`{"service":"echo","topic":"fail","request_id":"2","payload":3}`)
	page.gets(`500 echo/fail #"2" null`)
	o.ask("deadletters", `{"service":"echo"}`, &rows)
	if len(rows.Rows) != 1 || rows.Rows[0].Reason != "actor_crashed" || !rows.Rows[0].Replayable || rows.Rows[0].From.Domain != "Oslo" {
		t.Fatalf("crash: %+v", rows.Rows)
	}
	var whole lettered
	o.ask("deadletter", fmt.Sprintf(`{"number":%d}`, rows.Rows[0].Number), &whole)
	if !strings.Contains(whole.Stack, "goroutine") || whole.Payload == nil || *whole.Payload != "3" {
		t.Errorf("whole: %+v", whole)
	}
	o.ask("deadletter.replay", fmt.Sprintf(`{"number":%d,"confirm":%d}`, whole.Number, whole.Number), &a)
	if a.Status != 500 {
		t.Errorf("replay of a crash: %+v", a)
	}
	if code, _ := o.ask("deadletter", `{"number":99}`, nil); code != 404 {
		t.Errorf("a letter that is none: %d", code)
	}
	if n := strings.Count(audited(t, cfg.Admin.AuditFile), "deadletter.replay"); n != 4 {
		t.Errorf("%d entries, want 4", n)
	}
}

// Without admin.payloads nothing of a payload is kept, and nothing can be replayed.
func TestDeadLettersWithoutPayloads(t *testing.T) {
	s := start(t, consoleConfig(t))
	o := operate(t, s)
	page := join(t, s, user("Oslo", nil, "x"))
	page.sendf(`{"service":"later","topic":"say","request_id":"1","payload":{"a":"secret"}}`)
	var rows all[lettered]
	eventually(t, "there is a dead letter", func() bool {
		o.ask("deadletters", `{}`, &rows)
		return len(rows.Rows) == 1
	})
	_, text := o.ask("deadletter", `{"number":1}`, nil)
	if rows.Rows[0].Replayable || rows.Rows[0].PayloadBytes == 0 || strings.Contains(text, "secret") {
		t.Errorf("got %s", text)
	}
	if code, _ := o.ask("deadletter.replay", `{"number":1,"confirm":1}`, nil); code != 409 {
		t.Errorf("replayed: %d", code)
	}
}

// A peer that sends very many does not drive out what others have lost, and one second keeps exactly so many.
func TestDeadLettersOfASecond(t *testing.T) {
	var p postman
	at := time.Unix(100, 0)
	for i := range mostLettersASecond {
		if !p.takes(at) {
			t.Fatalf("letter %d is not kept", i+1)
		}
	}
	if p.takes(at.Add(time.Second - 1)) {
		t.Error("one past the limit is kept")
	}
	if !p.takes(at.Add(time.Second)) {
		t.Error("the next second keeps none")
	}
}
