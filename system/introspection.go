package system

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors/runtime"
	"strowger/config"
	"strowger/system/internal/admin"
	"strowger/system/internal/introspect"
	"strowger/system/internal/supervisor"
)

// insight is what the system knows of itself. It is kept by those to whom things happen; who asks for
// it waits for nobody.
type insight struct {
	tree    *introspect.Tree
	letters *introspect.Ring
	router  runtime.Gauge
	root    runtime.Gauge // the supervisors of all and of the services
	branch  runtime.Gauge
	admin   atomic.Pointer[net.Addr]
	tokens  atomic.Pointer[error] // why no token can be claimed

	log      *introspect.Log
	services atomic.Pointer[actor.PID] // the supervisor of the services
}

func newInsight(a *config.Admin) (*insight, error) {
	o := introspect.RingOptions{Letters: orNone(a.DeadLetters), Bytes: int(a.DeadLetterBytes)}
	if !a.Payloads {
		o.PayloadBytes = -1
	}
	letters, err := introspect.NewRing(o)
	if err != nil {
		return nil, err
	}
	return &insight{tree: introspect.NewTree(introspect.TreeOptions{Root: rootPlace}), letters: letters,
		log: introspect.NewLog(a.LogRecords, int(a.LogBytes))}, nil
}

// orNone returns what a ring takes for a setting of which 0 means none.
func orNone(setting int) int {
	if setting == 0 {
		return -1
	}
	return setting
}

// name enters the actors of the tree before they are seen, in the order of the table.
func (s *System) name() {
	t := s.insight.tree
	t.Add(place(routerPlace), "router", s.insight.router.Depth)
	t.Add(place(connectionsPlace), "connections", nil)
	t.Add(place(servicesPlace), "supervisor", nil)
	for _, h := range s.services.all() {
		s.nameService(h)
	}
	t.Add(place(janitorsPlace), "supervisor", nil)
	t.Add(place(listenerPlace), "listener", nil)
	if s.admin != "" {
		t.Add(place(adminPlace), "admin", nil)
	}
	for i := range s.egress.Shards() {
		t.Add(place(egressPlace, strconv.Itoa(i)), "egress", func() int { return s.egress.Waiting(i) })
		// They are started before the tree and restart in place without a supervisor's word.
		t.Observe(place(egressPlace), &supervisor.ChildStarted{Child: strconv.Itoa(i), Generation: 1})
	}
	t.Observe(rootPlace, &supervisor.ChildStarted{Child: egressPlace, Generation: 1})
}

// nameService enters a service.
func (s *System) nameService(h *home) {
	t := s.insight.tree
	t.Add(place(servicesPlace, h.instance.Name()), "service", func() int { return h.instance.State().Queued })
	if h.single.waits() {
		t.Observe(place(servicesPlace), &supervisor.ChildRetired{Child: h.instance.Name()})
	}
}

// source is what the admin pages see of a System.
type source struct{ *System }

var _ admin.Source = source{}

func (s *System) source() source { return source{s} }

// Ready returns nil when the router can do its work. Otherwise the error names each part that keeps it from
// that, and why. A system that has not started, or has stopped, is not ready. Ready waits for nobody.
func (s *System) Ready() error {
	if s.made() && s.stage.Load() != started {
		return errors.New("the system does not run")
	}
	var problems []error
	for _, p := range s.source().Ready() {
		problems = append(problems, fmt.Errorf("%s: %s", p.Part, p.Reason))
	}
	return errors.Join(problems...)
}

// Tree is for admin.Source.
func (s source) Tree() introspect.Node {
	if !s.made() {
		return introspect.Node{}
	}
	tree := s.insight.tree.Snapshot()
	if silent := s.heart.Load().silence(); len(silent) > 0 {
		for path, node := range tree.All() {
			for _, one := range silent {
				if one.Actor == path {
					node.Silent = one.For.Milliseconds()
				}
			}
		}
	}
	return tree
}

// DeadLetters is for admin.Source.
func (s source) DeadLetters() []introspect.DeadLetter {
	if !s.made() {
		return nil
	}
	return s.insight.letters.Letters()
}

// Refusals is for admin.Source.
func (s source) Refusals() []introspect.Refusal {
	if !s.made() {
		return nil
	}
	var all []introspect.Refusal
	for _, l := range s.deps.Refusals().Latest() {
		attributes := make(map[string]string, len(l.Attributes)/2)
		for pair := range slices.Chunk(l.Attributes, 2) {
			if len(pair) == 2 {
				attributes[fmt.Sprint(pair[0])] = fmt.Sprint(pair[1])
			}
		}
		all = append(all, introspect.Refusal{Cause: l.Cause, Count: l.Count, At: l.At, Message: l.Message, Attributes: attributes})
	}
	return all
}

