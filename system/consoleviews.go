package system

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"strowger/actors"
	"strowger/actors/meter"
	"strowger/system/internal/console"
	"strowger/system/internal/introspect"
	"strowger/system/internal/supervisor"
	"strowger/transport"
)

// mostNames bounds how many topics and services are looked at for one view.
const mostNames = 10_000

// Connections is for console.Source.
func (s shown) Connections(ctx context.Context) ([]console.Connection, error) {
	if !s.live() {
		return nil, nil
	}
	open, err := s.egress.Connections(ctx)
	if err != nil {
		return nil, fmt.Errorf("look at the connections: %w", err)
	}
	now := time.Now()
	rows := make([]console.Connection, len(open))
	for i := range open {
		fill(&rows[i], &open[i], now)
	}
	return rows, nil
}

func fill(row *console.Connection, c *transport.Connection, now time.Time) {
	*row = console.Connection{Number: c.Number, Role: actors.Unauthenticated.String(), Remote: c.Remote.String(), Since: c.Since.UTC(),
		AgeMS: max(0, now.Sub(c.Since).Milliseconds()), IdleMS: c.Idle.Milliseconds(), Queued: c.Queued, QueuedBytes: c.QueuedBytes,
		InBytes: c.In, OutBytes: c.Out, HTTP: c.HTTP}
	p := c.Peer
	if p == nil {
		return
	}
	row.ID, row.Role, row.User, row.UserUUID, row.Domain = p.ID, p.Role.String(), p.UserName, p.UserUUID, p.Domain()
	row.Name, row.Class, row.Subscriptions, row.Watches = p.Name, p.Class, len(p.Subscriptions), p.Subscriptions
	row.Extensions, row.Permissions = p.Extensions, p.Permissions()
	if at := p.Expiry(); !at.IsZero() {
		row.Expires = &at
	}
}

// each asks something of every name, and returns the answers by name. Names that have ended are left out. It asks all
// of them before it waits.
func each[T any](ctx context.Context, r *actors.Registry, ask func(route *actors.Route, done func(*T))) (map[*actors.Route]*T, error) {
	type said struct {
		route *actors.Route
		state *T
	}
	var routes []*actors.Route
	for route := range r.All() {
		if routes = append(routes, route); len(routes) == mostNames {
			break
		}
	}
	answers := make(chan said, len(routes))
	for _, route := range routes {
		ask(route, func(state *T) { answers <- said{route, state} })
	}
	all := make(map[*actors.Route]*T, len(routes))
	for range routes {
		select {
		case a := <-answers:
			if a.state != nil {
				all[a.route] = a.state
			}
		case <-ctx.Done():
			return nil, fmt.Errorf("ask topics and services: %w", context.Cause(ctx))
		}
	}
	return all, nil
}

// Topics is for console.Source.
func (s shown) Topics(ctx context.Context) ([]console.Topic, error) {
	all, err := each(ctx, s.deps.Registry, (*actors.Route).DescribeTopic)
	if err != nil {
		return nil, err
	}
	rows := make([]console.Topic, 0, len(all))
	for route, state := range all {
		rows = append(rows, console.Topic{Name: route.Name, Members: state.Members, Classes: state.Classes, Instances: state.Speakers,
			Broadcasts: state.Broadcasts, Mailbox: route.Topic.Waiting()})
	}
	return rows, nil
}

