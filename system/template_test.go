package system

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"strowger/system/internal/console"
	"strowger/system/service"
)

// echoTemplate makes services that answer with the argument text.
func echoTemplate(name string, args map[string]string) (*service.Service, error) {
	text, ok := args["text"]
	switch {
	case text == "panic":
		panic("as the test wants it")
	case text == "nil":
		return nil, nil //nolint:nilnil // what a wrong template does
	case text == "other":
		name = "other"
	case !ok || len(args) != 1:
		return nil, errors.New("want text, and nothing else")
	}
	return &service.Service{Name: name, Policy: service.Everyone(), Setup: func(s service.Setup) error {
		s.Handle("say", func(r service.Request) error { r.Reply(text); return nil })
		return nil
	}}, nil
}

// An operator adds what the program has a template for, and removes what was added. Both are audited, without the
// arguments.
func TestTemplates(t *testing.T) {
	cfg := consoleConfig(t)
	cfg.Routing.UnknownService = "404"
	cfg.Admin.AuditFile = filepath.Join(t.TempDir(), "audit.jsonl")
	cfg.Services.Dynamic = 1
	var n int
	s, err := New(Options{Config: cfg, Log: slog.New(slog.DiscardHandler), Templates: map[string]Template{"echo": echoTemplate, "none": nil}}, grouped("static", &n, nil))
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop(context.Background()) })
	o, c := operate(t, s), asker(t, s)
	does := func(topic, payload string, code int, text string) {
		t.Helper()
		if got, why := o.ask(topic, payload, nil); got != code || !strings.Contains(why, text) {
			t.Errorf("%s %s: %d %q, want %d %q", topic, payload, got, why, code, text)
		}
	}
	does("service.add", `{"name":"hello","template":"echo","args":{"text":"secret"}}`, 200, "")
	wantReply(t, c, "hello", "say", nil, `"secret"`)
	var rows all[console.Service]
	if o.ask("services", `{"search":"hello"}`, &rows); len(rows.Rows) != 1 || !rows.Rows[0].Inside || rows.Rows[0].State != "up" {
		t.Errorf("the console shows %+v", rows.Rows)
	}
	does("service.add", `{"name":"hello","template":"echo","args":{"text":"x"}}`, 409, "the name is taken")
	does("service.add", `{"name":"second","template":"echo","args":{"text":"x"}}`, 409, "services.dynamic")
	does("service.add", `{"name":"second","template":"shell","args":{"text":"x"}}`, 400, `there is no template "shell": there is echo`)
	does("service.add", `{"name":"second","template":"none"}`, 400, `there is no template "none"`)
	does("service.add", `{"name":"second","template":"echo"}`, 400, "want text, and nothing else")
	does("service.add", `{"name":"second","template":"echo","args":{"text":"panic"}}`, 400, "panics")
	does("service.add", `{"name":"second","template":"echo","args":{"text":"nil"}}`, 400, "another name")
	does("service.add", `{"name":"second","template":"echo","args":{"text":"other"}}`, 400, "another name")
	does("service.add", `{"name":"a/b","template":"echo","args":{"text":"x"}}`, 409, "slash")
	does("service.remove", `{"name":"static"}`, 409, "it can be stopped but not removed")
	does("service.remove", `{"name":"nobody"}`, 404, "no such service")
	does("service.remove", `{"name":"hello"}`, 200, "")
	if got := status(t, c, "hello", "say"); got != 404 {
		t.Errorf("after: %d", got)
	}
	if o.ask("services", `{"search":"hello"}`, &rows); len(rows.Rows) != 0 {
		t.Errorf("the console shows %+v", rows.Rows)
	}
	audit := audited(t, cfg.Admin.AuditFile)
	for _, want := range []string{"1 loopback service.add hello from echo ok\n", "service.remove static static: not possible", "service.remove hello ok\n"} {
		if !strings.Contains(audit, want) {
			t.Errorf("the audit log lacks %q:\n%s", want, audit)
		}
	}
	if strings.Contains(audit, "secret") {
		t.Errorf("the audit log has an argument:\n%s", audit)
	}
	if got := fmt.Sprint(s.services.templated()); got != "[]" {
		t.Errorf("a new process would make %s", got)
	}
}

// A program without templates has nothing that can be added over the admin port.
func TestNoTemplates(t *testing.T) {
	s := start(t, consoleConfig(t))
	o := operate(t, s)
	if code, why := o.ask("service.add", `{"name":"a","template":"b"}`, nil); code != 400 || !strings.Contains(why, "this program has none") {
		t.Errorf("%d %s", code, why)
	}
}
