package remote

import (
	"context"
	"strconv"
	"time"

	"strowger/actors/envelope"
)

// authentication is the service that the router itself answers for (protocol 4.1).
const authentication = "authentication"

// leavingID is the request_id of the message that leave sends. The router's answer carries it too.
const leavingID = "leaving"

// leavingMessage tells the router that this service takes no more requests (protocol 5.9). A router that
// does not know the message takes it for a second authentication, which changes nothing.
const leavingMessage = `{"service":"authentication","topic":"leaving","request_id":"` + leavingID + `"}`

// leave has the router hand no more requests to this service, and returns when the service has answered
// those that it has, when the connection is lost, or after limit. The router gives what is open then to
// another instance when the connection is closed.
func (r *Server) leave(limit time.Duration) {
	lost := r.connection()
	if lost == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	r.outbox.put([]byte(leavingMessage), true)
	if r.awaitLeft(ctx, lost, limit/2) {
		r.instance.Leave()
	}
	if err := r.instance.Idle(ctx); err != nil {
		r.log().Warn("requests are not answered in time", "service", r.name,
			"count", r.instance.State().Open, "limit", limit, "setting", "Supervision.StopTimeout")
	}
	select {
	case <-lost:
		// A new connection would only get new requests. stop tells what Close has to say.
		_ = r.client.Close()
	default:
	}
}

// awaitLeft returns true when the router has answered. The requests that it had sent before have come by
// then. A router that has not answered after limit or CloseTimeout may send more, and may not answer for a
// service that ends: so the service refuses with 503 what it cannot finish.
func (r *Server) awaitLeft(ctx context.Context, lost <-chan struct{}, limit time.Duration) bool {
	limit = min(limit, r.opts.Client.CloseTimeout)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case <-r.left:
		return true
	case <-lost:
		return false
	case <-ctx.Done():
		r.log().Warn("router does not answer that the service leaves", "service", r.name, "limit", limit)
		return false
	}
}

// hasLeft notes the router's answer to leave. It returns false if e is another message.
func (r *Server) hasLeft(e *envelope.Envelope) bool {
	service, _ := envelope.Name(e.ServiceName)
	id, _ := envelope.Name(e.RequestID)
	if service != authentication || id != leavingID {
		return false
	}
	if code, _ := envelope.Name(e.StatusCode); code != strconv.Itoa(envelope.Authenticated.Code) {
		r.log().Warn("router refuses that the service leaves", "service", r.name, "status", code)
	}
	select {
	case r.left <- struct{}{}:
	default: // it has answered before
	}
	return true
}
