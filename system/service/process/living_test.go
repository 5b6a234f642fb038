//go:build unix

package process

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"strowger/system/service"
	"strowger/system/service/servicetest"
)

// All that a service does goes through.
func TestService(t *testing.T) {
	r := begin(t, mortal(), Options{})
	who := fmt.Sprintf(`[[%q],%q,%q,true,false]`, servicetest.Permission, servicetest.DomainName, servicetest.DomainUUID)
	for _, test := range []struct {
		topic, payload string
		status         int
		answer         string
	}{
		{"echo", `{"a": [1.50, "ü"]}`, 200, `{"a": [1.50, "ü"]}`},
		{"echo", ``, 200, `null`},
		{"fail", ``, 403, `{"reason":"not yours"}`},
		{"error", ``, 500, `null`},
		{"else", ``, 202, `null`},
		{"plain", ``, 0, `1`},
		{"who", ``, 200, who},
		{"unknown", ``, 404, `null`},
		{"work", ``, 200, `"worked"`},
	} {
		r.want(test.topic, test.payload, test.status, test.answer)
	}
	r.want(service.StateTopic, "", 200, string(r.ask(service.StateTopic, "").Payload))
	for _, id := range []string{`"1"`, `7`, `"a\/b"`, `1.50`} {
		r.Send("echo", id, `1`)
		if m := servicetest.NextBut(r); m.ID != id || m.Topic != "echo" || m.Service != "mortal" || m.StatusString != "ok" {
			t.Errorf("got %+v, want id %s", m, id)
		}
	}
}

func TestStream(t *testing.T) {
	r := begin(t, mortal(), Options{})
	r.Send("rows", `1`, "")
	for n := range 500 {
		if m := servicetest.NextBut(r); m.Topic != "row" || string(m.Payload) != strconv.Itoa(n) {
			t.Fatalf("got %s %s, want row %d", m.Topic, m.Payload, n)
		}
	}
	if m := servicetest.NextBut(r); m.Topic != "rows" || string(m.Payload) != `"end"` {
		t.Errorf("got %s %s, want the end", m.Topic, m.Payload)
	}
}

func TestBroadcasts(t *testing.T) {
	r := begin(t, mortal(), Options{})
	hears := func(c servicetest.Caller, topic string, status int, payload string) {
		t.Helper()
		m := servicetest.NextBut(c)
		if m.ID != "" || m.Topic != topic || m.Status != status || string(m.Payload) != payload {
			t.Fatalf("got %+v, want %s %d %s", m, topic, status, payload)
		}
	}
	other := r.Call(t)
	r.Send("say", ``, `{"n": 1}`) // nobody waits for an answer, and the service answers all the same
	hears(r, "news", 0, `{"n": 1}`)
	hears(r, "say", 200, `"said"`)
	hears(other, "news", 0, `{"n": 1}`)
	r.Send("say with", ``, ``)
	for _, c := range []servicetest.Caller{r, other} {
		hears(c, "news", 299, `1`)
		hears(c, "here", 0, `2`)
	}
	r.Send("timer", `1`, ``)
	for n := range 3 {
		hears(r, "tick", 0, strconv.Itoa(n+1))
	}
	if m := servicetest.NextBut(r); string(m.Payload) != `"done"` {
		t.Errorf("got %+v, want the answer of the timer", m)
	}
}

// The context of a request ends with its answer, its deadline or its subscriber.
func TestContext(t *testing.T) {
	svc := mortal()
	svc.RequestTimeout = time.Second
	r := begin(t, svc, Options{})
	next := func(topic string) string {
		t.Helper()
		for {
			if m := r.Next(); m.Topic == topic {
				return string(m.Payload)
			}
		}
	}
	r.Send("wait", `"wait"`, "")
	next("began")
	if m := r.answer("wait"); m.Status != 504 {
		t.Errorf("got %d at the deadline, want 504", m.Status)
	}
	if got := next("ended"); got != `"context deadline exceeded"` {
		t.Errorf("at the deadline the context says %s", got)
	}
	leaving := r.Call(t)
	leaving.Send("wait", `1`, "")
	next("began")
	leaving.Leave()
	if got := next("ended"); got != `"context canceled"` {
		t.Errorf("without its subscriber the context says %s", got)
	}
}