// Services is for console.Source. A name that is only watched is none.
func (s shown) Services(ctx context.Context) ([]console.Service, error) {
	all, err := each(ctx, s.deps.Registry, (*actors.Route).DescribeService)
	if err != nil {
		return nil, err
	}
	children, err := s.children(ctx)
	if err != nil {
		return nil, err
	}
	measured := make(map[string]*meter.Service)
	for _, m := range s.deps.Counters.Services.All() {
		measured[m.Name()] = m
	}
	var rows []console.Service
	for route, state := range all {
		h := s.services.get(route.Name)
		if h == nil && len(state.Instances) == 0 {
			continue
		}
		row := console.Service{Name: route.Name, Inside: h != nil, State: "up", Open: state.Open, Requests: state.Requests, Failures: state.Failures,
			Instances: []console.Instance{}, Actions: []string{}, Latency: latency(measured[route.Name])}
		for _, i := range state.Instances {
			one := console.Instance{ID: i.Peer.ID, Inside: i.Peer.Inside(), Class: i.Peer.Class, Open: i.Open, Leaving: i.Leaving, Passive: i.Passive}
			if i.Peer.Remote != nil {
				one.Remote = i.Peer.Remote.String()
			}
			row.Instances = append(row.Instances, one)
		}
		if h != nil {
			s.inside(&row, h, children[route.Name])
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// latency returns how long answers of a service have taken since the start, nil if there were none or they are not
// measured apart (admin.services).
func latency(m *meter.Service) *console.Latency {
	if m == nil {
		return nil
	}
	sum, count := 0.0, uint64(0)
	for _, o := range []meter.Outcome{meter.Answered, meter.ClientError, meter.ServerError, meter.Timeout} {
		if r := m.Read(o); r != nil {
			sum, count = sum+r.Sum, count+r.Count()
		}
	}
	if count == 0 {
		return nil
	}
	return &console.Latency{Mean: 1000 * sum / float64(count)}
}

// inside adds what is known of a service in the router.
func (s shown) inside(row *console.Service, h *home, child *supervisor.Child) {
	state := h.instance.State()
	row.State, row.Since, row.Restarts, row.Reason = string(state.Condition), &state.Since, state.Restarts, state.Reason
	row.RetryAfterMS, row.Open, row.Queued, row.Abandoned = state.RetryAfter.Milliseconds(), state.Open, state.Queued, state.Abandoned
	if child != nil {
		row.Breaker = child.Breaker.String()
		row.Actions = append(row.Actions, h.single.possible(child.Possible).Words()...)
	}
}

// children returns the services in the router as their supervisor sees them, by name.
func (s shown) children(ctx context.Context) (map[string]*supervisor.Child, error) {
	answer, err := s.askServices(ctx, &supervisor.Inspect{})
	if err != nil {
		return nil, err
	}
	snapshot, ok := answer.(*supervisor.Snapshot)
	if !ok {
		return nil, fmt.Errorf("ask the supervisor of the services: it answered with a %T", answer)
	}
	all := make(map[string]*supervisor.Child, len(snapshot.Children))
	for i := range snapshot.Children {
		all[snapshot.Children[i].Name] = &snapshot.Children[i]
	}
	return all, nil
}

// Tree is for console.Source: the supervised actors, and below the root topics, remote services and pools.
func (s shown) Tree(ctx context.Context) (console.Node, error) {
	children, err := s.children(ctx)
	if err != nil {
		children = nil // the tree itself is known nevertheless
	}
	snapshot := s.insight.tree.Snapshot()
	for name, child := range children {
		if h := s.services.get(name); h != nil {
			child.Possible = h.single.possible(child.Possible)
		}
	}
	root := convert(&snapshot, place(), children)
	topics, err := s.Topics(ctx)
	if err != nil {
		return root, err
	}
	services, err := s.Services(ctx)
	if err != nil && ctx.Err() != nil {
		return root, err
	}
	root.Children = append(root.Children, topicBranch(topics), remoteBranch(services), s.poolBranch())
	return root, nil
}

// convert adds to a node and those below it what the tree does not know.
func convert(n *introspect.Node, path string, children map[string]*supervisor.Child) console.Node {
	out := console.Node{Node: *n}
	out.Node.Children, out.Node.Last = nil, nil
	if n.Last != nil {
		out.Last = &console.Failure{At: n.Last.At, Reason: n.Last.Reason, Stack: n.Last.Stack}
	}
	if n.Kind == "service" {
		if c := children[n.Name]; c != nil && path == place(servicesPlace) {
			out.Actions = c.Possible.Words()
		}
	}
	if path == place() {
		path = rootPlace
	} else {
		path += "/" + n.Name
	}
	for i := range n.Children {
		out.Children = append(out.Children, convert(&n.Children[i], path, children))
	}
	return out
}

// mostBranch is how many children a branch shows that is not of supervised actors.
const mostBranch = 200

// branch returns a node whose children are the first of those given, by name.
func branch(name string, children []console.Node) console.Node {
	slices.SortFunc(children, func(a, b console.Node) int { return cmp.Compare(a.Name, b.Name) })
	b := console.Node{Node: introspect.Node{Name: name, Kind: name, State: introspect.Running, Breaker: introspect.Closed}}
	b.Omitted = max(0, len(children)-mostBranch)
	b.Children = children[:len(children)-b.Omitted]
	return b
}

func leaf(name, kind, detail string) console.Node {
	return console.Node{Node: introspect.Node{Name: name, Kind: kind, State: introspect.Running, Breaker: introspect.Closed}, Detail: detail}
}

func topicBranch(topics []console.Topic) console.Node {
	children := make([]console.Node, 0, len(topics))
	for _, t := range topics {
		n := leaf(t.Name, "topic", fmt.Sprintf("%d members, %d classes", t.Members, t.Classes))
		n.Mailbox = &t.Mailbox
		children = append(children, n)
	}
	return branch("topics", children)
}

func remoteBranch(services []console.Service) console.Node {
	var children []console.Node
	for _, svc := range services {
		for _, i := range svc.Instances {
			if i.Inside {
				continue
			}
			detail := fmt.Sprintf("%s, %d requests open", i.Remote, i.Open)
			switch {
			case i.Leaving:
				detail += ", leaving"
			case i.Passive:
				detail += ", passive"
			}
			children = append(children, leaf(svc.Name, "remote", detail))
		}
	}
	return branch("remotes", children)
}

func (s shown) poolBranch() console.Node {
	files, checks := s.pool.stats(), s.bearing.stats()
	children := []console.Node{leaf("token files", "pool", fmt.Sprintf("%d of %d busy, %d wait", files.Running, files.Size, files.Waiting)),
		leaf("JWTs and API keys", "pool", fmt.Sprintf("%d of %d busy, %d wait", checks.Running, checks.Size, checks.Waiting))}
	if d := s.databaseStats(); d != nil {
		state := "down"
		if d.Up {
			state = "up"
		}
		children = append(children, leaf("database", "pool", fmt.Sprintf("%s, %d connections open", state, d.Connections)))
	}
	if w := s.switchStats(); w != nil {
		state := "not connected"
		if w.Connected {
			state = "connected"
		}
		children = append(children, leaf("switch", "pool", fmt.Sprintf("%s, %d events, %d lost", state, w.Events, w.Lost)))
	}
	return branch("pools", children)
}
