package console

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"

	"strowger/system/service"
)

func (c *Console) handleViews(s service.Setup) {
	s.Handle("tree", func(r service.Request) error {
		return aside(r, func(ctx context.Context) (any, error) {
			revision, _, _ := c.source.Revisions()
			root, err := c.source.Tree(ctx)
			return struct {
				Revision uint64 `json:"revision"`
				Root     Node   `json:"root"`
			}{revision, root}, err
		})
	})
	s.Handle("cluster", func(r service.Request) error {
		r.Reply(c.source.Cluster())
		return nil
	})
	service.Handle(s, "connections", func(r service.Request, q query) error {
		return aside(r, func(ctx context.Context) (any, error) { return c.connections(ctx, &q) })
	})
	service.Handle(s, "connection", func(r service.Request, which which) error {
		return aside(r, func(ctx context.Context) (any, error) { return c.connection(ctx, which) })
	})
	service.Handle(s, "slow", func(r service.Request, q query) error {
		return aside(r, func(ctx context.Context) (any, error) { return c.slow(ctx, &q) })
	})
	service.Handle(s, "topics", func(r service.Request, q query) error {
		return aside(r, func(ctx context.Context) (any, error) { return c.topics(ctx, &q) })
	})
	service.Handle(s, "services", func(r service.Request, q query) error {
		return aside(r, func(ctx context.Context) (any, error) { return c.services(ctx, &q) })
	})
	service.Handle(s, "samples", func(r service.Request, in struct {
		Since int64 `json:"since_ms"`
	}) error {
		r.Reply(c.samples.since(in.Since))
		return nil
	})
	service.Handle(s, "deadletters", func(r service.Request, q query) error {
		a, err := c.letters(&q)
		if err != nil {
			return err
		}
		r.Reply(a)
		return nil
	})
	service.Handle(s, "deadletter", func(r service.Request, in struct {
		Number uint64 `json:"number"`
	}) error {
		a, err := c.letter(in.Number)
		if err != nil {
			return failure(err)
		}
		r.Reply(a)
		return nil
	})
	service.Handle(s, "log", func(r service.Request, q logQuery) error {
		a, err := c.lines(&q)
		if err != nil {
			return err
		}
		r.Reply(a)
		return nil
	})
	service.Handle(s, "audit", func(r service.Request, q query) error {
		if err := q.check(); err != nil {
			return err
		}
		rows, revision := c.audit.latest(q.Limit)
		r.Reply(map[string]any{"revision": revision, "rows": rows})
		return nil
	})
	service.Handle(s, "explain", func(r service.Request, in struct {
		Subscriber string          `json:"subscriber"`
		Service    string          `json:"service"`
		Event      json.RawMessage `json:"event"`
	}) error {
		return aside(r, func(context.Context) (any, error) {
			e, err := c.source.Explain(in.Subscriber, in.Service, in.Event)
			return map[string]any{"explanations": e}, err
		})
	})
}

func connectionOrders() orders[Connection] {
	return orders[Connection]{
		"since": by(func(c *Connection) int64 { return c.Since.UnixNano() }), "queued_bytes": by(func(c *Connection) int64 { return c.QueuedBytes }),
		"queued": by(func(c *Connection) int { return c.Queued }), "in_bytes": by(func(c *Connection) int64 { return c.InBytes }),
		"out_bytes": by(func(c *Connection) int64 { return c.OutBytes }), "idle": by(func(c *Connection) int64 { return c.IdleMS }),
		"user": by(func(c *Connection) string { return c.User }), "domain": by(func(c *Connection) string { return c.Domain }),
		"remote": by(func(c *Connection) string { return c.Remote }), "subscriptions": by(func(c *Connection) int { return c.Subscriptions }),
		"name": by(func(c *Connection) string { return c.Name }),
	}
}

func byNumber(a, b *Connection) int { return cmp.Compare(a.Number, b.Number) }

func (c *Console) connections(ctx context.Context, q *query) (*answer[Connection], error) {
	rows, err := c.source.Connections(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // the source's own
	}
	search := strings.ToLower(q.Search)
	match := func(row *Connection) bool {
		return (q.Role == "" || q.Role == row.Role) && (q.Service == "" || row.serves(q.Service)) &&
			has(search, row.ID, row.User, row.Domain, row.Remote, row.Name, row.Class)
	}
	return pageOf(q, c.clock.Now(), rows, match, connectionOrders(), "since", byNumber)
}

