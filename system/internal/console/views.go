package console

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"strings"

	"strowger/system/internal/introspect"
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

// letter is a dead letter as it is shown.
type letter struct {
	introspect.DeadLetter
	Replayable bool    `json:"replayable"`
	Why        string  `json:"why,omitempty"`
	Stack      string  `json:"stack,omitempty"`
	Payload    *string `json:"payload,omitempty"`
	Truncated  bool    `json:"truncated,omitempty"`
}

func show(d *introspect.DeadLetter) letter {
	l := letter{DeadLetter: *d, Why: Obstacle(d)}
	l.Replayable = l.Why == ""
	return l
}

// Obstacle returns why a dead letter cannot be replayed; empty: it can.
func Obstacle(d *introspect.DeadLetter) string {
	switch {
	case d.Kind != "request":
		return "it is no request"
	case !d.Replayed.IsZero():
		return "it was replayed"
	case d.Origin == nil:
		return "it is not known who asked"
	case !d.Whole():
		return "the payload was not kept (admin.payloads)"
	}
	return ""
}

func (c *Console) letters(q *query) (any, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	_, revision, _ := c.source.Revisions()
	kept, total, counts := c.source.Letters()
	search := strings.ToLower(q.Search)
	rows, matched := []letter{}, 0
	for i := range kept {
		d := &kept[i]
		if q.Reason != "" && q.Reason != d.Reason || q.Service != "" && q.Service != d.Service || !has(search, d.Service, d.Topic, d.Reason, d.Actor) {
			continue
		}
		if matched >= q.Offset && len(rows) < q.Limit {
			rows = append(rows, show(d))
		}
		matched++
	}
	return struct {
		Total    uint64           `json:"total"`
		Kept     int              `json:"kept"`
		Matched  int              `json:"matched"`
		Offset   int              `json:"offset"`
		Revision uint64           `json:"revision"`
		Counts   map[string]int64 `json:"counts"`
		Rows     []letter         `json:"rows"`
	}{total, len(kept), matched, q.Offset, revision, counts, rows}, nil
}

func (c *Console) letter(number uint64) (any, error) {
	kept, _, _ := c.source.Letters()
	for i := range kept {
		if d := &kept[i]; d.Number == number {
			l := show(d)
			l.Stack = d.Stack
			if len(d.Payload) > 0 {
				payload := string(d.Payload)
				l.Payload, l.Truncated = &payload, !d.Whole()
			}
			return l, nil
		}
	}
	return nil, ErrGone
}

// logQuery is what lines of the log are asked for.
type logQuery struct {
	After  uint64 `json:"after"`
	Level  string `json:"level"`
	Search string `json:"search"`
	Limit  int    `json:"limit"`
}

// lines returns the latest lines that fit.
func (c *Console) lines(q *logQuery) (any, error) {
	table := query{Search: q.Search, Limit: q.Limit}
	if err := table.check(); err != nil {
		return nil, err
	}
	level := slog.Level(-1 << 20)
	if q.Level != "" {
		if err := level.UnmarshalText([]byte(q.Level)); err != nil {
			return nil, service.Errorf(400, "level %q is unknown: debug, info, warn or error", clip(q.Level))
		}
	}
	_, _, last := c.source.Revisions()
	all := c.source.Log(0)
	first := last + 1
	if len(all) > 0 {
		first, last = all[0].Number, all[len(all)-1].Number
	}
	if q.After > last {
		q.After = 0 // the number is of a daemon before this one
	}
	search := strings.ToLower(q.Search)
	rows := []*introspect.LogRecord{}
	for i := len(all) - 1; i >= 0 && len(rows) < table.Limit && all[i].Number > q.After; i-- {
		if all[i].AtLeast(level) && has(search, all[i].Message, string(all[i].Attributes)) {
			rows = append(rows, all[i])
		}
	}
	for i, j := 0, len(rows)-1; i < j; i, j = i+1, j-1 {
		rows[i], rows[j] = rows[j], rows[i]
	}
	return struct {
		Last    uint64                  `json:"last"`
		First   uint64                  `json:"first"`
		Dropped bool                    `json:"dropped"`
		Rows    []*introspect.LogRecord `json:"rows"`
	}{last, first, q.After > 0 && first > q.After+1, rows}, nil
}
