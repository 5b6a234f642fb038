package servicetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"strowger/system/service"
)

// Run plays a suite against a home: start must run the service and return when it is up. It is
// called once for each subtest and uses its t. The suite uses real time but waits for nothing longer
// than it takes. A nil start, and one that returns nil, fail the test. Run panics if t is nil,
// because there is no test to fail.
func Run(t *testing.T, start func(t *testing.T, s *service.Service) Home) {
	if t == nil {
		panic("servicetest: Run: t is nil")
	}
	t.Helper()
	if start == nil {
		t.Fatal("servicetest: Run: start is nil")
	}
	begin := func(t *testing.T, s *service.Service) Home {
		t.Helper()
		home := start(t, s)
		if home == nil {
			t.Fatal("servicetest: Run: start has returned no home")
		}
		return home
	}
	for _, test := range []struct {
		name string
		play func(t *testing.T, start starter)
	}{
		{"answers", answers}, {"ids", ids}, {"subscriber", subscriber}, {"stream in order", stream},
		{"broadcast", broadcast}, {"work", work}, {"deadline", deadline}, {"context", contextEnds},
		{"crash", crash}, {"crashes in a row", crashes}, {"state", state}, {"source", source}, {"timers", timers},
		{"stop", stop}, {"many", many},
	} {
		t.Run(test.name, func(t *testing.T) { test.play(t, begin) })
	}
}

// setup makes a service of the suite.
func setup(f func(s service.Setup)) *service.Service {
	return &service.Service{Name: "servicetest", Setup: func(s service.Setup) error {
		f(s)
		return nil
	}}
}

// expect checks the next message that is not a change of state.
func expect(t *testing.T, c Caller, id string, status int, topic, payload string) {
	t.Helper()
	m := NextBut(c)
	if m.ID != id || m.Status != status || m.Topic != topic || string(m.Payload) != payload || m.Service != "servicetest" {
		t.Fatalf("got %s %d %q %s from %q, want %s %d %q %s", m.ID, m.Status, m.Topic, m.Payload, m.Service, id, status, topic, payload)
	}
}

type starter = func(t *testing.T, s *service.Service) Home

func answers(t *testing.T, start starter) {
	type in struct{ Name string }
	c := start(t, setup(func(s service.Setup) {
		s.Handle("hello", func(r service.Request) error { r.Reply(map[string]int{"a": 1}); return nil })
		s.Handle("no", func(r service.Request) error { r.Fail(403, "not yours"); return nil })
		s.Handle("refused", func(service.Request) error { return service.Errorf(403, "not yours") })
		s.Handle("failed", func(service.Request) error { return errors.New("no database") })
		s.Handle("else", func(r service.Request) error { r.ReplyWith("other", 202, nil); return nil })
		service.Handle(s, "typed", func(r service.Request, in in) error { r.Reply(in.Name); return nil })
	})).Call(t)
	for _, test := range []struct {
		topic, payload string
		status         int
		reply, answer  string
	}{
		{"hello", `{}`, 200, "hello", `{"a":1}`},
		{"no", ``, 403, "no", `{"reason":"not yours"}`},
		{"refused", ``, 403, "refused", `{"reason":"not yours"}`},
		{"failed", ``, 500, "failed", `null`},
		{"else", ``, 202, "other", `null`},
		{"typed", `{"name":"n","more":[1]}`, 200, "typed", `"n"`},
		{"typed", `[]`, 200, "typed", `""`},
		{"typed", `{"name":1}`, 400, "typed", `{"reason":"payload.Name is number, must be string"}`},
		{"unknown", ``, 404, "unknown", `null`},
	} {
		c.Send(test.topic, `"1"`, test.payload)
		expect(t, c, `"1"`, test.status, test.reply, test.answer)
	}
}

func ids(t *testing.T, start starter) {
	c := start(t, setup(func(s service.Setup) {
		s.Handle("ok", func(r service.Request) error { r.Reply(nil); return nil })
	})).Call(t)
	for _, id := range []string{`"1"`, `7`, `"a\/b"`, `"ü"`, `1.50`} {
		c.Send("ok", id, "")
		expect(t, c, id, 200, "ok", `null`)
	}
}

