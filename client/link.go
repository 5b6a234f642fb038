package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"strowger/actors/envelope"
	"strowger/transport/frame"
)

// link keeps one authenticated connection to a router, reconnecting as Options say.
// It knows nothing of requests and listeners: what stands on it gives it receive
// and sends through the sockets that online returns.
type link struct {
	address *address
	token   TokenSource
	opts    Options
	// receive takes each message of a service, on the reader's goroutine; it must
	// not block.
	receive func(*incoming)
	// returned is called when a connection is authenticated that is not the first, on the reader's goroutine and before
	// anything comes over it.
	returned func()
	tickets  tickets
	history  history
	unused   map[string]*Filter // those that the router does not use, by service; for the reader's goroutine

	ctx    context.Context // ends when the link does, with the reason as its cause
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when run has returned

	mu      sync.Mutex    // protects following
	state   State         // the latest
	socket  *socket       // not nil while online
	changed chan struct{} // closed and replaced with each change of state
}

// newLink returns a link that does nothing until start.
func newLink(url string, token TokenSource, opts Options, receive func(*incoming)) (*link, error) {
	if token == nil {
		return nil, errors.New("token source is nil")
	}
	opts, err := opts.WithDefaults()
	if err != nil {
		return nil, err
	}
	address, err := parseAddress(url)
	if err != nil {
		return nil, err
	}
	l := &link{
		address: address,
		token:   token,
		opts:    opts,
		receive: receive,
		done:    make(chan struct{}),
		changed: make(chan struct{}),
	}
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	return l, nil
}

// start connects for the first time. When it returns nil the link lives until its
// context is cancelled or it gives up, whatever becomes of ctx.
func (l *link) start(ctx context.Context) error {
	s, err := l.first(ctx)
	if err != nil {
		l.cancel(err)
		l.enter(StateClosed, nil, err)
		close(l.done)
		return err
	}
	l.enter(StateOnline, s, nil)
	go l.run(s)
	return nil
}

// first makes the first connection.
func (l *link) first(ctx context.Context) (*socket, error) {
	if l.opts.Reconnect.FromStart && !l.opts.Reconnect.Disabled {
		return l.seek(ctx, newBackoff(l.opts.Reconnect), 0)
	}
	l.enter(StateConnecting, nil, nil)
	return l.connect(ctx)
}

// deliver sorts a message, on the reader's goroutine.
func (l *link) deliver(s *socket, data []byte) {
	e, err := decodeEnvelope(data)
	if err != nil {
		l.opts.Logger.Debug("message ignored", "remote", s.remote, "err", err)
		return
	}
	if e.service == authentication && e.requestID == renewalID {
		select {
		case s.renewed <- e:
		default: // one is asked for at a time
		}
		return
	}
	if e.service == authentication && e.topic == ticketTopic && e.requestID == "" {
		l.tickets.renewed(e.payload)
		return
	}
	if e.service == authentication {
		if e.code == envelope.Authenticated.Code && e.requestID == "" && !s.admitted {
			s.admitted = true
			l.admitted(s, e.payload)
		}
		select {
		case s.control <- e:
		default: // nobody needs more of them than fit
		}
		if e.requestID == "" {
			return
		}
	}
	l.receive(e)
}

// run keeps the connection until the link ends.
func (l *link) run(s *socket) {
	defer close(l.done)
	wait := newBackoff(l.opts.Reconnect)
	for {
		l.opts.Logger.Info("online", "remote", s.remote)
		began := time.Now()
		err := l.hold(s)
		if l.ctx.Err() == nil && l.opts.Reconnect.Disabled {
			l.cancel(err)
		}
		if l.ctx.Err() != nil {
			s.follow(nil)
			break
		}
		l.opts.Logger.Warn("connection lost", "remote", s.remote, "err", err)
		l.enter(StateOffline, nil, err)
		// Only a connection that lasted proves the router well: one that is lost
		// right after each connect must not be sought at full speed.
		if time.Since(began) >= l.opts.Reconnect.Max {
			wait.reset()
		}
		next, err := l.seek(l.ctx, wait, 1)
		if err != nil {
			l.cancel(err)
			s.follow(nil)
			break
		}
		s.follow(next)
		s = next
		l.enter(StateOnline, s, nil)
	}
	cause := context.Cause(l.ctx)
	l.opts.Logger.Info("closed", "err", cause)
	l.enter(StateClosed, nil, cause)
}

