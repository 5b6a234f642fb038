// Package link keeps the daemon's connections to the switch: one for the events of all services, and one for their
// commands.
package link

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"strowger/system/fusionpbx/eventsocket"
	"strowger/system/internal/introspect"
)

// Link is the two connections. The switch encodes each event once for all services, because they share one
// connection; commands have another, because the switch delays events while it runs one.
type Link struct {
	// Events is for subscriptions, Commands for commands, also those in the background.
	Events, Commands *eventsocket.Client
	// Hurried is for services to count the messages that did not wait to the end for an answer of the switch.
	Hurried atomic.Int64

	log    *slog.Logger
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

// New returns a link that is not connected. Dial, Clock, Log and the limits of o hold for both connections. It returns
// an error if the password cannot be sent.
func New(o eventsocket.Options) (*Link, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	log := o.Log
	o.Log = log.With("connection", "events")
	events, err := eventsocket.New(o)
	if err != nil {
		return nil, err
	}
	o.Log, o.Jobs = log.With("connection", "commands"), true
	commands, err := eventsocket.New(o)
	if err != nil {
		return nil, err
	}
	return &Link{Events: events, Commands: commands, log: log}, nil
}

// Start connects, and connects again whenever a connection ends, until Stop. It does not wait.
func (l *Link) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	for _, client := range []*eventsocket.Client{l.Events, l.Commands} {
		l.ended.Go(func() { l.keep(ctx, client.Run) })
	}
}

// Stop ends the connections and waits for what runs them. Stop before Start does nothing.
func (l *Link) Stop() {
	if l.cancel == nil {
		return
	}
	l.cancel()
	l.ended.Wait()
}

// pause is how long a client that panicked stays away.
const pause = time.Second

// keep runs a client. One that panics is a fault of ours, and must not end the daemon.
func (l *Link) keep(ctx context.Context, run func(context.Context) error) {
	for ctx.Err() == nil {
		if err := l.once(ctx, run); err != nil && ctx.Err() == nil {
			l.log.Error("connection to the switch failed", "err", err)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
		}
	}
}

func (l *Link) once(ctx context.Context, run func(context.Context) error) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("panic: %v: %s", reason, debug.Stack())
		}
	}()
	return run(ctx)
}

// Stats returns what happened on both connections.
func (l *Link) Stats() introspect.Switch {
	events, commands := l.Events.Stats(), l.Commands.Stats()
	both := func(f func(*eventsocket.Stats) uint64) int64 { return int64(f(&events) + f(&commands)) }
	last := 0.0
	if !events.LastEvent.IsZero() {
		last = float64(events.LastEvent.UnixMilli()) / 1000
	}
	return introspect.Switch{
		LastEvent: last,
		Connected: events.Connected && commands.Connected,
		Connects:  both(func(s *eventsocket.Stats) uint64 { return s.Connects }),
		Failures:  both(func(s *eventsocket.Stats) uint64 { return s.Failures }),
		Events:    both(func(s *eventsocket.Stats) uint64 { return s.Events }),
		Lost:      both(func(s *eventsocket.Stats) uint64 { return s.Lost }),
		Skipped:   both(func(s *eventsocket.Stats) uint64 { return s.TooLarge + s.Malformed }),
		Replies:   both(func(s *eventsocket.Stats) uint64 { return s.Replies }),
		Late:      both(func(s *eventsocket.Stats) uint64 { return s.Late }),
		Hurried:   l.Hurried.Load(),
	}
}
