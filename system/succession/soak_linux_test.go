package succession

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"strowger/client"
	"strowger/system/internal/daemontest"
	"strowger/system/token"
)

// soakTime is how long TestSoak goes on; STROWGER_SOAK sets it, such as 8h. Without it the test makes soakRounds rounds.
func soakTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("STROWGER_SOAK")
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		t.Fatalf("STROWGER_SOAK=%q: want a time such as 8h", text)
	}
	return d
}

const (
	soakRounds   = 6
	upgradeEvery = 1500 // rounds
	reloadEvery  = 3
	settling     = 300 // the first rounds of a process, in which pools come to their size and the log of actions fills
)

// resting are the tables that are empty while nobody is connected.
var resting = []string{
	"strowger_transport_open_connections", "strowger_transport_client_connections", "strowger_transport_queued_bytes",
	"strowger_transport_inbound_bytes", "strowger_transport_unauthenticated_bytes", "strowger_transport_waiting_bytes",
	"strowger_transport_waiting_frames", "strowger_transport_waiting_handshakes", "strowger_transport_paused_connections",
	"strowger_tokens_ticket_connections", "strowger_routing_kept_bytes", "strowger_http_event_connections",
}

// TestSoak has clients connect, ask, listen, come back with tickets, lose their network and send noise, round after round, while
// services come and go, a service inside is restarted, settings are reloaded and new processes take over. After each round the
// router must hold nothing for anybody, and what the process needs must not grow with the rounds.
func TestSoak(t *testing.T) {
	length := soakTime(t)
	s := &soak{random: rand.New(rand.NewPCG(1, 2)), begun: time.Now()}
	s.running = run(t, open+"admin: {pprof: true}\ntokens: {tickets: 5m}\n")
	s.Allow("action in the console")
	every := upgradeEvery
	if length == 0 {
		every = soakRounds - 2 // once
	}
	for i := 1; (length == 0 && i <= soakRounds) || time.Since(s.begun) < length; i++ {
		s.t = t
		if i%every == 0 {
			s.upgrade()
			s.era++
		}
		if !t.Run(fmt.Sprint("round ", i), func(t *testing.T) { s.t = t; s.round(i) }) {
			break
		}
		s.t = t
		s.rest()
		s.measure()
	}
	s.t = t
	s.report(length)
}

// soak is one run.
type soak struct {
	*running
	random *rand.Rand
	begun  time.Time
	era    int // how many processes there were before this one
	taken  []sample
}

// round is a burst of everything.
func (s *soak) round(i int) {
	s.serve(counting())
	asker := s.connect(token.Spec{Kind: token.User})
	for n := range 20 {
		c := s.connect(token.Spec{Kind: token.User, Services: []string{"counting"}, Permissions: []string{fmt.Sprint("p", n%5)}})
		c.Listen("counting", func(client.Message) {})
		for m := range 1 + s.random.IntN(10) {
			if reply, err := c.Request(context.Background(), "counting", "echo", m); err != nil || string(reply.Payload) != strconv.Itoa(m) {
				s.t.Fatalf("echo: %s, %v", reply.Payload, err)
			}
		}
		if n%3 == 0 {
			_ = c.Close()
		}
	}
	for range 30 {
		if _, err := asker.Request(context.Background(), "counting", "next", nil); err != nil {
			s.t.Fatalf("next: %v", err)
		}
	}
	lost, ticket := s.asks(s.mint(token.Spec{Services: []string{"counting"}}))
	lost.cut()
	s.asks(ticket)
	noise := s.accept()
	noise.write([]byte(strings.Repeat("noise ", s.random.IntN(2000))))
	noise.cut()
	s.open().cut()
	out, err := daemontest.Command(s.binary, "service", "restart", "dashboard.system.information", "--admin", s.admin).CombinedOutput()
	if err != nil {
		s.t.Fatalf("restart a service: %v: %s", err, out)
	}
	if i%reloadEvery == 0 {
		if status, body := s.ask("/reload"); status != http.StatusOK {
			s.t.Fatalf("reload: %d %s", status, body)
		}
	}
}

