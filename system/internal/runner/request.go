package runner

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"strowger/actors/envelope"
	"strowger/system/service"
)

// Request implements service.Request.
type Request struct {
	*Context
	entry
	context  Context
	instance *Instance
	asked    Ask
	topic    string
	sender   string
	deadline time.Time
	waits    bool // has an id, so somebody waits for an answer

	mu         sync.Mutex // Protects following, and the order of answers.
	outcome    outcome
	tasks      int // handler and work under way, of one that does not wait
	released   bool
	spoken     bool // first is in use
	passed     bool // the answer counts only if no other instance has one
	shared     bool
	number     uint64 // of one that was relayed
	relayed    Relay  // nil: it was not
	first      envelope.Envelope
	subscriber *service.Subscriber
}

var _ service.Request = (*Request)(nil)

// outcome is how a request ended.
type outcome int

const (
	open     outcome = iota
	answered         // by the service
	refused          // 503
	expired          // 504
	crashed          // 500
	left             // the subscriber did
)

func newRequest(i *Instance, a *Ask) *Request {
	r := &Request{instance: i, asked: *a, waits: !envelope.IsEmpty(a.Envelope.RequestID)}
	r.at = -1
	r.Context = &r.context
	r.context.request = r
	r.topic, _ = envelope.Name(a.Envelope.Topic)
	r.sender, _ = envelope.View(a.Envelope.ResourceID)
	r.deadline = i.deadline(a.Deadline)
	r.due = r.deadline.Add(-i.o.Slept())
	return r
}

// deadline is the earlier one of the home's and the service's.
func (i *Instance) deadline(home time.Time) time.Time {
	timeout := i.service.RequestTimeout
	switch {
	case timeout == 0 && !home.IsZero():
		return home
	case timeout == 0:
		timeout = i.o.RequestTimeout
	}
	own := i.o.Clock.Now().Add(timeout)
	if !home.IsZero() && home.Before(own) {
		return home
	}
	return own
}

// Topic is for service.Request.
func (r *Request) Topic() string { return r.topic }

// Payload is for service.Request.
func (r *Request) Payload() json.RawMessage {
	if payload := r.asked.Envelope.Payload; len(payload) > 0 {
		return json.RawMessage(payload)
	}
	return json.RawMessage("null")
}

// Decode is for service.Request.
func (r *Request) Decode(v any) error {
	err := decode(r.Payload(), v)
	if _, ok := errors.AsType[*json.InvalidUnmarshalError](err); ok {
		return fmt.Errorf("decode payload: %w", err)
	}
	if err != nil {
		return &service.Error{Status: envelope.BadRequest.Code, Reason: err.Error()}
	}
	return nil
}

// Subscriber is for service.Request.
func (r *Request) Subscriber() *service.Subscriber {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.subscriber == nil {
		r.subscriber = newSubscriber(r.sender, &r.asked)
	}
	return r.subscriber
}

// Reply is for service.Request.
func (r *Request) Reply(payload any) { r.answer(r.asked.Envelope.Topic, 200, payload, answered) }

// ReplyWith is for service.Request.
func (r *Request) ReplyWith(topic string, status int, payload any) {
	if status != 0 && (status < 200 || status > 599) {
		r.FailWith(fmt.Errorf("ReplyWith: status %d is neither 0 nor between 200 and 599", status))
		return
	}
	r.say(envelope.QuoteString(topic), status, replyString(status), payload, answered)
}

// Fail is for service.Request.
func (r *Request) Fail(status int, reason string) {
	if !isFailure(status) {
		r.FailWith(&service.Error{Status: status, Reason: reason})
		return
	}
	r.answer(r.asked.Envelope.Topic, status, failure{reason}, answered)
}

// failure is the payload of Fail.
type failure struct {
	Reason string `json:"reason"`
}

