package system

import (
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"strowger/config"
	"strowger/system/service"
	"strowger/system/token"
)

// A crash is one line with its stack. Two more tell that the service is down and up again.
func TestCrashIsOneLine(t *testing.T) {
	s, j := startJournal(t, testConfig(t), parrot("a"))
	c := member(t, s, token.Spec{Kind: token.User})
	before := strings.Count(j.text(), "\n")
	if _, err := ask(t, c, "a", "crash", nil); err == nil {
		t.Fatal("the service does not crash")
	}
	eventually(t, "it is up again", func() bool { return strings.Count(j.text(), `"state":"up"`) == 2 })
	wantReply(t, c, "a", "count", nil, "1")
	lines := strings.SplitAfter(j.text(), "\n")[before:]
	lines = lines[:len(lines)-1] // what follows the last line is empty
	if len(lines) != 3 || !strings.Contains(lines[0], "service panicked") || !strings.Contains(lines[0], `"stack":"goroutine`) ||
		!strings.Contains(lines[1], `"state":"restarting"`) || !strings.Contains(lines[2], `"state":"up"`) {
		t.Errorf("got %d lines, want the panic, restarting and up: %s", len(lines), lines)
	}
}

// Work that panics again and again is a line a minute, as all panics are.
func TestLogOfWorkThatPanics(t *testing.T) {
	s, j := startJournal(t, testConfig(t))
	var all sync.WaitGroup
	for range 1000 {
		all.Add(1)
		s.pool.Go(func() {
			defer all.Done()
			panic("a bug in reading tokens")
		})
	}
	all.Wait()
	eventually(t, "the panic is logged", func() bool { return strings.Contains(j.text(), "worker panicked") })
	text := j.text()
	if n := strings.Count(text, "worker panicked"); n > 10 { // a slow machine may take some minutes
		t.Errorf("%d lines, want 1", n)
	}
	if len(text) > 64<<10 {
		t.Errorf("%d bytes of log", len(text))
	}
}

// A service that panics at each request has a line of its own for the first only.
func TestLogOfAServiceThatCrashes(t *testing.T) {
	s, j := startJournal(t, testConfig(t), parrot("a"))
	c := member(t, s, token.Spec{Kind: token.User})
	for range 3000 {
		if _, err := ask(t, c, "a", "crash", nil); err == nil {
			t.Fatal("the service does not crash")
		}
	}
	crashes := 0
	eventually(t, "all crashes are counted", func() bool {
		crashes = int(s.source().Metrics().Panics)
		return crashes > 1
	})
	text := j.text()
	if n := strings.Count(text, `"stack":`); n == 0 || n > 10 { // a slow machine may take some minutes
		t.Errorf("%d crashes have %d lines with a stack, want 1", crashes, n)
	}
	if len(text) > 64<<10 {
		t.Errorf("%d bytes of log", len(text))
	}
}

// Whatever long texts a peer chooses, no line is long, down to those at debug.
func TestForeignTextsAreCut(t *testing.T) {
	const long, longest = 1 << 20, 4 << 10
	x := strings.Repeat("x", long)
	cfg := testConfig(t)
	cfg.Limits.HeaderBytes, cfg.Limits.ClientBytes, cfg.Limits.ServiceBytes = config.MiB, 8*config.MiB, 8*config.MiB
	cfg.Limits.UnauthenticatedBytes, cfg.Limits.AuthenticationAttempts = 8*config.MiB, 100
	cfg.Routing.UnknownService = "404"
	j := new(journal)
	// Errors and panics may have what the peer has sent.
	frank := &service.Service{Name: "frank", Policy: service.Everyone(), Setup: func(s service.Setup) error {
		s.Handle("fail", func(r service.Request) error { return errors.New(string(r.Payload())) })
		s.Handle("crash", func(r service.Request) error { panic(string(r.Payload())) })
		return nil
	}}
	s, stop := startLogged(t, cfg, slog.New(slog.NewJSONHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug})), parrot("a"), frank)

	// A request head has to stay below limits.header_bytes.
	head := strings.Repeat("h", 900<<10)
	knock(t, s, "a.example", "Origin: https://"+head+"\r\n")
	knock(t, s, head, "Origin: https://b.example\r\n")
	knock(t, s, "a.example", "User-Agent: "+head+"\r\nContent-Length: 1\r\n")
	knock(t, s, "a.example", "X-Forwarded-For: "+head+"\r\nSec-WebSocket-Version: 9\r\n")

	p := connectAt(t, s.Addr().String())
	for _, message := range []string{
		`{"service":"authentication","token":{"name":%q,"hash":"h"}}`, `{"service":"authentication","token":{"name":"n","hash":%q}}`,
		`{"service":"authentication","token":%q}`, `{"service":%q}`, `%s`,
	} {
		p.sendf(message, x)
	}
	p.sendf(`{"service":"authentication","request_id":"last","token":{"name":"n","hash":"h"}}`)
	for p.next().String() != `401 authentication/unauthorized #"last" null` {
	}

	odd := user("a.example", nil, "a", x)
	odd.DomainName, odd.UserName, odd.Extensions = x, x, []string{x + "@a.example"}
	client := join(t, s, odd)
	for _, message := range []string{`{"service":%q,"request_id":"1"}`, `{"service":"a","topic":%q,"request_id":"2"}`, `{"service":"a","request_id":%q}`, `{%s`} {
		client.sendf(message, x)
	}
	for _, topic := range []string{"fail", "crash"} {
		client.sendf(`{"service":"frank","topic":%q,"request_id":%[1]q,"payload":%q}`, topic, x)
		for string(client.next().RequestID) != `"`+topic+`"` {
		}
	}

	for _, spec := range []token.Spec{remote(x, "texts_service"), remote("texts", x), remote(x, x)} {
		r := join(t, s, spec)
		r.sendf(`{"service_name":%q,"topic":%[1]q,"payload":1}`, x+"y")
		r.sendf(`{"service_name":%q,"topic":"t","payload":1}`, spec.ServiceName)
		r.leave()
	}
	client.leave()
	stop()

	count := 0
	for line := range strings.Lines(j.text()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		limit := longest
		if fields["stack"] != nil {
			limit = 16 << 10
		}
		if len(line) > limit {
			t.Errorf("a line of %d bytes: %.300s", len(line), line)
		}
		count++
	}
	text := j.text()
	for _, want := range []string{`"cause":"origin"`, `"cause":"handshake"`, `"cause":"token"`, `"cause":"foreign_name"`, "message ignored", "service up", "request failed", "service panicked"} {
		if !strings.Contains(text, want) {
			t.Errorf("none of %d lines has %s", count, want)
		}
	}
	if !strings.Contains(text, "xxxxxxxxxx...") || !strings.Contains(text, "hhhhhhhhhh...") {
		t.Error("no text was cut")
	}
}
