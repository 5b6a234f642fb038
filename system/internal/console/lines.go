package console

import (
	"log/slog"
	"slices"
	"strings"

	"strowger/system/internal/introspect"
	"strowger/system/service"
)

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
	slices.Reverse(rows)
	return struct {
		Last    uint64                  `json:"last"`
		First   uint64                  `json:"first"`
		Dropped bool                    `json:"dropped"`
		Rows    []*introspect.LogRecord `json:"rows"`
	}{last, first, q.After > 0 && first > q.After+1, rows}, nil
}
