//go:build unix

package process

import (
	"encoding/json"
	"fmt"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"strowger/actors/envelope"
	"strowger/system/service"
)

// Answers and broadcasts of the most bytes pass; one byte more is 500, and nothing.
func TestMessageBytes(t *testing.T) {
	const most = 100_000
	r := begin(t, mortal(), Options{MessageBytes: most})
	fits := func(number uint64) int {
		e := &envelope.Envelope{Topic: envelope.QuoteString("long"), StatusString: envelope.Raw(`"ok"`), StatusCode: envelope.Raw("200"),
			Payload: envelope.Raw(strings.Repeat("r", most/2))}
		return most/2 + most - len(appendTold(appendNumber(nil, number), e, 0)) - len(`""`)
	}
	if m := r.ask("long", strconv.Itoa(fits(1))); m.Status != 200 || len(m.Payload) != fits(1)+2 {
		t.Errorf("at the limit: %d, %d bytes", m.Status, len(m.Payload))
	}
	if m := r.ask("long", strconv.Itoa(fits(2)+1)); m.Status != 500 {
		t.Errorf("beyond the limit: %d", m.Status)
	}
	r.log.await(t, `"kind":"answer"`)
	r.log.await(t, `"setting":"process.Options.MessageBytes"`)
	r.want("count", "", 200, "1") // and it goes on
}

// A request of the most bytes passes; one byte more is 500.
func TestRequestBytes(t *testing.T) {
	const most = 100_000
	r := begin(t, mortal(), Options{MessageBytes: most})
	payload := func(n int) string { return `"` + strings.Repeat("p", n-2) + `"` }
	if m := r.ask("echo", payload(2*most)); m.Status != 500 {
		t.Errorf("a long request gets %d", m.Status)
	}
	size := regexp.MustCompile(`the request has (\d+) bytes`).FindStringSubmatch(r.log.String())
	if size == nil {
		t.Fatalf("the log:\n%s", r.log)
	}
	n, err := strconv.Atoi(size[1])
	if err != nil {
		t.Fatal(err)
	}
	fits := 2*most - (n - most)
	r.want("echo", payload(fits), 200, payload(fits))
	if m := r.ask("echo", payload(fits+1)); m.Status != 500 {
		t.Errorf("beyond the limit: %d", m.Status)
	}
}

// A child that does not read holds up nobody: what finds no room is answered with 503, and the rest when it reads again.
func TestQueueBytes(t *testing.T) {
	svc := mortal()
	svc.Supervision.PingEvery = -1
	payload := `"` + strings.Repeat("p", 10_000) + `"`
	const fit = 20
	r := begin(t, svc, Options{QueueBytes: fit * (len(payload) + overhead + 250)})
	pid := r.number("pid")
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the process is stopped", func() bool { return stoppedProcess(t, pid) })
	for n := range 3 * fit {
		r.Send("echo", strconv.Itoa(n+1), payload)
	}
	for n := fit; n < 3*fit; n++ {
		if m := r.Next(); m.ID != strconv.Itoa(n+1) || m.Status != 503 || string(m.Payload) != `{"retry_after":1}` {
			t.Fatalf("got %s %d %s, want 503 for %d", m.ID, m.Status, m.Payload, n+1)
		}
	}
	r.log.await(t, `"setting":"process.Options.QueueBytes"`)
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	for n := range fit {
		if m := r.Next(); m.ID != strconv.Itoa(n+1) || m.Status != 200 {
			t.Fatalf("got %s %d, want 200 for %d", m.ID, m.Status, n+1)
		}
	}
	if n := r.number("pid"); n != pid {
		t.Error("the process has not survived")
	}
}

// What was not sent to a child that dies is answered with 503, because the service has not begun it; the rest with 500.
func TestUnsent(t *testing.T) {
	svc := mortal()
	svc.Supervision.PingEvery = -1
	r := begin(t, svc, Options{})
	pid := r.number("pid")
	r.Send("wait", `"wait"`, "")
	for m := r.Next(); m.Topic != "began"; m = r.Next() {
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the process is stopped", func() bool { return stoppedProcess(t, pid) })
	payload := `"` + strings.Repeat("p", 100_000) + `"`
	const all = 20 // a pipe takes less
	for n := range all {
		r.Send("echo", strconv.Itoa(n+1), payload)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	got := map[int]int{}
	for n := 0; n <= all; {
		switch m := r.Next(); m.Topic {
		case "wait":
			if n++; m.Status != 500 {
				t.Errorf("a request that the service has begun gets %d", m.Status)
			}
		case "echo":
			n++
			got[m.Status]++
		}
	}
	if got[500]+got[503] != all || got[500] > 2 {
		t.Errorf("answers by status: %v, want 503 but for what a pipe takes", got)
	}
	r.want("count", "", 200, "1")
}

// A home that takes little holds up the service: the child does not grow, and is not taken for one that hangs.
func TestBackpressure(t *testing.T) {
	svc := mortal()
	svc.Supervision.PingTimeout = time.Second
	home := newTold()
	home.paces = func() bool {
		time.Sleep(12 * time.Millisecond) // it is as slow as that
		return false
	}
	b, log := beginIn(t, svc, Options{QueueBytes: 1 << 20}, home)
	b.Ask(question("pour", "1", ""))
	for range 3 {
		// Each answer waits behind a MiB of broadcasts, which is longer than a ping may take.
		b.Ask(question("heap", "2", ""))
		e := home.answer(t)
		var heap int
		if err := json.Unmarshal(e.Payload, &heap); err != nil || heap > 100 {
			t.Errorf("the heap of the child has %s MiB: %v", e.Payload, err)
		}
	}
	if s := b.State(); s.Condition != service.Up || s.Restarts > 0 {
		t.Errorf("the service is %s after %d restarts:\n%s", s.Condition, s.Restarts, log)
	}
	if n := b.Counters().NoRoom.Load(); n == 0 {
		t.Error("nothing was dropped")
	}
}

// A service that needs more memory than it may ends, and nothing else.
func TestMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no limit on " + runtime.GOOS)
	}
	r := begin(t, mortal(), Options{Memory: 256 << 20})
	pid := r.number("pid")
	if m := r.ask("memory", ""); m.Status != 500 {
		t.Errorf("got %d, want 500", m.Status)
	}
	r.state("up")
	gone(t, pid)
	r.want("count", "", 200, "1")
	for _, text := range []string{"out of memory", "cannot allocate memory", "ThreadSanitizer failed to allocate"} {
		if strings.Contains(r.log.String(), text) {
			return
		}
	}
	t.Errorf("the log does not say why:\n%s", r.log)
}

// Nothing of many lives is left.
func TestManyLives(t *testing.T) {
	r := begin(t, mortal(), Options{})
	r.want("count", "", 200, "1")
	before := descriptors(t)
	var pids []int
	for range 20 {
		pids = append(pids, r.number("pid"))
		r.ask("exit", "")
		r.state("up")
	}
	for _, pid := range pids {
		gone(t, pid)
	}
	r.want("count", "", 200, "1")
	eventually(t, fmt.Sprintf("there are %d descriptors again", before), func() bool { return descriptors(t) <= before })
}