// hold returns when s is gone, and why.
func (l *link) hold(s *socket) error {
	renewal := l.renewal(s)
	defer renewal.stop()
	for {
		select {
		case <-renewal.due:
			renewal.begin()
		case err := <-renewal.done:
			renewal.ended(err)
		case <-s.gone:
			if errors.Is(s.err, errOther) {
				l.tickets.take() // the latest stands for what the old JWT granted
			}
			return fmt.Errorf("%w: %w", ErrDisconnected, s.err)
		case e := <-s.control:
			// The router no longer takes us for authenticated.
			if err := e.statusError(); err != nil {
				s.end(frame.CloseNormal, err)
			}
		case <-l.ctx.Done():
			s.end(frame.CloseNormal, context.Cause(l.ctx))
			timer := time.AfterFunc(l.opts.CloseTimeout, s.abort)
			defer timer.Stop()
			<-s.gone
			return context.Cause(l.ctx)
		}
	}
}

// seek tries until it succeeds, ctx ends or the router has refused too many tokens. It waits before
// each attempt, but for the first if failures is 0.
func (l *link) seek(ctx context.Context, wait *backoff, failures int) (*socket, error) {
	refused := 0
	for ; ; failures++ {
		if failures > 0 && wait.wait(ctx) != nil {
			return nil, contextError(ctx)
		}
		l.enter(StateConnecting, nil, nil)
		s, err := l.connect(ctx)
		if err == nil {
			return s, nil
		}
		if ctx.Err() != nil {
			return nil, contextError(ctx)
		}
		if errors.Is(err, ErrUnauthorized) {
			refused++
			if refused == l.opts.Reconnect.Refusals {
				return nil, fmt.Errorf("give up after %d refused tokens: %w", refused, err)
			}
		}
		l.opts.Logger.Warn("attempt failed", "err", err)
		l.enter(StateOffline, nil, err)
	}
}

// enter changes the state and tells everyone.
func (l *link) enter(state State, s *socket, cause error) {
	l.mu.Lock()
	l.state, l.socket = state, s
	close(l.changed)
	l.changed = make(chan struct{})
	l.mu.Unlock()
	if l.opts.OnState != nil {
		l.opts.OnState(state, cause)
	}
}

// now returns the state, the socket if there is one, and a channel that is closed
// when either changes.
func (l *link) now() (State, *socket, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state, l.socket, l.changed
}

// online returns the authenticated socket. While there is none it waits until ctx
// ends, or fails at once if Options say so.
func (l *link) online(ctx context.Context) (*socket, error) {
	for {
		if ctx.Err() != nil {
			return nil, contextError(ctx)
		}
		state, s, changed := l.now()
		if s != nil {
			select {
			case <-s.ending: // lost, but run has not noticed yet
			default:
				return s, nil
			}
		}
		if state == StateClosed || l.ctx.Err() != nil {
			return nil, context.Cause(l.ctx)
		}
		if l.opts.FailFast {
			return nil, ErrDisconnected
		}
		select {
		case <-changed:
		case <-l.ctx.Done():
		case <-ctx.Done():
			return nil, fmt.Errorf("offline: %w", contextError(ctx))
		}
	}
}

// send hands a frame to the writer of the connection that is up, waiting for one as
// online does. The frame is handed over at most once.
func (l *link) send(ctx context.Context, frame []byte) (*socket, error) {
	for {
		s, err := l.online(ctx)
		if err != nil {
			return nil, err
		}
		if s.send(ctx, frame) {
			return s, nil
		}
	}
}

// lost says why a request that went to s got no answer.
func (l *link) lost(s *socket) error {
	if l.ctx.Err() != nil {
		return context.Cause(l.ctx)
	}
	return fmt.Errorf("%w: %w", ErrDisconnected, s.err)
}