// rest waits until the router holds nothing for anybody.
func (s *soak) rest() {
	s.t.Helper()
	var held []string
	late := time.Now().Add(patience)
	for again := time.NewTicker(20 * time.Millisecond); ; <-again.C {
		values := s.metrics()
		held = held[:0]
		for _, name := range resting {
			if v, ok := values[name]; !ok || v != 0 {
				held = append(held, fmt.Sprintf("%s is %v", name, v))
			}
		}
		if len(held) == 0 {
			again.Stop()
			return
		}
		if time.Now().After(late) {
			s.t.Fatalf("nobody is connected, but %s", strings.Join(held, ", "))
		}
	}
}

// get reads one of the admin pages.
func (s *soak) get(path string) string {
	s.t.Helper()
	response, err := http.Get("http://" + s.admin + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s, %v", path, response.Status, err)
	}
	return string(text)
}

// metrics returns the values of metrics without labels.
func (s *soak) metrics() map[string]float64 {
	values := make(map[string]float64)
	for lines := bufio.NewScanner(strings.NewReader(s.get("/metrics"))); lines.Scan(); {
		name, text, _ := strings.Cut(lines.Text(), " ")
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			values[name] = v
		}
	}
	return values
}

// sample is what the process needs while nobody is connected, at a time since the beginning.
type sample struct {
	at    time.Duration
	era   int
	needs [len(needs)]float64
}

// needs are what is measured, and how much more of it a whole run may seem to need before it fails.
var needs = [...]struct {
	name, unit string
	allowed    float64
}{
	{"resident memory", "MiB", 16},
	{"heap in use", "MiB", 4},
	{"goroutines", "", 8},
	{"descriptors", "", 3},
}

// measure takes a sample, unless the process is so young that it still grows to its size.
func (s *soak) measure() {
	s.t.Helper()
	profile := s.get("/debug/pprof/heap?gc=1&debug=1")
	_, inuse, _ := strings.Cut(profile, "\n# HeapInuse = ")
	inuse, _, _ = strings.Cut(inuse, "\n")
	heap, err := strconv.ParseFloat(inuse, 64)
	if err != nil {
		s.t.Fatalf("the profile of the heap has no HeapInuse: %v", err)
	}
	var goroutines float64
	if _, err := fmt.Sscanf(s.get("/debug/pprof/goroutine?debug=1"), "goroutine profile: total %f", &goroutines); err != nil {
		s.t.Fatalf("the profile of goroutines: %v", err)
	}
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.pid))
	var size, resident float64
	if err == nil {
		_, err = fmt.Sscan(string(statm), &size, &resident)
	}
	if err != nil {
		s.t.Fatalf("the resident memory of process %d: %v", s.pid, err)
	}
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.pid))
	if err != nil {
		s.t.Fatal(err)
	}
	const mib = 1 << 20
	s.taken = append(s.taken, sample{time.Since(s.begun), s.era, [...]float64{
		resident * float64(os.Getpagesize()) / mib, heap / mib, goroutines, float64(len(open))}})
}

// report fits a line through the samples of each need, and fails where the run as a whole has needed more, beyond doubt.
func (s *soak) report(length time.Duration) {
	hours := time.Since(s.begun).Hours()
	for i, need := range needs {
		line := fit(s.taken, i, settling)
		s.t.Logf("%-15s %8.2f %s after round %d, with %d upgrades", need.name, s.taken[len(s.taken)-1].needs[i], need.unit, len(s.taken), s.era)
		if line.samples > 0 {
			s.t.Logf("%-15s %+8.3f ± %.3f an hour, by %d samples", need.name, line.slope, line.bound, line.samples)
		}
		if growth := (line.slope - line.bound) * hours; length > 0 && growth > need.allowed {
			s.t.Errorf("%s grows by at least %.2f %s in %.1f hours, want at most %v", need.name, growth, need.unit, hours, need.allowed)
		}
	}
	if length > 0 {
		return
	}
	// A short run is too short for a slope, but not for what is never given back. How many goroutines wait for work depends on
	// how busy the machine was.
	const early, waiting = 2, 64
	first, last := s.taken[early-1], s.taken[len(s.taken)-1]
	for i, need := range needs[2:] {
		allowed := need.allowed
		if need.name == "goroutines" {
			allowed += waiting
		}
		if before, after := first.needs[2+i], last.needs[2+i]; after > before+allowed {
			s.t.Errorf("%s: %v after round %d, %v after round %d, want at most %v more", need.name, before, early, after, len(s.taken), allowed)
		}
	}
}
