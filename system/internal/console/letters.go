package console

import (
	"strings"

	"strowger/system/internal/introspect"
)

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
