package runner

import (
	"context"
	"errors"

	"strowger/actors/envelope"
	"strowger/system/service"
)

// isFailure tells a status that the author of a service may fail with.
func isFailure(status int) bool { return status >= 400 && status <= 599 }

// FailWith is for service.Request.
func (r *Request) FailWith(err error) {
	if err == nil {
		err = errors.New("FailWith: the error is nil")
	}
	counters := &r.instance.counters
	log := r.instance.log.With("topic", r.topic, "err", err)
	if !r.open() && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		log.Debug("request ended before its answer")
		counters.Surplus.Add(1)
		return
	}
	status, payload := envelope.InternalError.Code, envelope.Raw(nil)
	if e, ok := errors.AsType[*service.Error](err); ok && e != nil && isFailure(e.Status) {
		log.Debug("request refused")
		status, payload = e.Status, reasonOf(e)
	} else {
		counters.Errors.Add(1)
		if line, omitted := r.instance.errors.next(r.topic, r.instance.o.Clock.Now()); line {
			log.Error("request failed", "omitted", omitted)
		}
	}
	var answer *envelope.Envelope
	if r.waits {
		answer = r.envelope(r.asked.Envelope.Topic, status, statusString(status), payload)
	}
	if !r.finish(answered, answer) {
		counters.Surplus.Add(1)
		return
	}
	counters.Failures.Add(1)
}

// reasonOf is the payload that the subscriber gets.
func reasonOf(e *service.Error) envelope.Raw {
	raw, err := encode(failure{e.Reason})
	if err != nil {
		return nil // a string can always be encoded
	}
	return raw
}