// Many ask at once; each gets its answers in order.
func TestMany(t *testing.T) {
	r := begin(t, mortal(), Options{})
	const callers, requests = 8, 200
	done := make(chan error, callers)
	for n := range callers {
		c := r.Call(t)
		go func() {
			for m := range requests {
				c.Send("echo", strconv.Itoa(m+1), strconv.Itoa(n))
			}
			for m := range requests {
				got := servicetest.NextBut(c)
				if got.ID != strconv.Itoa(m+1) || string(got.Payload) != strconv.Itoa(n) {
					done <- fmt.Errorf("caller %d, request %d: got %+v", n, m+1, got)
					return
				}
			}
			done <- nil
		}()
	}
	for range callers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// A service that stops may say farewell, and nothing of its process is left.
func TestStop(t *testing.T) {
	r := begin(t, mortal(), Options{})
	pid := r.number("pid")
	r.Send("wait", `"wait"`, "")
	r.Stop(t)
	if m := r.answer("wait"); m.Status != 503 {
		t.Errorf("an open request got %d, want 503", m.Status)
	}
	gone(t, pid)
	if strings.Contains(r.log.String(), "panicked") || strings.Contains(r.log.String(), "killed") {
		t.Errorf("the log of a stop in order:\n%s", r.log)
	}
	other := begin(t, mortal(), Options{})
	other.number("pid")
	other.Stop(t)
	for {
		if m := other.Next(); m.Topic == "farewell" {
			return
		}
	}
}

// A service that does not stop in time is killed.
func TestStopKills(t *testing.T) {
	svc := mortal()
	svc.Supervision.StopTimeout = 50 * time.Millisecond
	svc.Supervision.PingEvery = -1
	r := begin(t, svc, Options{})
	pid := r.number("pid")
	r.Send("stopped", ``, "")
	eventually(t, "the process is stopped", func() bool { return stoppedProcess(t, pid) })
	r.Stop(t)
	gone(t, pid)
	r.log.await(t, "does not stop and is killed")
}

// A service that ends by itself has not failed, and says what it has to say.
func TestFinish(t *testing.T) {
	svc := mortal()
	svc.Supervision.Restart = service.Transient
	r := begin(t, svc, Options{})
	pid := r.number("pid")
	r.want("finish", "", 200, `"finished"`)
	r.state("stopped")
	gone(t, pid)
	r.want("echo", "", 503, `null`)
	if strings.Contains(r.log.String(), "panicked") {
		t.Errorf("the log:\n%s", r.log)
	}
}

// What is wrong with a service before it is up is a failed start, with the reason.
func TestStarts(t *testing.T) {
	for name, test := range map[string]struct {
		service *service.Service
		o       Options
		reason  string
	}{
		"Setup fails":    {broken(), Options{}, "nothing to serve"},
		"Setup hangs":    {late(), Options{StartTimeout: time.Second}, "Options.StartTimeout"},
		"unknown":        {&service.Service{Name: "unknown", Setup: echoing}, Options{}, `process.Main: the program gives it no service \"unknown\"`},
		"no text":        {&service.Service{Name: "no\x00text", Setup: echoing}, Options{}, "start the process"},
		"wrong options":  {mortal(), Options{Memory: 1, QueueBytes: -1, MessageBytes: -1, LogLines: -1, StartTimeout: -1}, "Memory is 1"},
		"crash in Setup": {&service.Service{Name: "crashes", Setup: echoing}, Options{}, "told to in Setup"},
	} {
		t.Run(name, func(t *testing.T) {
			svc := *test.service
			svc.Supervision.Intensity = -1
			b, log := beginIn(t, &svc, test.o, newTold())
			eventually(t, "the service is down", func() bool { return b.State().Condition == service.Down })
			log.await(t, test.reason)
		})
	}
}

// What the service logs and prints is in the home's log, cut and with the service's name.
func TestLog(t *testing.T) {
	r := begin(t, mortal(), Options{})
	r.ask("log", "")
	r.log.await(t, `"level":"WARN","msg":"a line of the service","service":"mortal","topic":"log"`)
	r.log.await(t, `"text":"printed by the service"`)
	r.log.await(t, `"text":"`+strings.Repeat("x", 1024)+`"`)
	if strings.Contains(r.log.String(), strings.Repeat("x", 1025)) {
		t.Error("a long line was not cut")
	}
}

func TestLogIsBounded(t *testing.T) {
	r := begin(t, mortal(), Options{LogLines: 10})
	began := time.Now()
	r.ask("flood", "")
	r.Stop(t)
	lines := strings.Count(r.log.String(), `"msg":"record"`) + strings.Count(r.log.String(), "has written")
	if most := 10 * (int(time.Since(began)/time.Second) + 2); lines > most || lines < 10 {
		t.Errorf("%d lines, want at most %d", lines, most)
	}
}

// The child gets the variables that it needs, and not those of its parent.
func TestEnvironment(t *testing.T) {
	t.Setenv("TEST_SECRET", "secret")
	t.Setenv("TEST_PASSED", "passed")
	t.Setenv("LC_TEST", "locale")
	r := begin(t, mortal(), Options{Memory: 1 << 30, Env: []string{"TEST_PASSED", "TEST_ABSENT", "TEST_SET=set=1"}})
	var all []string
	if err := json.Unmarshal(r.ask("environment", "").Payload, &all); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"TEST_PASSED=passed", "TEST_SET=set=1", "LC_TEST=locale", "GOMEMLIMIT=805306368"} {
		if !slices.Contains(all, want) {
			t.Errorf("the child has no %s: %v", want, all)
		}
	}
	for _, line := range all {
		if strings.HasPrefix(line, "TEST_SECRET") || strings.HasPrefix(line, "TEST_ABSENT") || strings.HasPrefix(line, variable) {
			t.Errorf("the child has %s", line)
		}
	}
}