// Ready is for admin.Source.
func (s source) Ready() []introspect.Problem {
	if !s.made() {
		return []introspect.Problem{{Part: "system", Reason: errUnmade.Error()}}
	}
	var problems []introspect.Problem
	problems = append(problems, s.silences(introspect.Barred, introspect.Lost)...)
	tree := s.Tree()
	for path, node := range tree.All() {
		if (path == place(listenerPlace) || path == place(routerPlace)) && node.State != introspect.Running {
			problems = append(problems, introspect.Problem{Part: node.Name, Reason: "is " + string(node.State)})
		}
	}
	problems = append(problems, s.room()...)
	if err := s.insight.tokens.Load(); err != nil && *err != nil {
		problems = append(problems, introspect.Problem{Part: "tokens", Reason: (*err).Error()})
	}
	for _, h := range s.services.all() {
		if state := h.instance.State(); h.instance.Service().Required && !h.works() {
			problems = append(problems, introspect.Problem{Part: "service " + h.instance.Name(), Reason: "is " + string(state.Condition)})
		}
	}
	return problems
}

// Metrics is for admin.Source.
func (s source) Metrics() introspect.Metrics {
	if !s.made() {
		return introspect.Metrics{}
	}
	c := s.deps.Counters
	m := introspect.Metrics{
		Connections: int64(s.Connections()), Panics: c.Panics.Load(), Authenticated: c.Authentic.Load(),
		Refused: c.Refused.Load(), OddTokens: s.tokens.store.OddTokens(), TokensIgnored: c.TokensIgnored.Load(),
		Ejections: c.Ejections.Load(), Ejected: c.Ejected.Load(),
		Reclaimed: c.Reclaimed.Load(), Reclaimable: c.Reclaimable.Load(), Forgotten: c.Forgotten.Load(),
		Renewed: c.Renewed.Load(), NotRenewed: c.NotRenewed.Load(), Bearers: s.tokens.bearers.stats(), Tickets: s.ticketStats(),
		Upgrades: s.upgrades.done.Load(), NoUpgrades: s.upgrades.failed.Load(),
		History: introspect.History{Messages: c.HistoryMessages.Load(), Bytes: c.HistoryBytes.Load(), Cut: c.HistoryCut.Load(),
			Recovered: c.Recovered.Load(), NotRecovered: c.NotRecovered.Load()},
		Narrowed: c.Narrowed.Load(), Watching: c.PresencePeople.Load(), Untold: c.PresenceUntold.Load(),
		Gaps:     introspect.Gaps{Dropped: c.Dropped.Load(), Replaced: c.Replaced.Load(), Told: c.GapsTold.Load()},
		Requests: c.Requests.Load(), Replies: c.Replies.Load(),
		Broadcasts: c.Broadcasts.Load(), SlowConsumers: c.SlowConsumers.Load(), Dead: make(map[string]int64),
		Cut: s.deps.Refusals().Counts(), Merged: s.deps.Refusals().Merged(),
	}
	if s.live() {
		m.Clients = int64(s.egress.Clients())
		m.Waiting, m.Early = s.egress.WaitingBytes(), s.egress.UnauthenticatedBytes()
		m.Queued = s.egress.QueuedBytes()
		m.Inbound = s.egress.InboundBytes()
		m.Kept = s.deps.Counters.Kept.Load()
		m.Handshakes = int64(s.server.WaitingHandshakes())
	}
	for reason, n := range c.DeadLetters() {
		m.Dead[reason.String()] = n
	}
	if s.logLost != nil {
		m.LogLost = s.logLost()
	}
	if s.tracer != nil {
		counts := s.tracer.Counts()
		m.Traces, m.TracesSent, m.TracesFailed = counts.Begun, counts.Sent, counts.Failed
	}
	m.Heart = s.heart.Load().stats()
	s.measured(&m)
	m.Switch, m.Database, m.Panel, m.Cluster = s.switchStats(), s.databaseStats(), s.panelStats(), s.clusterCounts()
	m.Panics += s.services.pastPanics.Load()
	m.Errors += s.services.pastErrors.Load()
	m.Dynamic, m.NotAdded = int64(s.services.dynamic()), s.services.refused.Load()
	for _, h := range s.services.all() {
		m.Panics += int64(h.instance.Counters().Panics.Load())
		m.Errors += int64(h.instance.Counters().Errors.Load())
	}
	return m
}

// checkTokens notes whether tokens can be claimed; it waits for a disk.
func (s *System) checkTokens() error {
	err := s.tokens.store.Check()
	s.insight.tokens.Store(&err)
	if err != nil {
		return errors.Join(errors.New("no token can be claimed"), err)
	}
	return nil
}
