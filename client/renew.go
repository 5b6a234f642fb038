package client

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"strowger/actors/envelope"
	"strowger/transport/frame"
)

// renewalID is the request id of a JWT that is presented again. Those of requests are numbers.
const renewalID = "renewal"

// leastLeft is the time before the end of a JWT in which renewing it makes no sense any more.
const leastLeft = 500 * time.Millisecond

// errOther says that the router wants a new connection for the fresh JWT.
var errOther = errors.New("the fresh JWT takes a new connection")

// expires returns when the token does, if it is a JWT that says so. The router checks it, so nothing else is looked at.
func (t Token) expires() time.Time {
	parts := strings.Split(t.Hash, ".")
	if t.Name != jwtName || len(parts) != 3 {
		return time.Time{}
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return time.Time{}
	}
	var claims struct {
		Expires float64 `json:"exp"`
	}
	const year9999 = 253402300799
	if json.Unmarshal(data, &claims) != nil || claims.Expires <= 0 || claims.Expires > year9999 {
		return time.Time{}
	}
	return time.UnixMilli(int64(claims.Expires * 1000))
}

// renewal keeps the JWT of one connection fresh. It belongs to the goroutine that keeps the link.
type renewal struct {
	link  *link
	s     *socket
	ctx   context.Context // ends with the connection
	end   context.CancelFunc
	timer *time.Timer
	due   <-chan time.Time // nil: nothing is to be renewed
	done  chan error       // of the attempt that is under way
	busy  bool
}

// renewal returns what renews the JWT of s, and its first time. The caller must call stop.
func (l *link) renewal(s *socket) *renewal {
	r := &renewal{link: l, s: s, done: make(chan error, 1)}
	r.ctx, r.end = context.WithCancel(l.ctx)
	r.plan()
	return r
}

// plan sets the time of the next attempt: the later ones are the closer, the less time is left.
func (r *renewal) plan() {
	r.due = nil
	before := r.link.opts.RenewBefore
	if r.s.expires.IsZero() || before < 0 {
		return
	}
	left := time.Until(r.s.expires)
	if left < leastLeft {
		return // the router closes the connection, and the next one gets a fresh token
	}
	lead := min(before, left/2)
	// Clients that came together do not come together again.
	wait := left - lead - r.link.opts.Reconnect.spread(lead/4+1)
	r.timer = time.NewTimer(max(wait, 0))
	r.due = r.timer.C
}

// begin makes an attempt on a goroutine of its own, because a token may take long.
func (r *renewal) begin() {
	r.due, r.busy = nil, true
	go func() { r.done <- r.link.renew(r.ctx, r.s) }()
}

// ended goes on after an attempt.
func (r *renewal) ended(err error) {
	r.busy = false
	switch {
	case err == nil:
		r.link.opts.Logger.Debug("token renewed", "remote", r.s.remote)
	case errors.Is(err, errOther):
		r.s.end(frame.CloseNormal, err)
		return
	default:
		r.link.opts.Logger.Warn("token not renewed", "remote", r.s.remote, "err", err)
	}
	r.plan()
}

// stop waits for an attempt that is under way, because calls of the token source never overlap.
func (r *renewal) stop() {
	r.end()
	if r.timer != nil {
		r.timer.Stop()
	}
	if r.busy {
		<-r.done //nolint:errcheck // what came of it concerns nobody any more
	}
}

// renew presents a fresh JWT on an open connection.
func (l *link) renew(ctx context.Context, s *socket) error {
	ctx, cancel := context.WithTimeout(ctx, l.opts.ConnectTimeout)
	defer cancel()
	token, err := l.token(ctx)
	if err != nil {
		return fmt.Errorf("make token: %w", err)
	}
	if err := token.check(); err != nil {
		return err
	}
	if token.Name != jwtName {
		return errOther
	}
	select {
	case <-s.renewed: // the answer to an attempt that was given up
	default:
	}
	if !s.send(ctx, appendAuthentication(nil, token, renewalID, "")) {
		return fmt.Errorf("send token: %w", l.stopped(ctx, s))
	}
	select {
	case e := <-s.renewed:
		if e.code == envelope.Authenticated.Code {
			s.expires = later(s.expires, token.expires())
			l.tickets.moved(s.expires)
			return nil
		}
		return refusedRenewal(e)
	case <-s.ending:
	case <-ctx.Done():
	}
	return l.stopped(ctx, s)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// refusedRenewal returns what the router's refusal means (protocol 4.8.1).
func refusedRenewal(e *incoming) error {
	var why struct {
		Reason string `json:"reason"`
	}
	_ = json.Unmarshal(e.payload, &why) // another payload has no reason
	err := e.statusError()
	switch {
	case err == nil:
		return fmt.Errorf("status %d", e.code)
	case why.Reason == "grants" || why.Reason == "subject":
		return fmt.Errorf("%w: it has other %s", errOther, why.Reason)
	}
	return err
}
