package system

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"

	"strowger/actors"
	"strowger/actors/envelope"
	"strowger/actors/runtime"
	"strowger/system/internal/admin"
	"strowger/system/internal/introspect"
	"strowger/system/internal/supervisor"
	"strowger/system/service"
)

// insight is what the system knows of itself. It is kept by those to whom things happen; who asks for
// it waits for nobody.
type insight struct {
	tree    *introspect.Tree
	letters *introspect.Ring
	router  runtime.Gauge
	admin   atomic.Pointer[net.Addr]
	tokens  atomic.Pointer[error] // why no token can be claimed
}

func newInsight() (*insight, error) {
	letters, err := introspect.NewRing(introspect.RingOptions{})
	if err != nil {
		return nil, err
	}
	return &insight{tree: introspect.NewTree(introspect.TreeOptions{Root: rootPlace}), letters: letters}, nil
}

// name enters the actors of the tree before they are seen, in the order of the table.
func (s *System) name() {
	t := s.insight.tree
	t.Add(place(routerPlace), "router", s.insight.router.Depth)
	t.Add(place(connectionsPlace), "connections", nil)
	t.Add(place(servicesPlace), "supervisor", nil)
	for _, h := range s.services.homes {
		t.Add(place(servicesPlace, h.instance.Name()), "service", func() int { return h.instance.State().Queued })
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
	return s.insight.tree.Snapshot()
}

// DeadLetters is for admin.Source. They are what actors and services crashed at; messages that
// reached nobody for another reason are only counted.
func (s source) DeadLetters() []introspect.DeadLetter {
	if !s.made() {
		return nil
	}
	return s.insight.letters.Letters()
}

// Ready is for admin.Source.
func (s source) Ready() []introspect.Problem {
	if !s.made() {
		return []introspect.Problem{{Part: "system", Reason: errUnmade.Error()}}
	}
	var problems []introspect.Problem
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
	for _, h := range s.services.homes {
		if state := h.instance.State(); h.instance.Service().Required && state.Condition != service.Up {
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
		Reclaimed: c.Reclaimed.Load(), Reclaimable: c.Reclaimable.Load(), Forgotten: c.Forgotten.Load(),
		Requests: c.Requests.Load(), Replies: c.Replies.Load(),
		Broadcasts: c.Broadcasts.Load(), SlowConsumers: c.SlowConsumers.Load(), Dead: make(map[string]int64),
		Cut: s.deps.Refusals().Counts(), Merged: s.deps.Refusals().Merged(),
	}
	if s.live() {
		m.Clients = int64(s.egress.Clients())
		m.Waiting, m.Early = s.egress.WaitingBytes(), s.egress.UnauthenticatedBytes()
		m.Handshakes = int64(s.server.WaitingHandshakes())
	}
	for reason, n := range c.DeadLetters() {
		m.Dead[reason.String()] = n
	}
	if s.logLost != nil {
		m.LogLost = s.logLost()
	}
	m.Switch, m.Database, m.Panel = s.switchStats(), s.databaseStats(), s.panelStats()
	for _, h := range s.services.homes {
		m.Panics += int64(h.instance.Counters().Panics.Load())
		m.Errors += int64(h.instance.Counters().Errors.Load())
	}
	return m
}

// crashed keeps the message at which an actor panicked.
func (s *System) crashed(c *runtime.Crash) {
	letter := introspect.DeadLetter{At: s.deps.Clock.Now(), Reason: actors.ActorCrashed.String(), Actor: c.Actor,
		Type: fmt.Sprintf("%T", c.Message), Stack: string(c.Stack)}
	if e := actors.EnvelopeOf(c); e != nil {
		letter.Service, _ = envelope.Text(e.ServiceName)
		letter.Topic, _ = envelope.Text(e.Topic)
		letter.RequestID = string(e.RequestID)
		letter.Payload = e.Payload
	}
	s.insight.letters.Add(letter)
}

// lost keeps what a service was doing when it crashed.
func (s *System) lost(d *service.DeadLetter) {
	s.insight.letters.Add(introspect.DeadLetter{At: d.At, Reason: actors.ActorCrashed.String(), Actor: place(servicesPlace, d.Service),
		Type: d.Task, Service: d.Service, Topic: d.Topic, Payload: d.Payload, Stack: string(d.Stack)})
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
