package database

import (
	"log/slog"
	"sync"
	"time"

	"strowger/actors/clock"
)

// How long nobody asks a database that did not answer: the first time, and at most. In between it is twice as
// long each time.
const (
	firstPause   = 500 * time.Millisecond
	longestPause = 5 * time.Second
)

// health remembers whether the database answers. While it does not, one query at a time may try, each after
// a pause, and the others are told at once: otherwise all of them would wait for a database that is down.
type health struct {
	clock  clock.Clock
	log    *slog.Logger
	server string

	mu     sync.Mutex        // Protects following.
	down   *UnavailableError // nil: it answers
	known  bool              // somebody has asked it
	pause  time.Duration
	until  time.Time // when it may be asked again
	trying bool      // somebody asks it now
}

func newHealth(o *Options) *health {
	return &health{clock: o.Clock, log: o.Log, server: shown(&o.Server)}
}

// admit returns why the database is not asked now, nil if it is. Whoever got nil then calls one of
// succeeded, failed and unknown.
func (h *health) admit() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.down == nil {
		return nil
	}
	if h.trying || h.clock.Now().Before(h.until) {
		return h.down
	}
	h.trying = true
	return nil
}

// succeeded notes that the database answered.
func (h *health) succeeded() {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.down != nil:
		h.log.Info("database is available again", "server", h.server)
	case !h.known:
		h.log.Info("database is available", "server", h.server)
	}
	h.down, h.known, h.trying, h.pause = nil, true, false, 0
}

// failed notes that the database did not answer, and returns err.
func (h *health) failed(err *UnavailableError) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.down == nil || h.down.Reason != err.Reason {
		h.log.Warn("database is not available", "server", h.server, "reason", err.Reason, "err", err.Err)
	}
	h.pause = min(max(2*h.pause, firstPause), longestPause)
	h.down, h.known, h.trying, h.until = err, true, false, h.clock.Now().Add(h.pause)
	return err
}

// unknown notes that somebody stopped asking.
func (h *health) unknown() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.trying = false
}

// up reports whether the database answered when it was last asked.
func (h *health) up() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.known && h.down == nil
}
