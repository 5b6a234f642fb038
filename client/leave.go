package client

import (
	"context"
	"time"

	"strowger/transport/wire"
)

// leavingID is the request_id of the message that leave sends. The router's answer carries it too.
const leavingID = "leaving"

// leavingMessage tells the router that this service takes no more requests (protocol 5.9). A router that
// does not know the message takes it for a second authentication, which changes nothing.
const leavingMessage = `{"service":"authentication","topic":"leaving","request_id":"` + leavingID + `"}`

// leave has the router hand no more requests to this service, and returns when the service has answered
// those that it has, when the connection is lost, or after limit. The router gives what is open then to
// another instance when the connection is closed.
func (r *remote) leave(limit time.Duration) {
	state, s, _ := r.link.now()
	if state != StateOnline {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	r.outbox.put([]byte(leavingMessage), true)
	if r.awaitLeft(ctx, s, limit/2) {
		r.instance.Leave()
	}
	if err := r.instance.Idle(ctx); err != nil {
		r.opts.Logger.Warn("requests are not answered in time", "service", r.name,
			"count", r.instance.State().Open, "limit", limit, "setting", "Supervision.StopTimeout")
	}
	if _, now, _ := r.link.now(); now != s {
		// Lost meanwhile. A new connection would only get new requests.
		r.link.cancel(ErrClosed)
	}
}

// awaitLeft returns true when the router has answered. The requests that it had sent before have come by
// then. A router that has not answered after limit or CloseTimeout may send more, and may not answer for a
// service that ends: so the service refuses with 503 what it cannot finish.
func (r *remote) awaitLeft(ctx context.Context, s *socket, limit time.Duration) bool {
	limit = min(limit, r.opts.CloseTimeout)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case <-r.left:
		return true
	case <-s.ending:
		return false
	case <-ctx.Done():
		r.opts.Logger.Warn("router does not answer that the service leaves", "service", r.name, "limit", limit)
		return false
	}
}

// hasLeft notes the router's answer to leave. It returns false if e is another message.
func (r *remote) hasLeft(e *envelope) bool {
	if e.service != authentication || e.requestID != leavingID {
		return false
	}
	if e.code != wire.Authenticated.Code {
		r.opts.Logger.Warn("router refuses that the service leaves", "service", r.name, "err", e.statusError())
	}
	select {
	case r.left <- struct{}{}:
	default: // it has answered before
	}
	return true
}

// whenBegun returns a token source that waits for the service's first start. The router hands requests to
// a service as soon as it is authenticated, and a service that does not run yet refuses them.
func (r *remote) whenBegun(token TokenSource) TokenSource {
	return func(ctx context.Context) (Token, error) {
		select {
		case <-r.instance.Began():
			return token(ctx)
		case <-ctx.Done():
			return Token{}, context.Cause(ctx)
		}
	}
}
