//go:build unix

package process

import (
	"strings"
	"testing"
	"time"

	"strowger/system/service"
	"strowger/system/service/servicetest"
)

// Whatever ends the process of a service: the request gets 500, the service is up again in another process with fresh state, and
// a service beside it notices nothing.
func TestDeaths(t *testing.T) {
	for topic, reason := range map[string]string{
		"panic":         "told to",
		"plain panic":   "exit status 2: panic: told to, in a plain goroutine",
		"map":           "exit status 2: fatal error: concurrent map",
		"unlock":        "exit status 2: fatal error: sync: unlock of unlocked mutex",
		"stack":         "exit status 2: runtime: goroutine stack exceeds 1048576-byte limit",
		"exit":          "exit status 7",
		"exit well":     "exit status 0",
		"abort":         "exit status 2: SIGSEGV",
		"kill":          "signal: killed",
		"goexit":        "runtime.Goexit was called",
		"locked thread": "runtime.Goexit was called",
		"hang":          "child hangs",
		"spin":          "child hangs",
		"stopped":       "has not answered for 5s (Supervision.PingTimeout)",
		"close":         "the process has closed its pipe",
		"garbage":       "a message is",
		"giant":         "a message is too long (process.Options.MessageBytes)",
		"bad status":    "a message of the other process is wrong",
		"bad JSON":      "a message of the other process is wrong",
		"half a frame":  "exit status 9",
	} {
		t.Run(topic, func(t *testing.T) {
			t.Parallel()
			beside := servicetest.Start(t, &service.Service{Name: "beside", Setup: echoing}, servicetest.Options{}).Call(t)
			r := begin(t, mortal(), Options{})
			r.want("count", "", 200, "1")
			r.want("count", "", 200, "2")
			pid := r.number("pid")
			if m := r.ask(topic, `{"kept":1}`); m.Status != 500 || string(m.Payload) != "null" {
				t.Errorf("got %d %s, want 500", m.Status, m.Payload)
			}
			beside.Send("echo", `1`, `"beside"`)
			if m := servicetest.NextBut(beside); m.Status != 200 || string(m.Payload) != `"beside"` {
				t.Errorf("the service beside it answers %d %s", m.Status, m.Payload)
			}
			r.state("restarting")
			r.state("up")
			r.want("count", "", 200, "1")
			if again := r.number("pid"); again == pid {
				t.Error("it is the same process")
			}
			gone(t, pid)
			select {
			case d := <-r.dead:
				if !strings.Contains(r.log.String(), reason) {
					t.Errorf("the log has no %q:\n%s", reason, r.log)
				}
				t.Logf("%s: %v\n%s", d.Task, d.Reason, d.Stack)
			case <-time.After(patience):
				t.Error("no dead letter")
			}
		})
	}
}

// Hangs count for longer than crashes, because it takes longer to notice them: so a service that hangs again and again is down.
func TestHangsOpenTheBreaker(t *testing.T) {
	svc := mortal()
	v := &svc.Supervision
	v.Intensity, v.Period, v.PingTimeout = 1, time.Millisecond, time.Second
	r := begin(t, svc, Options{})
	for range 3 {
		r.ask("panic", "")
		r.state("up") // crashes that are a period apart do not count
	}
	r.ask("hang", "")
	r.state("up")
	r.ask("stopped", "")
	r.state("down")
}
