package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"strowger/system/internal/runner"
	"strowger/system/internal/supervisor"
	"strowger/system/service"
)

// request is one that the child was given.
type request struct {
	request *runner.Request // nil: nobody waits for it any more
	bytes   int             // of its frame, until the service has looked at it; then 0
}

// overhead is what a request counts besides its frame.
const overhead = 1024

var _ runner.Relay = (*child)(nil)

// Ask implements runner.Relay.
func (c *child) Ask(r *runner.Request) {
	frame := appendAsk(r)
	number, cost := r.Number(), len(frame)+overhead
	if most, size := c.o.MessageBytes, len(frame)-headerBytes; size > most {
		r.FailWith(fmt.Errorf("the request has %d bytes, its limit is %d (process.Options.MessageBytes)", size, most))
		return
	}
	c.mu.Lock()
	full := c.waiting > 0 && c.waiting+cost > c.o.QueueBytes
	if c.dead || full {
		line, omitted := full && c.line(), c.omitted
		c.mu.Unlock()
		if line {
			c.log.Warn("request refused: too much waits for the service's process", "limit", c.o.QueueBytes,
				"setting", "process.Options.QueueBytes", "omitted", omitted)
		}
		r.Refuse()
		return
	}
	c.requests[number] = &request{request: r, bytes: cost}
	c.waiting += cost
	c.mu.Unlock()
	switch {
	case !c.queue.putRequest(frame, number):
		r.Refuse()
	case r.Over():
		c.Ended(number, false)
	}
}

// quietFor is how long further refusals are counted and not logged.
const quietFor = time.Minute

// line counts a refusal and reports whether it is logged. c.mu is held.
func (c *child) line() bool {
	now := time.Now()
	if !c.noRoom.IsZero() && now.Sub(c.noRoom) < quietFor {
		c.omitted++
		return false
	}
	c.noRoom, c.omitted = now, 0
	return true
}

// Ended implements runner.Relay.
func (c *child) Ended(number uint64, expired bool) {
	if c.over(number) == nil {
		return
	}
	kind := frameGone
	if expired {
		kind = frameExpired
	}
	c.queue.put(appendNumber(newFrame(kind, 16), number))
}

// over forgets who waits for a request and returns it, nil if it was forgotten before.
func (c *child) over(number uint64) *runner.Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.requests[number]
	if r == nil {
		return nil
	}
	was := r.request
	r.request = nil
	if r.bytes == 0 {
		delete(c.requests, number)
	}
	return was
}

// find returns a request that somebody waits for.
func (c *child) find(number uint64) *runner.Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.requests[number]; r != nil {
		return r.request
	}
	return nil
}

// handle does what a frame of the child says. The error says that the child is not to be trusted any more.
func (c *child) handle(kind frameKind, data []byte) error {
	b := body{data: data}
	switch kind {
	case frameHello:
		if v := b.number(); v != version {
			return fmt.Errorf("it has version %d of the protocol, this process version %d", v, version)
		}
	case frameUp:
		c.isUp()
	case frameFailed:
		return c.hasFailed(&b)
	case frameFinished:
		c.mu.Lock()
		c.finished = true
		c.mu.Unlock()
		c.home.Finish()
	case frameTell:
		return c.tellAsker(&b)
	case frameTaken:
		c.taken(&b)
	case frameSay:
		flags, told := b.told()
		if told == nil || b.end() != nil {
			return errFrame
		}
		return c.home.Tell(told, flags&sayHere != 0)
	case frameWill:
		key := b.text()
		_, told := b.told()
		if key == "" || b.end() != nil {
			return errFrame
		}
		return c.home.Testament(key, told)
	case frameShare:
		if r := c.find(b.number()); r != nil {
			r.Share()
		}
	case frameGather:
		c.gather(b.number(), b.number(), b.number())
	case frameLog:
		c.output.record(&b)
	case framePong:
		select {
		case c.pong <- struct{}{}:
		default:
		}
	default:
		return errFrame
	}
	return b.end()
}

// isUp notes that Setup has returned in the child.
func (c *child) isUp() {
	select {
	case <-c.up:
	default:
		close(c.up)
	}
}

// tellAsker passes on an answer.
func (c *child) tellAsker(b *body) error {
	number := b.number()
	flags, told := b.told()
	if err := b.end(); err != nil {
		return err
	}
	how := runner.How{Open: flags&tellOpen != 0, Refused: flags&tellRefused != 0, Passed: flags&tellPassed != 0}
	var r *runner.Request
	if how.Open {
		r = c.find(number)
	} else {
		r = c.over(number)
	}
	if r == nil {
		return nil // it is over here
	}
	return r.Tell(told, how)
}

// taken lets those who asked go on.
func (c *child) taken(b *body) {
	for len(b.data) > 0 {
		number := b.number()
		c.mu.Lock()
		r := c.requests[number]
		if r == nil {
			c.mu.Unlock()
			continue
		}
		c.waiting -= r.bytes
		r.bytes = 0
		asked := r.request
		if asked == nil {
			delete(c.requests, number)
		}
		c.mu.Unlock()
		if asked != nil {
			asked.Release()
		}
	}
}

// gather asks other nodes for the child.
func (c *child) gather(number, gathering, milliseconds uint64) {
	answer := func(answers []service.Answer) {
		text, err := json.Marshal(answers)
		if err != nil || c.queue.waiting()+len(text) > 2*c.o.QueueBytes {
			c.log.Warn("answers of other nodes dropped: too much waits for the service's process", "bytes", len(text),
				"setting", "process.Options.QueueBytes")
			text = []byte("[]")
		}
		c.queue.put(appendText(appendNumber(newFrame(frameGathered, 16+len(text)), gathering), text))
	}
	if r := c.find(number); r != nil {
		r.GatherFor(time.Duration(min(milliseconds, 1<<32))*time.Millisecond, answer)
		return
	}
	answer(nil)
}

// hasFailed notes why the service has failed, and lets it fail here. The child ends by itself, or is killed with the end
// of this life of the service.
func (c *child) hasFailed(b *body) error {
	number, task, reason, stack, hung := b.number(), b.text(), b.text(), b.bytes(), b.octet() != 0
	if err := b.end(); err != nil {
		return err
	}
	err := errors.New(reason)
	if hung {
		err = fmt.Errorf("the process is killed: %w", supervisor.ErrHung)
	}
	c.mu.Lock()
	if c.failed != nil || c.cause != nil {
		c.mu.Unlock()
		return nil
	}
	if stack == nil {
		stack = []byte{} // there is nothing else to be logged
	}
	failed := &crash{Crash: &runner.Crash{Service: c.service.Name, Task: task, Reason: err, Stack: stack}}
	if r := c.requests[number]; r != nil {
		failed.at = r.request
	}
	c.failed = failed
	c.mu.Unlock()
	c.lose(c.queue.kill())
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopping {
		c.tell()
	}
	return nil
}
