package system

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"strowger/config"
)

// halt stops a process until the returned function is called.
func (p *process) halt(t *testing.T) (resume func()) {
	t.Helper()
	resume = func() { _ = p.cmd.Process.Signal(goOn) }
	t.Cleanup(resume)
	stop(t, p.cmd.Process)
	return resume
}

// callers starts a router whose remote services are in other processes, and a client.
func callers(t *testing.T, f func(*config.Config)) (*System, *peer) {
	t.Helper()
	needStop(t)
	cfg := testConfig(t)
	cfg.Routing.DefaultPolicy, cfg.Routing.UnknownService = "allow", "503"
	cfg.Routing.EjectPause = 200 * time.Millisecond
	f(cfg)
	s := start(t, cfg)
	return s, join(t, s, user("a.example", nil))
}

// Of two instances one is stopped, as by a debugger or a disk that hangs. Its connection stays, and callers get answers
// of the other one. When it goes on, it gets requests again.
func TestStoppedInstance(t *testing.T) {
	s, c := callers(t, func(cfg *config.Config) {
		cfg.Routing.Instances, cfg.Routing.EjectSilence = "failover", 2*time.Second
	})
	first := spawn(t, s, "first")
	c.awaits("first")
	spawn(t, s, "second")
	c.awaits("second")
	resume := first.halt(t)
	const requests = 6
	want := map[string]bool{}
	for i := range requests {
		id := strconv.Quote(strconv.Itoa(i + 1))
		want[id] = true
		c.sendf(`{"service":"remote","topic":"who","request_id":%s}`, id)
	}
	for range requests {
		m := c.next()
		if string(m.Code) != "200" || string(m.Payload) != `"second"` || !want[string(m.RequestID)] {
			t.Fatalf("got %s %s to %s, want one answer of the second instance to each", m.Code, m.Payload, m.RequestID)
		}
		delete(want, string(m.RequestID))
	}
	if n := s.counters().Ejected.Load(); n != 1 {
		t.Errorf("%d instances are ejected, want one", n)
	}
	resume()
	eventually(t, "the first instance is back", func() bool {
		c.sendf(`{"service":"remote","topic":"who","request_id":"again"}`)
		return string(c.next().Payload) == `"first"` && s.counters().Ejected.Load() == 0
	})
}

// While the only instance is stopped, callers are answered with 504 when the time is over, and then with 503 at once.
func TestStoppedAlone(t *testing.T) {
	s, c := callers(t, func(cfg *config.Config) {
		cfg.Routing.Unanswered, cfg.Routing.EjectAfter = "504", 2
		cfg.Routing.RequestTimeout, cfg.Routing.EjectPause = time.Second, time.Hour
	})
	only := spawn(t, s, "only")
	c.awaits("only")
	resume := only.halt(t)
	for _, id := range []string{"1", "2"} {
		c.sendf(`{"service":"remote","topic":"who","request_id":%q}`, id)
		c.gets(fmt.Sprintf(`504 remote/who #%q null`, id))
	}
	c.sendf(`{"service":"remote","topic":"who","request_id":"3"}`)
	c.gets(`503 remote/who #"3" null`)
	resume()
	cfg := *s.running.Load()
	cfg.Routing.EjectAfter = 0
	if _, err := s.Reload(&cfg); err != nil {
		t.Fatal(err)
	}
	c.awaits("only")
}

// An instance that does not answer health requests is ejected though nobody asks it anything.
func TestStoppedIdle(t *testing.T) {
	s, c := callers(t, func(cfg *config.Config) {
		cfg.Routing.Health, cfg.Routing.HealthInterval = []string{"remote who"}, 2*time.Second
	})
	only := spawn(t, s, "only")
	c.awaits("only")
	resume := only.halt(t)
	eventually(t, "the instance is ejected", func() bool { return s.counters().Ejected.Load() == 1 })
	c.sendf(`{"service":"remote","topic":"who","request_id":"1"}`)
	c.gets(`503 remote/who #"1" null`)
	resume()
	c.awaits("only")
}
