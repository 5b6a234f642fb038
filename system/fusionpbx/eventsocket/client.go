package eventsocket

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Client is a connection to the switch that is made again whenever it ends. Any goroutine may call its
// methods.
type Client struct {
	opts     Options
	counters counters
	running  sync.Mutex // held by Run
	reason   string     // of the last failure; Run's own

	interest atomic.Pointer[interest] // what the subscriptions need; mu protects changes

	mu            sync.RWMutex // Protects following.
	session       *session     // logged in, or nil
	subscriptions []*Subscription
}

// New returns a client that does nothing until Run is called. It returns an error if the password cannot be
// sent.
func New(opts Options) (*Client, error) {
	if err := opts.configureDefaults(); err != nil {
		return nil, err
	}
	c := &Client{opts: opts}
	c.interest.Store(&interest{})
	return c, nil
}

// Run keeps the connection until ctx ends, and then returns ctx's error. A second call waits for the first
// to return. Nothing of the client runs after Run has returned.
func (c *Client) Run(ctx context.Context) error {
	c.running.Lock()
	defer c.running.Unlock()
	failures := 0
	for {
		wasSetUp, err := c.connect(ctx)
		if ctx.Err() != nil {
			c.counters.connected.Store(false)
			return ctx.Err()
		}
		failures++
		if wasSetUp {
			failures = 1
		}
		c.failed(err)
		if !c.pause(ctx, c.backoff(failures, err)) {
			return ctx.Err()
		}
	}
}

// Do sends the command and returns the switch's answer to it. An answer that begins with -ERR is no error here:
// see Reply.Failed. Do waits until ctx ends, or for Options.CommandTimeout if ctx has no deadline. A command whose
// caller has gone still runs, and its reply never reaches another caller. The errors are those of Command.Err and
// of ctx, ErrNotConnected, ErrDisconnected, ErrBusy and ErrTooLarge.
func (c *Client) Do(ctx context.Context, command Command) (Reply, error) {
	return c.do(ctx, command, &pending{answer: make(chan outcome, 1)})
}

// Background sends a command of BGAPI and returns its result, as Do returns that of an api command. Reply.Body has
// the result. If the switch refuses the command, Background returns the refusal. If MaxPending results are awaited
// already, the command runs and Background returns ErrBusy. It needs Options.Jobs and returns
// ErrNoJobs without.
func (c *Client) Background(ctx context.Context, command Command) (Reply, error) {
	if !c.opts.Jobs {
		return Reply{}, ErrNoJobs
	}
	if command.err == nil && command.verb != "bgapi" {
		return Reply{}, fmt.Errorf("%w: not a background command", ErrArgument)
	}
	return c.do(ctx, command, &pending{answer: make(chan outcome, 1), job: true})
}

// Subscribe adds a queue for the events that match one of the filters. It needs at least one filter: without, the
// switch would send everything. The first delivery is a Gap, when the switch has accepted the filters. The
// name stands in logs.
func (c *Client) Subscribe(name string, filters ...Filter) (*Subscription, error) {
	return c.SubscribeTo(name, nil, filters...)
}

// SubscribeTo is Subscribe for an owner that needs some headers of an event only, those for which keep returns true. An
// event has the headers that one of the subscriptions needs; the others are not decoded. The client calls keep once for each
// name of a header as a rule, from any goroutine. A nil keep needs all.
func (c *Client) SubscribeTo(name string, keep func(header string) bool, filters ...Filter) (*Subscription, error) {
	if len(filters) == 0 {
		return nil, fmt.Errorf("%w: a subscription needs a filter", ErrArgument)
	}
	for _, filter := range filters {
		if !filter.valid() {
			return nil, fmt.Errorf("%w: filter", ErrArgument)
		}
	}
	s := &Subscription{name: name, keep: keep, filters: slices.Clone(filters), client: c, maxLen: c.opts.QueueEvents, maxSize: c.opts.QueueBytes, wake: make(chan struct{}, 1)}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.subscriptions = append(c.subscriptions, s)
	c.noteInterest()
	if c.session != nil && !c.session.install(s) {
		c.markReady(c.session)
	}
	return s, nil
}

// Stats returns the counters.
func (c *Client) Stats() Stats { return c.counters.stats() }

func (c *Client) do(ctx context.Context, command Command, p *pending) (Reply, error) {
	if err := command.Err(); err != nil {
		return Reply{}, err
	}
	if err := ctx.Err(); err != nil {
		return Reply{}, err
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.opts.CommandTimeout)
		defer cancel()
	}
	c.mu.RLock()
	s := c.session
	c.mu.RUnlock()
	if s == nil {
		return Reply{}, ErrNotConnected
	}
	if err := s.send(command, p); err != nil {
		return Reply{}, err
	}
	return p.wait(ctx)
}

