package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"strowger/actors/envelope"
	"strowger/transport/frame"
)

// connect makes one attempt, from dialling to being authenticated.
func (l *link) connect(ctx context.Context) (*socket, error) {
	ctx, cancel := context.WithTimeout(ctx, l.opts.ConnectTimeout)
	defer cancel()
	conn, err := l.address.open(ctx, &l.opts)
	if err != nil {
		if ctx.Err() != nil {
			err = contextError(ctx)
		}
		return nil, fmt.Errorf("connect to %s: %w", l.address.dial, err)
	}
	s, err := upgrade(ctx, conn, l.address.url, &l.opts, l.deliver)
	if err != nil {
		return nil, fmt.Errorf("upgrade at %s: %w", l.address.dial, err)
	}
	if err := l.authenticate(ctx, s); err != nil {
		s.end(frame.CloseNone, err)
		s.abort() // the writer may be stuck
		<-s.gone
		return nil, fmt.Errorf("authenticate at %s: %w", l.address.dial, err)
	}
	return s, nil
}

// authenticate waits to be asked (protocol 1.4), hands over a ticket or a fresh token and waits
// for the verdict. After a ticket that is refused it hands over a token.
func (l *link) authenticate(ctx context.Context, s *socket) error {
	for {
		e, err := l.control(ctx, s)
		if err != nil {
			return fmt.Errorf("wait for the greeting: %w", err)
		}
		if e.code == envelope.AuthenticationRequired.Code {
			break
		}
		if err := e.statusError(); err != nil {
			return err
		}
	}
	if ticket, expires, ok := l.tickets.take(); ok {
		if err := l.present(ctx, s, ticket, expires); !errors.Is(err, ErrUnauthorized) {
			return err
		}
		l.opts.Logger.Info("ticket refused, a token follows", "remote", s.remote)
	}
	token, err := l.token(ctx)
	if err != nil && ctx.Err() != nil {
		err = contextError(ctx)
	}
	if err != nil {
		return fmt.Errorf("make token: %w", err)
	}
	if err := token.check(); err != nil {
		return err
	}
	return l.present(ctx, s, token, token.expires())
}

// present hands over a token, which may be a ticket, and waits for the verdict.
func (l *link) present(ctx context.Context, s *socket, token Token, expires time.Time) error {
	l.tickets.moved(expires)
	if !s.send(ctx, appendAuthentication(nil, token, "", l.wish(token))) {
		return fmt.Errorf("send token: %w", l.stopped(ctx, s))
	}
	for {
		e, err := l.control(ctx, s)
		if err != nil {
			return fmt.Errorf("wait for the verdict: %w", err)
		}
		if e.code == envelope.Authenticated.Code {
			s.expires = expires
			return nil
		}
		// Another 407 answers a message that crossed ours; the verdict still comes.
		if err := e.statusError(); err != nil && e.code != envelope.AuthenticationRequired.Code {
			return err
		}
	}
}

// control returns the next message of the authentication service.
func (l *link) control(ctx context.Context, s *socket) (*incoming, error) {
	select {
	case e := <-s.control:
		return e, nil
	case <-s.ending:
	case <-ctx.Done():
	}
	// A router may close right behind its verdict, which says more.
	select {
	case e := <-s.control:
		return e, nil
	default:
		return nil, l.stopped(ctx, s)
	}
}

// stopped says which of ctx and s ended.
func (l *link) stopped(ctx context.Context, s *socket) error {
	select {
	case <-s.ending:
		return s.err
	default:
		return contextError(ctx)
	}
}