// Stream is for service.Request.
func (r *Request) Stream(topic string, payload any) {
	if r.open() && !r.instance.hasRoom("stream", topic) {
		r.refuse(retryAfter(busyFor)) // the answer would lack a part
		return
	}
	r.answer(envelope.QuoteString(topic), 200, payload, open)
}

// End is for service.Request.
func (r *Request) End() {
	if !r.finish(answered, nil) {
		r.surplus()
	}
}

// answer says one answer of the service and leaves the request in the state next.
func (r *Request) answer(topic envelope.Raw, status int, payload any, next outcome) {
	r.say(topic, status, statusString(status), payload, next)
}

// say is answer with a status_string of its own.
func (r *Request) say(topic envelope.Raw, status int, text envelope.Raw, payload any, next outcome) {
	counters := &r.instance.counters
	if !r.open() {
		r.surplus()
		return
	}
	raw, err := encode(payload)
	if err != nil {
		counters.Unencoded.Add(1)
		r.instance.log.Error("answer cannot be encoded", "topic", r.topic, "err", err)
		status, raw, next = envelope.InternalError.Code, nil, answered
		text = statusString(status)
	}
	if !r.finish(next, r.envelope(topic, status, text, raw)) {
		r.surplus()
		return
	}
	if status < 400 {
		counters.Replies.Add(1)
	} else {
		counters.Failures.Add(1)
	}
}

// surplus notes an answer to a request that is over. One that the service had answered before is
// its author's mistake.
func (r *Request) surplus() {
	r.instance.counters.Surplus.Add(1)
	r.mu.Lock()
	twice := r.outcome == answered
	r.mu.Unlock()
	if twice {
		r.instance.log.Warn("request answered twice", "topic", r.topic)
	}
}

// refuse answers with 503.
func (r *Request) refuse(payload []byte) {
	if r.finish(refused, r.own(envelope.Unavailable, payload)) {
		r.instance.counters.Refused.Add(1)
	}
}

// expire answers with 504. Of one that does not wait nothing was to be expected.
func (r *Request) expire() {
	if r.finish(expired, r.own(envelope.DeadlineExceeded, nil)) && r.waits {
		r.instance.counters.Timeouts.Add(1)
	}
}

// crash answers with 500.
func (r *Request) crash() {
	if r.finish(crashed, r.own(envelope.InternalError, nil)) {
		r.instance.counters.Crashed.Add(1)
	}
}

func (r *Request) open() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.outcome == open
}

// finish says e, if not nil, and ends the request unless next is open. It is false, and nothing
// happens, if the request is over already.
func (r *Request) finish(next outcome, e *envelope.Envelope) bool {
	if !r.settle(next, e) {
		return false
	}
	if next == open {
		return true
	}
	r.instance.mu.Lock()
	r.instance.table.remove(r)
	r.instance.emptied()
	r.instance.mu.Unlock()
	r.context.end()
	r.release()
	r.mu.Lock()
	relayed := r.relayed
	r.mu.Unlock()
	if relayed != nil {
		relayed.Ended(r.number, next == expired)
	}
	return true
}

func (r *Request) settle(next outcome, e *envelope.Envelope) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.outcome != open {
		return false
	}
	r.outcome = next
	r.tell(next, e)
	return true
}

// release tells the home that who asked need not be held up any more.
func (r *Request) release() {
	r.mu.Lock()
	again := r.released
	r.released = true
	r.mu.Unlock()
	if !again && r.asked.Held != nil {
		r.asked.Held.Release()
	}
}

// begin and worked stand around a handler and around work. A request that does not wait is over
// when there is nothing of it left.
func (r *Request) begin() {
	r.mu.Lock()
	r.tasks++
	r.mu.Unlock()
}

func (r *Request) worked() {
	r.mu.Lock()
	r.tasks--
	idle := r.tasks == 0 && !r.waits
	r.mu.Unlock()
	if idle {
		r.finish(answered, nil)
	}
}
