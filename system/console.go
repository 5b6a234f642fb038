package system

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"runtime/metrics"
	"time"

	"strowger/system/internal/console"
	"strowger/system/internal/introspect"
	"strowger/system/internal/supervisor"
	"strowger/system/service"
)

// shown is what the console sees of a System, and how it acts on it.
type shown struct{ *System }

var _ console.Source = shown{}

// newConsole returns the console, nil if the settings say that there is none.
func (s *System) newConsole() (*console.Console, error) {
	a := &s.cfg.Admin
	if !a.Console || a.Address == "" {
		return nil, nil //nolint:nilnil // none is not an error
	}
	return console.New(console.Options{Source: shown{s}, Log: s.log, Clock: s.deps.Clock, Address: a.Address, TrustLoopback: a.TrustLoopback,
		TrustedProxies: s.cfg.Listen.TrustedProxies, PasswordHash: a.PasswordHash, PasswordAttempts: a.PasswordAttempts, Session: a.Session, AuditFile: a.AuditFile,
		Connections: a.Connections, HeaderBytes: int(a.HeaderBytes),
		Observe: func(e supervisor.Event) {
			s.insight.tree.Add(place(adminPlace, console.Name), "console", nil)
			s.insight.tree.Observe(place(adminPlace), e)
		},
	})
}

// note adds an action to the audit log, if there is one.
func (s *System) note(action, from string, err error) {
	if s.console != nil {
		s.console.Note(action, from, err)
	}
}

// consoleHandler returns what answers for the console, nil if there is none.
func (s *System) consoleHandler() http.Handler {
	if s.console == nil {
		return nil
	}
	return s.console
}

// Hello is for console.Source.
func (s shown) Hello() console.Hello {
	host, _ := os.Hostname() // empty if nobody knows
	h := console.Hello{Version: s.build.Version, Commit: s.build.Commit, Go: runtime.Version(), PID: os.Getpid(), Host: host,
		Started: s.began.UTC(), Now: s.deps.Clock.Now().UTC(), Problems: s.source().Ready(), Payloads: s.cfg.Admin.Payloads}
	if addr := s.Addr(); addr != nil {
		h.Address = addr.String()
	}
	h.Ready = len(h.Problems) == 0
	if h.Ready {
		h.Problems = []introspect.Problem{}
	}
	h.Cluster = s.clusterHello()
	return h
}

// clusterHello returns this router's place in its cluster, nil if it is alone.
func (s shown) clusterHello() *console.ClusterHello {
	if s.cluster == nil {
		return nil
	}
	counts := s.cluster.links.Counts()
	h := &console.ClusterHello{Name: s.cluster.name, Node: s.cluster.node, Nodes: counts.Nodes, Linked: counts.Linked, Notes: s.clusterNotes()}
	if h.Notes == nil {
		h.Notes = []introspect.Problem{}
	}
	return h
}

// Cluster is for console.Source.
func (s shown) Cluster() introspect.Cluster { return s.source().Cluster() }

// Reading is for console.Source.
func (s shown) Reading() console.Reading {
	c := s.deps.Counters
	r := console.Reading{At: s.deps.Clock.Now(), Requests: c.Requests.Load(), Replies: c.Replies.Load(), Broadcasts: c.Broadcasts.Load(),
		SlowConsumers: c.SlowConsumers.Load(), Panics: c.Panics.Load(), Restarts: int64(s.insight.tree.Restarts()), CPU: cpuTime()}
	for _, n := range c.DeadLetters() {
		r.DeadLetters += n
	}
	for _, n := range s.deps.Refusals().Counts() {
		r.Refused += n
	}
	r.Panics += s.services.pastPanics.Load()
	for _, h := range s.services.all() {
		r.Panics += int64(h.instance.Counters().Panics.Load())
	}
	for range s.deps.Registry.All() {
		r.Services++
	}
	if s.live() {
		r.Connections, r.Clients, r.WaitingBytes = int64(s.egress.Live()), int64(s.egress.Clients()), s.egress.WaitingBytes()
	}
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/sched/goroutines:goroutines"}}
	metrics.Read(samples)
	for i, to := range []*int64{&r.HeapBytes, &r.Goroutines} {
		if samples[i].Value.Kind() == metrics.KindUint64 {
			*to = int64(samples[i].Value.Uint64())
		}
	}
	return r
}

// Revisions is for console.Source.
func (s shown) Revisions() (tree, letters, log uint64) {
	return s.insight.tree.Revision(), s.insight.letters.Revision(), s.insight.log.Count()
}

// Letters is for console.Source.
func (s shown) Letters() (kept []introspect.DeadLetter, total uint64, counts map[string]int64) {
	counts = make(map[string]int64)
	for reason, n := range s.deps.Counters.DeadLetters() {
		counts[reason.String()] = n
	}
	return s.insight.letters.Letters(), s.insight.letters.Count(), counts
}

// Log is for console.Source.
func (s shown) Log(after uint64) []*introspect.LogRecord { return s.insight.log.After(after) }

// Explain is for console.Source.
func (s shown) Explain(subscriber, name string, event json.RawMessage) (any, error) {
	if subscriber == "" || name == "" {
		return nil, service.Errorf(400, "want subscriber and service")
	}
	var said *Event
	if len(event) > 0 && string(event) != "null" {
		var err error
		if said, err = ParseEvent(event); err != nil {
			return nil, service.Errorf(400, "event: %s", err)
		}
	}
	all, err := s.System.Explain(subscriber, name, said)
	if errors.Is(err, ErrUnknownService) || errors.Is(err, ErrNoMember) || errors.Is(err, ErrNoInstance) {
		return nil, service.Errorf(404, "%s", err)
	}
	return all, err
}

// Disconnect is for console.Source.
func (s shown) Disconnect(ctx context.Context, number uint64) error {
	found, err := s.egress.Disconnect(ctx, number)
	if err != nil {
		return fmt.Errorf("disconnect: %w", err)
	}
	if !found {
		return console.ErrGone
	}
	return nil
}

// deeds are what an operator may have done with a service, by name.
var deeds = map[string]supervisor.Deed{
	"restart": supervisor.DoRestart, "stop": supervisor.DoStop, "start": supervisor.DoStart, "reset": supervisor.DoReset,
}

// Order is for console.Source.
func (s shown) Order(ctx context.Context, name, deed string) error {
	h := s.services.get(name)
	if h == nil {
		return fmt.Errorf("%s: %w", name, console.ErrUnknown)
	}
	do, known := deeds[deed]
	if !known {
		return fmt.Errorf("%s: %w", deed, console.ErrNotNow)
	}
	if done, err := h.single.obey(do); done || err != nil {
		return err
	}
	answer, err := s.askServices(ctx, &supervisor.Order{Child: name, Do: do})
	if err != nil {
		return err
	}
	if obeyed, ok := answer.(*supervisor.Obeyed); !ok || obeyed.Err != nil {
		return fmt.Errorf("%s: %w: %w", name, console.ErrNotNow, obeyed.Err)
	}
	return nil
}

// askServices asks the supervisor of the services.
func (s shown) askServices(ctx context.Context, question any) (any, error) {
	pid := s.insight.services.Load()
	if pid == nil {
		return nil, fmt.Errorf("%w: the services do not run", console.ErrNotNow)
	}
	left := explainTimeout
	if due, ok := ctx.Deadline(); ok {
		left = max(time.Until(due), time.Millisecond)
	}
	answer, err := s.deps.System.Root.RequestFuture(pid, question, left).Result()
	if err != nil {
		return nil, fmt.Errorf("ask the supervisor of the services: %w", err)
	}
	return answer, nil
}