func subscriber(t *testing.T, start starter) {
	h := start(t, setup(func(s service.Setup) {
		s.Handle("who", func(r service.Request) error {
			who := r.Subscriber()
			r.Reply([]any{who.Has(Permission), who.Has("other"), who.DomainName, who.DomainUUID})
			return nil
		})
		s.Handle("id", func(r service.Request) error { r.Reply(r.Subscriber().ID); return nil })
	}))
	a, b := h.Call(t), h.Call(t)
	a.Send("who", `1`, "")
	expect(t, a, `1`, 200, "who", fmt.Sprintf(`[true,false,%q,%q]`, DomainName, DomainUUID))
	a.Send("id", `1`, "")
	b.Send("id", `1`, "")
	if x, y := NextBut(a), NextBut(b); string(x.Payload) == string(y.Payload) || len(x.Payload) < 3 {
		t.Errorf("subscribers are called %s and %s", x.Payload, y.Payload)
	}
}

func stream(t *testing.T, start starter) {
	const rows = 500
	c := start(t, setup(func(s service.Setup) {
		s.Handle("rows", func(r service.Request) error {
			for n := range rows {
				r.Stream("row", n)
			}
			r.Reply("end")
			return nil
		})
	})).Call(t)
	c.Send("rows", `"9"`, "")
	for n := range rows {
		expect(t, c, `"9"`, 200, "row", strconv.Itoa(n))
	}
	expect(t, c, `"9"`, 200, "rows", `"end"`)
}

func broadcast(t *testing.T, start starter) {
	h := start(t, setup(func(s service.Setup) {
		s.Handle("say", func(r service.Request) error {
			r.Broadcast("news", r.Payload())
			r.Reply("said")
			return nil
		})
		s.Handle("quietly", func(r service.Request) error { r.Broadcast("news", "quiet"); return nil })
	}))
	a, b := h.Call(t), h.Call(t)
	b.Send("say", `1`, `0`) // b is there
	expect(t, b, ``, 0, "news", `0`)
	expect(t, b, `1`, 200, "say", `"said"`)
	expect(t, a, ``, 0, "news", `0`)
	a.Send("say", `1`, `{"n": 1}`)
	a.Send("quietly", ``, ``)
	expect(t, a, ``, 0, "news", `{"n": 1}`)
	expect(t, a, `1`, 200, "say", `"said"`)
	expect(t, a, ``, 0, "news", `"quiet"`)
	expect(t, b, ``, 0, "news", `{"n": 1}`)
	expect(t, b, ``, 0, "news", `"quiet"`)
}

func work(t *testing.T, start starter) {
	c := start(t, setup(func(s service.Setup) {
		free := make(chan struct{})
		s.Handle("slow", func(r service.Request) error {
			r.Go(func(ctx context.Context) func() {
				select {
				case <-free:
				case <-ctx.Done():
				}
				return func() { r.Reply("slow") }
			})
			return nil
		})
		s.Handle("fast", func(r service.Request) error {
			r.Reply("fast")
			close(free)
			return nil
		})
	})).Call(t)
	c.Send("slow", `1`, "")
	c.Send("fast", `2`, "")
	expect(t, c, `2`, 200, "fast", `"fast"`)
	expect(t, c, `1`, 200, "slow", `"slow"`)
}

func deadline(t *testing.T, start starter) {
	s := setup(func(s service.Setup) {
		var kept service.Request
		s.Handle("forget", func(r service.Request) error { kept = r; return nil })
		s.Handle("late", func(r service.Request) error {
			kept.Reply("too late")
			r.Reply("in time")
			return nil
		})
	})
	s.RequestTimeout = 500 * time.Millisecond
	c := start(t, s).Call(t)
	c.Send("forget", `1`, "")
	expect(t, c, `1`, 504, "forget", `null`)
	c.Send("late", `2`, "")
	expect(t, c, `2`, 200, "late", `"in time"`)
}

