package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// What a *StatusError is, by its code, for use with errors.Is.
var (
	// ErrBadRequest is status 400: the router or the service could not use the request.
	ErrBadRequest = errors.New("bad request")
	// ErrUnauthorized is status 401: the router refused the token.
	ErrUnauthorized = errors.New("unauthorized")
	// ErrForbidden is status 403: a policy of the router, or the service, does not allow the request, or a
	// policy dropped the reply.
	ErrForbidden = errors.New("forbidden")
	// ErrNotFound is status 404: the service has no such topic or thing.
	ErrNotFound = errors.New("not found")
	// ErrUnavailable is status 503: the service cannot take the request at the moment, or the instance that
	// had it died.
	ErrUnavailable = errors.New("unavailable")
)

// Why a call ended without an answer, for use with errors.Is.
var (
	// ErrClosed says that Close was called, or that Dial has not made the client.
	ErrClosed = errors.New("client is closed")
	// ErrDisconnected says that the connection was lost. A request under way
	// may or may not have reached its service; it is never sent again.
	ErrDisconnected = errors.New("disconnected")
	// ErrTimeout says that the time for the call ran out. It wraps
	// context.DeadlineExceeded.
	ErrTimeout = fmt.Errorf("timed out: %w", context.DeadlineExceeded)
	// ErrOverflow says that replies came faster than Stream's caller took
	// them and more than Limits allows were waiting.
	ErrOverflow = errors.New("too many replies waiting")
)

// StatusError is an answer with a status code of 400 or more. The router may
// have sent it as an envelope or, while connecting, as an HTTP status; the
// latter leaves Service, Topic and Payload empty, and the former Detail.
type StatusError struct {
	Code    int
	Status  string
	Service string
	Topic   string
	// Payload is the payload of the answer, JSON null when it had none.
	Payload json.RawMessage
	// Detail is the beginning of the body that came with an HTTP status, as one
	// line without control characters. The router names the cause in it.
	Detail string
}

// Error says the code and where it came from. What the peer wrote is quoted and
// shortened.
func (e *StatusError) Error() string {
	text := fmt.Sprintf("status %d %s", e.Code, quote(e.Status))
	if e.Service != "" {
		text += fmt.Sprintf(" from service %s, topic %s", quote(e.Service), quote(e.Topic))
	}
	if e.Detail != "" {
		text += ": " + quote(e.Detail)
	}
	return text
}

// Is reports whether target is the sentinel of e's code, such as ErrForbidden
// for 403.
func (e *StatusError) Is(target error) bool {
	switch e.Code {
	case 400:
		return target == ErrBadRequest
	case 401:
		return target == ErrUnauthorized
	case 403:
		return target == ErrForbidden
	case 404:
		return target == ErrNotFound
	case 503:
		return target == ErrUnavailable
	}
	return false
}

// CloseError is the close frame with which the router ended a connection: a code
// of RFC 6455 or one of the router's own from 4000, such as 4001 for a token that
// has expired. Code is 0 when the frame carried none.
type CloseError struct {
	Code   uint16
	Reason string
}

// Error says the code and the reason, which is quoted.
func (e *CloseError) Error() string {
	return fmt.Sprintf("closed by the router with code %d, reason %q", e.Code, e.Reason)
}

// contextError says why ctx ended, as ErrTimeout when its time ran out.
func contextError(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return ErrTimeout
	}
	return context.Cause(ctx)
}
