package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"strowger/system/service"
)

// memo is a log that a test reads while the service writes it.
type memo struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (m *memo) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.text.Write(p)
}

func (m *memo) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.text.String()
}

// TestErrors returns errors from handlers: who gets what, what is logged, what is counted.
func TestErrors(t *testing.T) {
	type in struct{ Count int }
	errSecret := errors.New("secret of the database")
	s := &service.Service{Setup: func(s service.Setup) error {
		s.Handle("plain", func(service.Request) error { return errSecret })
		s.Handle("status", func(service.Request) error { return service.Errorf(404, "no call %d", 7) })
		s.Handle("wrapped", func(service.Request) error { return fmt.Errorf("%w: %w", errSecret, service.Errorf(409, "taken")) })
		s.Handle("odd status", func(service.Request) error { return service.Errorf(200, "success") })
		s.Handle("nil error", func(r service.Request) error { r.FailWith(nil); return nil })
		s.Handle("fail", func(r service.Request) error { r.Fail(200, "x"); return nil })
		s.Handle("reply with", func(r service.Request) error { r.ReplyWith("x", 99, nil); return nil })
		s.Handle("into nil", func(r service.Request) error { return r.Decode(nil) })
		s.Handle("decode", func(r service.Request) error { return r.Decode(new(in)) })
		service.Handle(s, "typed", func(_ service.Request, in in) error { return service.Errorf(400, "count is %d", in.Count) })
		s.Handle("answered", func(r service.Request) error { r.Reply("first"); return errSecret })
		s.Handle("streamed", func(r service.Request) error { r.Stream("row", 1); return service.Errorf(503, "no more") })
		s.Handle("later", func(r service.Request) error {
			r.Go(func(context.Context) func() { return func() { r.FailWith(errSecret) } })
			return nil
		})
		s.Handle("ended", func(r service.Request) error {
			r.Reply("done")
			return fmt.Errorf("query: %w", r.Err())
		})
		s.Handle("ping", pong)
		return nil
	}}
	tests := map[string]struct {
		topic, payload string
		want           []string
		log            string // the message, empty for none
		errors         uint64
		failures       uint64
	}{
		"without a status":    {"plain", ``, []string{`500 plain null`}, "request failed", 1, 1},
		"with a status":       {"status", ``, []string{`404 status {"reason":"no call 7"}`}, "request refused", 0, 1},
		"a wrapped status":    {"wrapped", ``, []string{`409 wrapped {"reason":"taken"}`}, "request refused", 0, 1},
		"no error's status":   {"odd status", ``, []string{`500 odd status null`}, "request failed", 1, 1},
		"no error":            {"nil error", ``, []string{`500 nil error null`}, "request failed", 1, 1},
		"a failure's status":  {"fail", ``, []string{`500 fail null`}, "request failed", 1, 1},
		"an answer's status":  {"reply with", ``, []string{`500 reply with null`}, "request failed", 1, 1},
		"decoded into nil":    {"into nil", `[]`, []string{`500 into nil null`}, "request failed", 1, 1},
		"payload that is odd": {"decode", `{"count":"x"}`, []string{`400 decode {"reason":"payload.Count is string, must be int"}`}, "request refused", 0, 1},
		"typed":               {"typed", `{"count":3}`, []string{`400 typed {"reason":"count is 3"}`}, "request refused", 0, 1},
		"after the answer":    {"answered", ``, []string{`200 answered "first"`}, "request failed", 1, 0},
		"after a stream":      {"streamed", ``, []string{`200 row 1`, `503 streamed {"reason":"no more"}`}, "request refused", 0, 1},
		"from work":           {"later", ``, []string{`500 later null`}, "request failed", 1, 1},
		"of an ended context": {"ended", ``, []string{`200 ended "done"`}, "request ended before its answer", 0, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, s)
			log := new(memo)
			r.instance.log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			r.run()
			r.state("up")
			id := r.ask(test.topic, test.payload)
			for _, want := range test.want {
				r.want(id + " " + want)
			}
			r.ping()
			r.quiet()
			r.stop()
			c := r.instance.Counters()
			if c.Errors.Load() != test.errors || c.Failures.Load() != test.failures {
				t.Errorf("%d errors and %d failures counted, want %d and %d", c.Errors.Load(), c.Failures.Load(), test.errors, test.failures)
			}
			if c.Panics.Load() != 0 {
				t.Error("the service crashed")
			}
			if got := strings.Contains(log.String(), `level=ERROR`); got != (test.errors == 1) {
				t.Errorf("error logged: %t\n%s", got, log)
			}
			if !strings.Contains(log.String(), `msg="`+test.log+`" topic=`) {
				t.Errorf("log without %q\n%s", test.log, log)
			}
		})
	}
}

// TestErrorsAreLoggedOnceAMinute: who asks again and again for what fails does not fill the log.
func TestErrorsAreLoggedOnceAMinute(t *testing.T) {
	broken := func(service.Request) error { return errors.New("no database") }
	r := newRig(t, &service.Service{Setup: func(s service.Setup) error {
		s.Handle("one", broken)
		s.Handle("other", broken)
		return nil
	}})
	log := new(memo)
	r.instance.log = slog.New(slog.NewTextHandler(log, nil))
	r.run()
	r.state("up")
	ask := func(topic string) {
		t.Helper()
		r.want(r.ask(topic, "") + " 500 " + topic + " null")
	}
	for range 100 {
		ask("one")
	}
	ask("other")
	r.clock.Advance(quietFor)
	ask("one")
	r.stop()
	text := log.String()
	if n := strings.Count(text, "request failed"); n != 3 || strings.Count(text, "topic=one") != 2 || !strings.Contains(text, "omitted=99") {
		t.Errorf("%d lines, want 2 of one and 1 of other:\n%s", n, text)
	}
	if n := r.instance.Counters().Errors.Load(); n != 102 {
		t.Errorf("%d errors counted, want 102", n)
	}
}

// TestErrorWithoutID: a page would take the answer to a request without an id for a broadcast.
func TestErrorWithoutID(t *testing.T) {
	s := &service.Service{Setup: func(s service.Setup) error {
		s.Handle("status", func(service.Request) error { return service.Errorf(404, "no call") })
		s.Handle("plain", func(service.Request) error { return errors.New("no database") })
		s.Handle("ping", pong)
		return nil
	}}
	r := start(t, s)
	r.askAs("sub", "", "status", "")
	r.askAs("sub", "", "plain", "")
	r.ping()
	r.open(0)
	r.quiet()
	if c := r.instance.Counters(); c.Errors.Load() != 1 || c.Failures.Load() != 2 {
		t.Errorf("%d errors and %d failures counted, want 1 and 2", c.Errors.Load(), c.Failures.Load())
	}
}
