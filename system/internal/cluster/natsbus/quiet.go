package natsbus

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

const (
	// again is how long a line is not repeated.
	again = time.Minute
	// kinds is how many different lines are told apart. A line beyond that is written.
	kinds = 64
)

// quiet writes the same line once a minute at most: what fails is tried again each second.
type quiet struct {
	to  *slog.Logger
	now func() time.Time

	mu   sync.Mutex // Protects last.
	last map[string]time.Time
}

func newQuiet(to *slog.Logger) *quiet {
	return &quiet{to: to, now: time.Now, last: map[string]time.Time{}}
}

// log writes a line unless it has written it within the last minute. Lines that differ in digits only, as ports and
// numbers of attempts do, are the same.
func (q *quiet) log(level slog.Level, message string, args ...any) {
	if !q.to.Enabled(context.Background(), level) || q.repeated(message+" "+fmt.Sprint(args...)) {
		return
	}
	q.to.Log(context.Background(), level, message, args...)
}

func (q *quiet) repeated(text string) bool {
	kind := strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return -1
		}
		return r
	}, text)
	now := q.now()
	q.mu.Lock()
	defer q.mu.Unlock()
	if at, known := q.last[kind]; known && now.Sub(at) < again {
		return true
	}
	if len(q.last) >= kinds {
		clear(q.last)
	}
	q.last[kind] = now
	return false
}
