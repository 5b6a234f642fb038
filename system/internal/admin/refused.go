package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"strowger/actors/clock"
)

// cause is why the admin pages refuse somebody. The set is fixed.
type cause struct {
	name, setting string
	level         slog.Level
}

// causes are all there are, in the order of docs/admin.md.
func causes() []cause {
	return []cause{tooMany, tooManyQuestions, tooSlow, tooSlowReader, tooLong, idle}
}

var (
	tooMany          = cause{"connections", "admin.connections", slog.LevelWarn}
	tooManyQuestions = cause{"questions", "admin.questions", slog.LevelWarn}
	tooSlow          = cause{"read_timeout", "admin.read_timeout", slog.LevelWarn}
	tooSlowReader    = cause{"write_timeout", "admin.write_timeout", slog.LevelWarn}
	tooLong          = cause{"header_bytes", "admin.header_bytes", slog.LevelWarn}
	// A connection that is not needed any more is nobody's fault.
	idle = cause{"idle_timeout", "admin.idle_timeout", slog.LevelDebug}
)

// refused counts whom the pages refuse and names each cause in the log once a minute.
type refused struct {
	log   *slog.Logger
	clock clock.Clock

	mu    sync.Mutex // Protects following.
	since map[string]*tally
}

// tally is what is known of one cause.
type tally struct {
	total      int64
	suppressed int64     // since the last line
	at         time.Time // of the last line
}

func newRefused(log *slog.Logger) *refused {
	return &refused{log: log, clock: clock.Wall{}, since: make(map[string]*tally)}
}

// add counts one refusal. Those that have no line are counted on the next one.
func (r *refused) add(c cause, remote string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.since[c.name]
	if t == nil {
		t = &tally{}
		r.since[c.name] = t
	}
	t.total++
	now := r.clock.Now()
	if !t.at.IsZero() && now.Sub(t.at) < time.Minute {
		t.suppressed++
		return
	}
	r.log.Log(context.Background(), c.level, "admin pages refused a request", "cause", c.name, "setting", c.setting, "remote", remote,
		"suppressed", t.suppressed)
	t.at, t.suppressed = now, 0
}

// total returns how many were refused for the cause.
func (r *refused) total(c cause) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := r.since[c.name]; t != nil {
		return t.total
	}
	return 0
}

// timedBody is a body that says which setting ended it.
type timedBody struct {
	io.ReadCloser
	limit time.Duration
	late  func() // called once if the body does not arrive in time
	over  bool
}

// Read implements io.Reader.
func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		if !b.over {
			b.over = true
			b.late()
		}
		err = fmt.Errorf("the body did not arrive within %s (%s): %w", b.limit, tooSlow.setting, err)
	}
	return n, err //nolint:wrapcheck // io.EOF must stay what it is
}
