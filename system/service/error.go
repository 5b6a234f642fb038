package service

import (
	"context"
	"errors"
	"fmt"

	"strowger/transport/wire"
)

// Error is an error that says what the subscriber gets: Status, and {"reason":Reason} as payload. A
// handler may return one, or an error that wraps one; the text around it is for the log alone.
type Error struct {
	// Status is between 400 and 599. With any other value the subscriber gets 500 and no reason.
	Status int
	Reason string
}

// Errorf returns an *Error with a formatted reason. It panics when the status is not between 400
// and 599.
func Errorf(status int, format string, args ...any) error {
	if !isFailure(status) {
		panic(fmt.Sprintf("service: Errorf: status %d is not between 400 and 599", status))
	}
	return &Error{Status: status, Reason: fmt.Sprintf(format, args...)}
}

// Error returns the status and the reason.
func (e *Error) Error() string { return fmt.Sprintf("status %d: %s", e.Status, e.Reason) }

func isFailure(status int) bool { return status >= 400 && status <= 599 }

// FailWith answers as if the handler had returned err, for requests that are answered later. If err
// is or wraps an *Error, the subscriber gets its status and reason, and the log has it at level
// Debug. Any other error is logged at level Error and counted, and the subscriber gets 500 without a
// reason. A request without an id gets no answer. FailWith panics when err is nil.
func (r *Request) FailWith(err error) {
	if err == nil {
		panic("service: FailWith: the error is nil")
	}
	counters := &r.instance.counters
	log := r.instance.log.With("topic", r.topic, "err", err)
	if !r.open() && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		log.Debug("request ended before its answer")
		counters.Surplus.Add(1)
		return
	}
	status, payload := wire.InternalError.Code, wire.Raw(nil)
	if e, ok := errors.AsType[*Error](err); ok && e != nil && isFailure(e.Status) {
		log.Debug("request refused")
		status, payload = e.Status, e.payload()
	} else {
		log.Error("request failed")
		counters.Errors.Add(1)
	}
	var answer *wire.Envelope
	if r.waits {
		answer = r.envelope(r.asked.Envelope.Topic, status, payload)
	}
	if !r.finish(answered, answer) {
		counters.Surplus.Add(1)
		return
	}
	counters.Failures.Add(1)
}

// payload is what the subscriber gets.
func (e *Error) payload() wire.Raw {
	raw, err := encode(failure{e.Reason})
	if err != nil {
		return nil // a string can always be encoded
	}
	return raw
}
