package system

import (
	"fmt"
	"strconv"
	"time"

	"strowger/actors/runtime"
	"strowger/system/internal/introspect"
)

// dump says how to find out where something hangs, and how to end it.
const dump = "kill -QUIT ends the daemon and writes to the log where it hangs; systemd starts it again (docs/runbook.md)"

// The kinds of parts.
var (
	heartKind   = &kind{"heart", introspect.Lost, "nobody looks after the core", dump}
	routerKind  = &kind{"router", introspect.Lost, "no peer is let in and no name is offered or watched until it does", dump}
	nameKind    = &kind{"name", introspect.Lost, "requests to the service wait until it does", dump}
	topicKind   = &kind{"topic", introspect.Lost, "broadcasts of the service wait until it does", dump}
	holderKind  = &kind{"holders", introspect.Lost, "clients that come back with their token wait until it does", dump}
	sessionKind = &kind{"sessions", introspect.Lost, "clients that come back with their ticket wait until it does", dump}
	egressKind  = &kind{"egress", introspect.Lost, "nothing is written to a part of the connections until it does", dump}
	loopKinds   = map[string]*kind{
		"listener": {"listener", introspect.Lost, "no connection is accepted until it does", dump},
		"poller":   {"poller", introspect.Lost, "nothing is read from a part of the connections until it does", dump},
		"ticker":   {"ticker", introspect.Lost, "idle peers are not found until it does", dump},
	}
	supervisorKind = &kind{"supervisor", introspect.Lost, "what fails is not started again until it does", dump}
	tokenKind      = &kind{"tokens", introspect.Barred, "no token file is read, so no peer is let in by one until it does",
		"look whether the file system with tokens.directory hangs"}
	logKind = &kind{"log", introspect.Amiss, "whoever reads the log does not take it; lines wait, and are lost when they are too many",
		"look at what stderr of the daemon leads to"}

	kinds = []*kind{heartKind, routerKind, nameKind, topicKind, holderKind, sessionKind, egressKind, loopKinds["listener"], loopKinds["poller"],
		loopKinds["ticker"], supervisorKind, tokenKind, logKind}
)

// newHeart returns the heart of a system that has started.
func (s *System) newHeart() *heart {
	h := &heart{clock: s.deps.Clock, log: s.log, crowd: s.busyNames, silences: make(map[string]int64),
		times: func() (interval, limit time.Duration) {
			set := &s.running.Load().Heartbeat
			return set.Interval, set.Limit
		}}
	actor := func(k *kind, name, path string, pulse func() runtime.Pulse) {
		h.fixed = append(h.fixed, &part{kind: k, name: name, actor: path, ask: func(answered func()) { pulse().Beat(answered) }})
	}
	actor(routerKind, routerKind.name, place(routerPlace), s.insight.router.Pulse)
	actor(holderKind, holderKind.name, "", s.deps.HoldersPulse)
	actor(sessionKind, sessionKind.name, "", s.deps.SessionsPulse)
	for i := range s.egress.Shards() {
		actor(egressKind, fmt.Sprintf("egress %d", i), place(egressPlace, strconv.Itoa(i)), func() runtime.Pulse { return s.egress.Pulse(i) })
	}
	actor(supervisorKind, "supervisor", rootPlace, s.insight.root.Pulse)
	actor(supervisorKind, "supervisor of services", place(servicesPlace), s.insight.branch.Pulse)
	for _, l := range s.server.Loops() {
		p := &part{kind: loopKinds[l.Kind], name: l.Name, look: l.Look}
		if l.Kind == listenerPlace {
			p.actor = place(listenerPlace)
		}
		h.fixed = append(h.fixed, p)
	}
	h.fixed = append(h.fixed, &part{kind: tokenKind, name: tokenKind.name, ask: s.askTokens})
	if s.logTurns != nil {
		h.fixed = append(h.fixed, &part{kind: logKind, name: logKind.name, look: s.logTurns})
	}
	return h
}

// busyNames calls found with the actors of names and topics that have something to do. The others cannot hang.
func (s *System) busyNames(found func(k *kind, name func() string, p runtime.Pulse)) {
	for route := range s.deps.Registry.All() {
		if p := route.Service.Pulse(); !p.Idle() {
			found(nameKind, func() string { return "name " + clipped(route.Name) }, p)
		}
		if p := route.Topic.Pulse(); !p.Idle() {
			found(topicKind, func() string { return "topic " + clipped(route.Name) }, p)
		}
	}
}

// askTokens has the pool that reads token files look at their directory. Other files may be looked at meanwhile, so it does not
// answer only if all of the pool hangs, or the directory does.
func (s *System) askTokens(answered func()) {
	s.pool.Go(func() {
		defer answered()
		_ = s.tokens.store.Check() // what is wrong with the directory the janitor finds out
	})
}

// longestName is how much of a name of a service is shown, in bytes.
const longestName = 64

func clipped(name string) string {
	if len(name) > longestName {
		return name[:longestName] + "..."
	}
	return name
}

// Lost is for admin.Source.
func (s source) Lost() []introspect.Problem { return s.silences(introspect.Lost, introspect.Lost) }

// Notes is for admin.Source.
func (s source) Notes() []introspect.Problem {
	if !s.made() {
		return nil
	}
	return append(s.silences(introspect.Amiss, introspect.Amiss), s.clusterNotes()...)
}

// silences returns the parts that do not answer, of these grades.
func (s source) silences(from, to introspect.Grade) []introspect.Problem {
	var problems []introspect.Problem
	for _, one := range s.heart.Load().silence() {
		if one.Grade >= from && one.Grade <= to {
			problems = append(problems, introspect.Problem{Part: one.Part, Reason: reason(&one)})
		}
	}
	return problems
}