// serves reports whether a connection watches or offers a service.
func (row *Connection) serves(name string) bool {
	if row.Name == name {
		return true
	}
	for _, watched := range row.Watches {
		if watched == name {
			return true
		}
	}
	return false
}

// which names a connection by its number or by the id of its subscriber.
type which struct {
	Number uint64 `json:"number"`
	ID     string `json:"id"`
}

func (c *Console) find(ctx context.Context, w which) (*Connection, error) {
	rows, err := c.source.Connections(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // the source's own
	}
	for i := range rows {
		if w.Number != 0 && rows[i].Number == w.Number || w.Number == 0 && w.ID != "" && rows[i].ID == w.ID {
			return &rows[i], nil
		}
	}
	return nil, ErrGone
}

func (c *Console) connection(ctx context.Context, w which) (any, error) {
	row, err := c.find(ctx, w)
	if err != nil {
		return nil, err
	}
	return struct {
		Connection
		Services    []string `json:"services"`
		Permissions int      `json:"permissions"`
		Extensions  []string `json:"extensions"`
	}{*row, list(row.Watches), row.Permissions, list(row.Extensions)}, nil
}

// list makes an empty list of nil.
func list(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}

func (c *Console) slow(ctx context.Context, q *query) (any, error) {
	rows, err := c.source.Connections(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // the source's own
	}
	waiting := int64(0)
	for i := range rows {
		waiting += rows[i].QueuedBytes
	}
	q.Sort, q.Descending = "queued_bytes", true
	a, err := pageOf(q, c.clock.Now(), rows, func(row *Connection) bool { return row.QueuedBytes > 0 }, connectionOrders(), "", byNumber)
	if err != nil {
		return nil, err
	}
	return struct {
		At      int64        `json:"at_ms"`
		Total   int          `json:"total"`
		Waiting int64        `json:"waiting_bytes"`
		Rows    []Connection `json:"rows"`
	}{a.At, a.Total, waiting, a.Rows}, nil
}

func (c *Console) topics(ctx context.Context, q *query) (*answer[Topic], error) {
	rows, err := c.source.Topics(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // the source's own
	}
	now := c.clock.Now()
	for i := range rows {
		rows[i].Rate = c.rates.rate("topic "+rows[i].Name, rows[i].Broadcasts, now)
	}
	search := strings.ToLower(q.Search)
	return pageOf(q, now, rows, func(row *Topic) bool { return has(search, row.Name) }, orders[Topic]{
		"name": by(func(t *Topic) string { return t.Name }), "members": by(func(t *Topic) int { return t.Members }),
		"classes": by(func(t *Topic) int { return t.Classes }), "broadcasts": by(func(t *Topic) int64 { return t.Broadcasts }),
		"rate": by(func(t *Topic) float64 { return t.Rate }),
	}, "name", func(a, b *Topic) int { return cmp.Compare(a.Name, b.Name) })
}

func (c *Console) services(ctx context.Context, q *query) (*answer[Service], error) {
	rows, err := c.source.Services(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // the source's own
	}
	now := c.clock.Now()
	for i := range rows {
		rows[i].Rate = c.rates.rate("requests "+rows[i].Name, rows[i].Requests, now)
		rows[i].FailureRate = c.rates.rate("failures "+rows[i].Name, rows[i].Failures, now)
	}
	search := strings.ToLower(q.Search)
	return pageOf(q, now, rows, func(row *Service) bool { return has(search, row.Name, row.State) }, orders[Service]{
		"name": by(func(s *Service) string { return s.Name }), "requests": by(func(s *Service) int64 { return s.Requests }),
		"rate": by(func(s *Service) float64 { return s.Rate }), "failures": by(func(s *Service) int64 { return s.Failures }),
		"state": by(func(s *Service) string { return s.State }), "latency": by((*Service).latency),
	}, "name", func(a, b *Service) int { return cmp.Compare(a.Name, b.Name) })
}

func (s *Service) latency() float64 {
	if s.Latency == nil {
		return 0
	}
	return s.Latency.Mean
}
