package console

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"strowger/system/service"
)

// The sizes of a page of a table.
const (
	defaultPage = 50
	mostPage    = 200
	longestText = 200 // of a search, in bytes
)

// query is what a page of a table is asked for.
type query struct {
	Search     string `json:"search"`
	Role       string `json:"role"`
	Service    string `json:"service"`
	Reason     string `json:"reason"`
	Sort       string `json:"sort"`
	Descending bool   `json:"descending"`
	Offset     int    `json:"offset"`
	Limit      int    `json:"limit"`
}

// answer is a page of a table.
type answer[T any] struct {
	At      int64 `json:"at_ms"`
	Total   int   `json:"total"`
	Matched int   `json:"matched"`
	Offset  int   `json:"offset"`
	Rows    []T   `json:"rows"`
}

// check returns what is wrong with a query, and fills in what it leaves out.
func (q *query) check() error {
	switch {
	case q.Offset < 0:
		return service.Errorf(400, "offset %d is negative", q.Offset)
	case q.Limit < 0 || q.Limit > mostPage:
		return service.Errorf(400, "limit %d is not between 1 and %d", q.Limit, mostPage)
	case len(q.Search) > longestText:
		return service.Errorf(400, "search has more than %d bytes", longestText)
	}
	if q.Limit == 0 {
		q.Limit = defaultPage
	}
	return nil
}

// orders are the ways to sort rows, by name.
type orders[T any] map[string]func(a, b *T) int

func by[T any, K cmp.Ordered](key func(*T) K) func(a, b *T) int {
	return func(a, b *T) int { return cmp.Compare(key(a), key(b)) }
}

// pageOf returns the rows that the query asks for. The order usual counts when the
// query names none; last decides between equals.
func pageOf[T any](q *query, now time.Time, rows []T, match func(*T) bool, by orders[T], usual string, last func(a, b *T) int) (*answer[T], error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	if q.Sort == "" {
		q.Sort = usual
	}
	order := by[q.Sort]
	if order == nil {
		return nil, service.Errorf(400, "%s", fmt.Sprintf("sort %q is unknown", clip(q.Sort)))
	}
	a := &answer[T]{At: now.UnixMilli(), Total: len(rows), Offset: q.Offset, Rows: []T{}}
	// The rows are large, so their places are sorted.
	matched := make([]*T, 0, len(rows))
	for i := range rows {
		if match(&rows[i]) {
			matched = append(matched, &rows[i])
		}
	}
	a.Matched = len(matched)
	slices.SortFunc(matched, func(x, y *T) int {
		n := order(x, y)
		if q.Descending {
			n = -n
		}
		if n == 0 {
			n = last(x, y)
		}
		return n
	})
	if q.Offset < len(matched) {
		for _, row := range matched[q.Offset:min(len(matched), q.Offset+q.Limit)] {
			a.Rows = append(a.Rows, *row)
		}
	}
	return a, nil
}

func clip(text string) string { return text[:min(len(text), longestText)] }

// has reports whether one of the texts contains the search, which is in lower case.
func has(search string, texts ...string) bool {
	if search == "" {
		return true
	}
	for _, text := range texts {
		if strings.Contains(strings.ToLower(text), search) {
			return true
		}
	}
	return false
}