// contextEnds looks at all ends but the departure, of which not every home learns.
func contextEnds(t *testing.T, start starter) {
	began, ended := make(chan error, 1), make(chan error, 1)
	s := setup(func(s service.Setup) {
		s.Handle("hang", func(r service.Request) error {
			r.Go(func(ctx context.Context) func() {
				began <- ctx.Err()
				<-ctx.Done()
				ended <- ctx.Err()
				return nil
			})
			return nil
		})
		s.Handle("answer", func(r service.Request) error {
			r.Go(func(ctx context.Context) func() {
				r.Reply("first")
				<-ctx.Done()
				ended <- ctx.Err()
				return nil
			})
			return nil
		})
	})
	s.RequestTimeout = 500 * time.Millisecond
	h := start(t, s)
	c := h.Call(t)
	c.Send("hang", `1`, "")
	if err := await(t, began); err != nil {
		t.Errorf("before the deadline: %v", err)
	}
	expect(t, c, `1`, 504, "hang", `null`)
	if err := await(t, ended); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("at the deadline: %v", err)
	}
	c.Send("answer", `2`, "")
	expect(t, c, `2`, 200, "answer", `"first"`)
	if err := await(t, ended); !errors.Is(err, context.Canceled) {
		t.Errorf("after the answer: %v", err)
	}
	c.Send("hang", `3`, "")
	_ = await(t, began)
	c.Leave()
	if err := await(t, ended); err == nil {
		t.Error("after the departure: no error")
	}
}

func timers(t *testing.T, start starter) {
	c := start(t, setup(func(s service.Setup) {
		s.Handle("go", func(r service.Request) error {
			n := 0
			var every service.Timer
			every = r.Every(time.Millisecond, func(c service.Context) {
				n++
				c.Broadcast("tick", n)
				if n == 3 {
					every.Stop()
					c.After(0, func(service.Context) { r.Reply("done") })
				}
			})
			return nil
		})
	})).Call(t)
	c.Send("go", `1`, "")
	for n := range 3 {
		expect(t, c, ``, 0, "tick", strconv.Itoa(n+1))
	}
	expect(t, c, `1`, 200, "go", `"done"`)
}

func stop(t *testing.T, start starter) {
	var mu sync.Mutex
	var order []string
	note := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, what)
	}
	h := start(t, setup(func(s service.Setup) {
		s.OnStop(func(service.Context) { note("first registered") })
		s.OnStop(func(c service.Context) {
			note("last registered")
			c.Broadcast("farewell", nil)
		})
		s.Source("endless", func(ctx context.Context, _ service.Emit) error {
			<-ctx.Done()
			note("source")
			return ctx.Err()
		}, func(service.Context, any) {})
		s.Handle("there", func(r service.Request) error { r.Reply(nil); return nil })
	}))
	c := h.Call(t)
	c.Send("there", `1`, "")
	expect(t, c, `1`, 200, "there", `null`)
	h.Stop(t)
	expect(t, c, ``, 0, "farewell", `null`)
	mu.Lock()
	defer mu.Unlock()
	if len(order) != 3 || order[0] != "last registered" || order[1] != "first registered" || order[2] != "source" {
		t.Errorf("stopped in order %v", order)
	}
}

// many has callers ask at the same time; each gets its answers in order.
func many(t *testing.T, start starter) {
	const callers, requests = 8, 200
	h := start(t, setup(func(s service.Setup) {
		s.Handle("echo", func(r service.Request) error { r.Reply(r.Payload()); return nil })
	}))
	var all sync.WaitGroup
	for n := range callers {
		c := h.Call(t)
		all.Go(func() {
			for m := range requests {
				c.Send("echo", strconv.Itoa(m+1), strconv.Itoa(n))
			}
			for m := range requests {
				got := NextBut(c)
				if got.ID != strconv.Itoa(m+1) || got.Status != 200 || string(got.Payload) != strconv.Itoa(n) {
					t.Errorf("caller %d, request %d: got %s %d %s", n, m+1, got.ID, got.Status, got.Payload)
					return
				}
			}
		})
	}
	all.Wait()
}

func contains(m Message, part string) bool { return strings.Contains(string(m.Payload), part) }

func await[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("waited too long")
		panic("unreachable")
	}
}