// connect makes one connection and returns when it has ended. It reports whether the connection was set up.
func (c *Client) connect(ctx context.Context) (bool, error) {
	dialCtx, cancel := context.WithTimeout(ctx, c.opts.DialTimeout)
	defer cancel()
	conn, err := c.opts.Dial(dialCtx, c.opts.Address)
	if err != nil {
		return false, fmt.Errorf("dial: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	s := newSession(c, conn)
	if err := s.login(); err != nil {
		return false, err
	}
	writing, stopWriting := context.WithCancel(ctx)
	var writer sync.WaitGroup
	writer.Go(func() { s.writeLoop(writing) })
	c.begin(s)
	err = s.read()
	c.end(s)
	stopWriting()
	writer.Wait()
	return s.works, err
}

// begin opens the session for commands and asks for what the subscriptions want.
func (c *Client) begin(s *session) {
	c.mu.Lock()
	c.session = s
	asked := s.install(c.subscriptions...)
	c.mu.Unlock()
	if !asked {
		c.connected(s)
	}
}

func (c *Client) end(s *session) {
	c.mu.Lock()
	c.session = nil
	for _, subscription := range c.subscriptions {
		if subscription.active(s) {
			subscription.mark(KindDown)
		}
		subscription.session, subscription.ready = nil, false
	}
	c.mu.Unlock()
	s.end()
}

func (c *Client) remove(s *Subscription) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.subscriptions = slices.DeleteFunc(slices.Clone(c.subscriptions), func(other *Subscription) bool { return other == s })
	c.noteInterest()
}

// deliver gives the event to every subscription that wants it. It never waits for an owner. It does nothing and returns false
// if the event was not parsed for the subscriptions as they are now.
func (c *Client) deliver(s *session, event *Event, of *interest) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.interest.Load() != of {
		return false
	}
	for _, subscription := range c.subscriptions {
		if !subscription.active(s) || !subscription.wants(event) {
			continue
		}
		lost, full := subscription.push(event)
		if lost > 0 {
			c.counters.lost.Add(uint64(lost))
			c.opts.Log.Warn("subscription is too slow: its queue was emptied", "subscription", subscription.name, "lost", lost, "setting", full, "queue_events", c.opts.QueueEvents, "queue_bytes", c.opts.QueueBytes)
		}
	}
	return true
}

// missed tells every subscription that an event could not be read: nobody knows who wanted it.
func (c *Client) missed(s *session, err error) {
	if errors.Is(err, ErrTooLarge) {
		c.counters.tooLarge.Add(1)
	} else {
		c.counters.malformed.Add(1)
	}
	level := slog.LevelWarn
	if s.skipped {
		level = slog.LevelDebug // once a connection is enough; Stats counts the rest
	}
	s.skipped = true
	c.opts.Log.Log(context.Background(), level, "event of the switch was skipped", "err", err, "max_event", c.opts.MaxEvent, "max_headers", c.opts.MaxHeaders)
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, subscription := range c.subscriptions {
		if subscription.active(s) {
			subscription.miss()
			c.counters.lost.Add(1)
		}
	}
}

func (c *Client) failed(err error) {
	c.counters.failures.Add(1)
	hint := ""
	if errors.Is(err, ErrPassword) || errors.Is(err, ErrRejected) {
		c.counters.refused.Add(1)
		hint = "see password and apply-inbound-acl in event_socket.conf.xml of the switch"
	}
	level := slog.LevelWarn
	if !c.counters.connected.Swap(false) && c.reason == err.Error() {
		level = slog.LevelDebug // the log has it already
	}
	c.reason = err.Error()
	c.opts.Log.Log(context.Background(), level, "no connection to the switch", "addr", c.opts.Address, "err", err, "hint", hint)
	c.opts.Changed(false, err)
}

// backoff returns the pause after so many failures. A refusal takes the longest at once, because the switch logs
// each attempt.
func (c *Client) backoff(failures int, err error) time.Duration {
	d := c.opts.MaxBackoff
	if !errors.Is(err, ErrPassword) && !errors.Is(err, ErrRejected) && failures < 16 {
		d = min(d, c.opts.MinBackoff<<(failures-1))
	}
	return d - time.Duration(c.opts.Random()*float64(d)/2)
}

// pause waits and reports whether ctx is still alive.
func (c *Client) pause(ctx context.Context, d time.Duration) bool {
	done := make(chan struct{})
	stop := c.opts.Clock.AfterFunc(d, func() { close(done) })
	defer stop()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}
