package system

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"strowger/actors"
	"strowger/actors/runtime"
	"strowger/system/internal/introspect"
)

// stuckLog is a log that blocks, although it must not, at the first line that has a text, until it is released.
type stuckLog struct {
	slog.Handler
	lines *lockedLines
	at    string
	once  *sync.Once
	stuck chan struct{} // closed when it blocks
	free  chan struct{}
}

// lockedLines are written by many and read by the test.
type lockedLines struct {
	mu   sync.Mutex // Protects text.
	text bytes.Buffer
}

func (l *lockedLines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *lockedLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newStuckLog(at string) *stuckLog {
	lines := new(lockedLines)
	return &stuckLog{Handler: slog.NewJSONHandler(lines, nil), lines: lines, at: at, once: new(sync.Once), stuck: make(chan struct{}), free: make(chan struct{})}
}

// Handle implements slog.Handler.
func (s *stuckLog) Handle(ctx context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if s.at != "" && a.Value.String() == s.at {
			s.once.Do(func() { close(s.stuck); <-s.free })
		}
		return true
	})
	return s.Handler.Handle(ctx, r)
}

// A part that is blocked for real is named within seconds wherever an operator or a program looks, and no other part is.
// When it goes on, all is as before.
func TestBlockedParts(t *testing.T) {
	// hold blocks the goroutine that calls it until released is closed.
	type blocker func(t *testing.T, s *System, hold func())
	pulse := func(of func(s *System) runtime.Pulse) blocker {
		return func(_ *testing.T, s *System, hold func()) { of(s).Beat(hold) }
	}
	for name, test := range map[string]struct {
		block blocker
		at    string // the line of the log that blocks, in place of block
		kind  string
		part  string // how its name begins
		actor string // its path in the tree
		grade introspect.Grade
	}{
		"router": {block: func(_ *testing.T, s *System, hold func()) { s.way.Send(&actors.Fence{Done: hold}) }, kind: "router", part: "router", actor: "root/router", grade: introspect.Lost},
		"name": {block: func(t *testing.T, s *System, hold func()) {
			join(t, s, remote("a", "a_service"))
			s.deps.Registry.Lookup("a").DescribeService(func(*actors.ServiceState) { hold() })
		}, kind: "name", part: "name a", grade: introspect.Lost},
		"topic": {block: func(t *testing.T, s *System, hold func()) {
			join(t, s, remote("a", "a_service"))
			s.deps.Registry.Lookup("a").DescribeTopic(func(*actors.TopicState) { hold() })
		}, kind: "topic", part: "topic a", grade: introspect.Lost},
		"holders":    {block: pulse(func(s *System) runtime.Pulse { return s.deps.HoldersPulse() }), kind: "holders", part: "holders", grade: introspect.Lost},
		"sessions":   {block: pulse(func(s *System) runtime.Pulse { return s.deps.SessionsPulse() }), kind: "sessions", part: "sessions", grade: introspect.Lost},
		"egress":     {block: pulse(func(s *System) runtime.Pulse { return s.egress.Pulse(0) }), kind: "egress", part: "egress 0", actor: "root/egress/0", grade: introspect.Lost},
		"supervisor": {block: pulse(func(s *System) runtime.Pulse { return s.insight.root.Pulse() }), kind: "supervisor", part: "supervisor", actor: "root", grade: introspect.Lost},
		"services":   {block: pulse(func(s *System) runtime.Pulse { return s.insight.branch.Pulse() }), kind: "supervisor", part: "supervisor of services", actor: "root/services", grade: introspect.Lost},
		"tokens": {block: func(_ *testing.T, s *System, hold func()) {
			for range claimers {
				s.pool.Go(hold)
			}
		}, kind: "tokens", part: "tokens", grade: introspect.Barred},
		"listener": {at: "connections", block: func(t *testing.T, s *System, _ func()) {
			join(t, s, user("", nil))
			go func() { // it gets no answer as long as nothing is accepted
				if r, err := http.Get("http://" + s.Addr().String() + "/"); err == nil {
					_ = r.Body.Close()
				}
			}()
		}, kind: "listener", part: "listener", actor: "root/listener", grade: introspect.Lost},
		"poller": {at: "protocol_error", block: func(t *testing.T, s *System, _ func()) {
			p := join(t, s, user("", nil))
			if err := p.conn.WriteMessage(3, nil); err != nil { // an opcode that is reserved
				t.Fatal(err)
			}
		}, kind: "poller", part: "poller", grade: introspect.Lost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(t)
			cfg.Admin.Address, cfg.Limits.Connections = "127.0.0.1:0", 100
			cfg.Heartbeat.Interval, cfg.Heartbeat.Limit = 100*time.Millisecond, time.Second
			if name == "listener" {
				cfg.Limits.Connections = 1
			}
			log := newStuckLog(test.at)
			s, _ := startLogged(t, cfg, slog.New(log))
			release := sync.OnceFunc(func() { close(log.free) })
			t.Cleanup(release) // before the system stops
			works := func() {
				t.Helper()
				if err := s.Healthy(); err != nil {
					t.Errorf("not healthy: %v", err)
				}
				get(t, s, "/healthz", http.StatusOK)
			}
			works()
			var held sync.WaitGroup
			held.Add(1)
			once := sync.OnceFunc(held.Done)
			test.block(t, s, func() { once(); <-log.free })
			if test.at != "" {
				await(t, "it blocks", log.stuck)
			} else {
				held.Wait()
			}

			metric := func(name string) string {
				for line := range strings.Lines(page(t, s, "/metrics")) {
					if rest, ok := strings.CutPrefix(line, name+`{part="`+test.kind+`"} `); ok {
						return strings.TrimSpace(rest)
					}
				}
				return "none"
			}
			eventually(t, "it is silent", func() bool { return s.heart.Load().silence() != nil })
			for _, silent := range s.heart.Load().silence() {
				if silent.Kind != test.kind || !strings.HasPrefix(silent.Part, test.part) || silent.Grade != test.grade {
					t.Errorf("silent: %+v", silent)
				}
			}
			if ready := string(get(t, s, "/readyz", http.StatusServiceUnavailable)); !strings.Contains(ready, `"part":"`+test.part) || !strings.Contains(ready, "has not answered for") {
				t.Errorf("readyz: %s", ready)
			}
			if test.grade == introspect.Lost {
				if health := string(get(t, s, "/healthz", http.StatusServiceUnavailable)); !strings.Contains(health, `"part":"`+test.part) {
					t.Errorf("healthz: %s", health)
				}
				if err := s.Healthy(); err == nil || !strings.HasPrefix(err.Error(), test.part) {
					t.Errorf("healthy: %v", err)
				}
			} else {
				works()
			}
			if now, total := metric("strowger_heart_silent_parts"), metric("strowger_heart_silences_total"); now != "1" || total != "1" {
				t.Errorf("%s silent parts, %s silences", now, total)
			}
			if test.actor != "" {
				wantSilent(t, page(t, s, "/tree"), test.actor)
			}
			eventually(t, "it is logged", func() bool { return strings.Contains(log.lines.String(), `"part":"`+test.part) })

			release()
			eventually(t, "it answers", func() bool { return s.heart.Load().silence() == nil })
			works()
			if now, total := metric("strowger_heart_silent_parts"), metric("strowger_heart_silences_total"); now != "0" || total != "1" {
				t.Errorf("%s silent parts, %s silences at the end", now, total)
			}
			eventually(t, "that is logged", func() bool { return strings.Contains(log.lines.String(), "answers again") })
			if n := strings.Count(log.lines.String(), "does not answer"); n != 1 {
				t.Errorf("it is logged %d times: %s", n, log.lines)
			}
			if name != "listener" {
				join(t, s, user("", nil))
				eventually(t, "it is ready", func() bool { return s.Ready() == nil })
			}
		})
	}
}

// wantSilent wants the actor with that path to be silent, and no other.
func wantSilent(t *testing.T, tree, path string) {
	t.Helper()
	var root introspect.Node
	if err := json.NewDecoder(strings.NewReader(tree)).Decode(&root); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	for at, node := range root.All() {
		if silent := node.Silent > 0; silent != (at == path) {
			t.Errorf("%s is silent: %v", at, silent)
		}
	}
}
