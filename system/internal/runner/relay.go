package runner

import (
	"errors"
	"strconv"
	"time"

	"strowger/actors/envelope"
	"strowger/system/service"
)

// A service may run in another process. Then there are two instances of it: the outer one is what the home knows, and the
// inner one runs the author's functions. The outer one relays each request, and tells what the inner one has answered.

// How says how a request goes on after an answer.
type How struct {
	Open    bool // more answers follow
	Refused bool // the service has not looked at it
	Passed  bool // the answer counts only if no other instance has one
	Left    bool // the subscriber has left, so there is no answer
}

// Asker takes the answers to one request of an inner instance, in the place of its home.
type Asker interface {
	// Tell takes an answer, or nil if there is none. It may be called from any goroutine, never blocks, must not call the
	// Instance back, and is called until How is not Open. The envelope is the receiver's to keep and nobody's to change.
	Tell(e *envelope.Envelope, how How)
}

// Relay takes the requests of an outer instance.
type Relay interface {
	// Ask takes a request, in the service's goroutine. It must not block. Who asks is held up until Release is called.
	Ask(r *Request)
	// Ended says that a request is over, whatever has ended it; expired: its deadline has. It may be called from any
	// goroutine, also before Ask, and must not block.
	Ended(number uint64, expired bool)
}

// Relay has all requests given to another process. It must be called while Setup runs.
func (s *Setup) Relay(to Relay) {
	if s.usable("Relay", to == nil) {
		s.life.relay = to
	}
}

// relay gives a request to the other process.
func (h *host) relay(r *Request) {
	h.task, h.request = "request", r
	r.context.life = h.life
	r.mu.Lock()
	over := r.outcome != open
	if !over {
		r.tasks++ // one that does not wait is over when the other process says so
		r.number, r.relayed = h.instance.numbers.Add(1), h.life.relay
	}
	r.mu.Unlock()
	if over {
		r.release()
		return
	}
	h.life.relay.Ask(r)
}

// Number tells relayed requests of one instance apart. It is never given twice.
func (r *Request) Number() uint64 { return r.number }

// Asked returns the request as the home has handed it over. It must not be changed.
func (r *Request) Asked() *Ask { return &r.asked }

// Left is for relays: how long the request may stay open from now on.
func (r *Request) Left() time.Duration {
	return r.due.Sub(r.instance.awake())
}

// Release says that the service does not hold up who asked any more.
func (r *Request) Release() { r.release() }

// Gone ends the request, because its subscriber has left.
func (r *Request) Gone() {
	if r.finish(left, nil) {
		r.instance.counters.Gone.Add(1)
	}
}

// Expire ends the request, because its deadline has come.
func (r *Request) Expire() { r.expire() }

// Over reports whether the request has ended.
func (r *Request) Over() bool { return !r.open() }

// Refuse answers with 503, as a request that the service has not looked at.
func (r *Request) Refuse() { r.refuse(retryAfter(busyFor)) }

// errTold is the error of a message of the other process that says what no service may say.
var errTold = errors.New("a message of the other process is wrong")

// Told is a message of the service in the other process.
type Told struct{ Topic, StatusString, StatusCode, Payload envelope.Raw }

// check returns the status, 0 if there is none.
func (t *Told) check() (status int, err error) {
	for _, raw := range []envelope.Raw{t.Topic, t.StatusString, t.StatusCode, t.Payload} {
		if _, err := encode(raw); err != nil {
			return 0, errors.Join(errTold, err)
		}
	}
	if _, ok := envelope.Name(t.Topic); !ok {
		return 0, errTold
	}
	if _, ok := envelope.Text(t.StatusString); !ok && len(t.StatusString) > 0 {
		return 0, errTold
	}
	if len(t.StatusCode) == 0 {
		return 0, nil
	}
	status, err = strconv.Atoi(string(t.StatusCode))
	if err != nil || status < 200 || status > 599 {
		return 0, errTold
	}
	return status, nil
}

// Tell passes on what the inner instance has answered; nil: it has ended the request without a word. It waits a little for
// room if more answers follow. The error says that the other process is not to be trusted any more.
func (r *Request) Tell(t *Told, how How) error {
	if how.Passed {
		r.Pass()
	}
	next := answered
	switch {
	case how.Open:
		next = open
	case how.Refused:
		next = refused
	}
	if t == nil {
		r.finish(next, nil)
		return nil
	}
	status, err := t.check()
	if err != nil {
		return err
	}
	if how.Open && r.open() && !r.instance.hasRoom("stream", r.topic) {
		r.refuse(retryAfter(busyFor)) // the answer would lack a part
		return nil
	}
	e := r.envelope(t.Topic, 0, nil, t.Payload)
	e.StatusString, e.StatusCode = t.StatusString, t.StatusCode
	counters := &r.instance.counters
	switch {
	case !r.finish(next, e):
		counters.Surplus.Add(1)
	case how.Refused:
		counters.Refused.Add(1)
	case status < 400:
		counters.Replies.Add(1)
	default:
		counters.Failures.Add(1)
	}
	return nil
}

// GatherFor is Gather for a request that the other process has. F may be called from any goroutine.
func (r *Request) GatherFor(within time.Duration, f func(answers []service.Answer)) {
	to := r.elsewhere()
	if to == nil {
		f(nil)
		return
	}
	to.Gather(within, f)
}

// Tell passes on a broadcast of the inner instance, here to subscribers of this node alone. It waits a little for room. The
// error says that the other process is not to be trusted any more.
func (c *Context) Tell(t *Told, here bool) error {
	if _, err := t.check(); err != nil {
		return err
	}
	i := c.life.instance
	if c.life.mute.Load() {
		i.counters.Dropped.Add(1)
		return nil
	}
	topic, _ := envelope.Text(t.Topic)
	if !i.hasRoom("broadcast", topic) {
		return nil
	}
	i.counters.Broadcasts.Add(1)
	e := c.told(t)
	if to, ok := i.home.(Clustered); ok && here {
		to.SayHere(e)
		return nil
	}
	i.home.Say(e)
	return nil
}

func (c *Context) told(t *Told) *envelope.Envelope {
	return &envelope.Envelope{ServiceName: c.life.instance.name, Topic: t.Topic, Payload: t.Payload,
		StatusString: t.StatusString, StatusCode: t.StatusCode}
}

// Testament passes on a will of the inner instance; nil takes it back.
func (c *Context) Testament(key string, t *Told) error {
	to, ok := c.life.instance.home.(Clustered)
	if t == nil {
		if ok && !c.life.mute.Load() {
			to.Will(key, nil)
		}
		return nil
	}
	if _, err := t.check(); err != nil {
		return err
	}
	if ok && !c.life.mute.Load() {
		to.Will(key, c.told(t))
	}
	return nil
}

// Fail lets this life of the service end as a panic does. R is the request at which it failed, nil if there is none.
func (c *Context) Fail(crash *Crash, r *Request) {
	c.life.post(&failed{life: c.life, request: r, crash: crash})
}

// Awake returns the time on a clock that stands still while this process does not run.
func (c *Context) Awake() time.Time { return c.life.instance.awake() }

// Pool returns how many functions given to Go run at once.
func (c *Context) Pool() int { return c.life.instance.service.Limits.Pool }
