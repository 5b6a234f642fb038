package process

import (
	"context"
	"encoding/json"
	"time"

	"strowger/actors/envelope"
	"strowger/system/internal/runner"
	"strowger/system/service"
)

// home is what the service's instance sees of the child.
type home struct{ *life }

var (
	_ runner.Home      = home{}
	_ runner.Paced     = home{}
	_ runner.Clustered = home{}
	_ runner.Asker     = (*asked)(nil)
	_ runner.Elsewhere = (*asked)(nil)
	_ runner.Releaser  = (*asked)(nil)
)

// Say takes a broadcast. Answers go to those who asked.
func (h home) Say(e *envelope.Envelope) { h.say(e, 0) }

// SayHere takes a broadcast for subscribers of this node.
func (h home) SayHere(e *envelope.Envelope) { h.say(e, sayHere) }

func (h home) say(e *envelope.Envelope, flags byte) {
	frame := appendTold(newFrame(frameSay, toldSize(e)), e, flags)
	if h.fits(frame, "broadcast") {
		h.queue.put(frame)
	}
}

// fits reports whether a message may be sent, and logs one that may not.
func (h home) fits(frame []byte, kind string) bool {
	most, size := h.settings.MessageBytes, len(frame)-headerBytes
	if size <= most {
		return true
	}
	h.log.Error("message is too long", "kind", kind, "bytes", size, "limit", most, "setting", "process.Options.MessageBytes")
	return false
}

// Will takes what other nodes broadcast when they lose this one.
func (h home) Will(key string, e *envelope.Envelope) {
	frame := appendTold(appendText(newFrame(frameWill, 16+len(key)+toldSize(e)), key), e, 0)
	if !h.fits(frame, "will") {
		return
	}
	if h.queue.waiting() > 2*h.settings.QueueBytes {
		h.log.Error("will dropped: too much waits for the router", "limit", h.settings.QueueBytes, "setting", "process.Options.QueueBytes")
		return
	}
	h.queue.put(frame)
}

// Room blocks while too much waits for the parent.
func (h home) Room(ctx context.Context) error { return h.queue.room(ctx) }

// Pace waits a little while too much waits for the parent.
func (h home) Pace() bool { return h.queue.pace() }

// asked is a request in the child: it takes the answers, and is the way to other nodes.
type asked struct {
	life    *life
	number  uint64
	alone   bool
	request *runner.Request // set once the request was handed over
}

// ask hands a request over, in the goroutine that reads.
func (l *life) ask(m *ask) {
	a := &asked{life: l, number: m.number, alone: m.alone}
	m.Asker, m.Held = a, a
	if m.clustered {
		m.Elsewhere = a
	}
	l.mu.Lock()
	l.asked[a.number] = a
	l.mu.Unlock()
	a.request = l.instance.Begin(&m.Ask)
}

// find returns a request that is open, in the goroutine that reads.
func (l *life) find(number uint64) *asked {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked[number]
}

// Release implements runner.Releaser.
func (a *asked) Release() { a.life.queue.take(a.number) }

// Tell implements runner.Asker. An answer that is too long, or for which there is no room, becomes a short one.
func (a *asked) Tell(e *envelope.Envelope, how runner.How) {
	l := a.life
	if !how.Open {
		l.mu.Lock()
		delete(l.asked, a.number)
		l.mu.Unlock()
	}
	if how.Left {
		return // the parent has said so
	}
	frame := a.answer(e, how)
	if e != nil {
		switch {
		case !(home{l}).fits(frame, "answer"):
			frame = a.instead(envelope.InternalError, e, how)
		case l.queue.waiting() > 2*l.settings.QueueBytes:
			l.log.Error("answer dropped: too much waits for the router", "limit", l.settings.QueueBytes, "setting", "process.Options.QueueBytes")
			frame = a.instead(envelope.Unavailable, e, how)
		}
	}
	l.queue.put(frame)
}

// answer returns the frame of an answer.
func (a *asked) answer(e *envelope.Envelope, how runner.How) []byte {
	flags := byte(0)
	for _, flag := range []struct {
		set   bool
		value byte
	}{{how.Open, tellOpen}, {how.Refused, tellRefused}, {how.Passed, tellPassed}} {
		if flag.set {
			flags |= flag.value
		}
	}
	return appendTold(appendNumber(newFrame(frameTell, 16+toldSize(e)), a.number), e, flags)
}

// instead returns the frame of what takes the place of an answer. It is the last one: what comes after it would lack a part.
func (a *asked) instead(status envelope.Status, e *envelope.Envelope, how runner.How) []byte {
	how.Open = false
	short := status.Answer(e)
	return a.answer(&envelope.Envelope{Topic: e.Topic, StatusString: short.StatusString, StatusCode: short.StatusCode}, how)
}

// Alone implements runner.Elsewhere.
func (a *asked) Alone() bool { return a.alone }

// Pass implements runner.Elsewhere. Tell says that the request was passed, so nothing calls Pass.
func (a *asked) Pass(*envelope.Envelope) {}

// Refuse implements runner.Elsewhere. Tell says that the request was refused, so nothing calls Refuse.
func (a *asked) Refuse(*envelope.Envelope) {}

// Share implements runner.Elsewhere.
func (a *asked) Share() { a.life.queue.put(appendNumber(newFrame(frameShare, 16), a.number)) }

// Gather implements runner.Elsewhere.
func (a *asked) Gather(within time.Duration, take func([]service.Answer)) {
	l := a.life
	l.mu.Lock()
	l.gathering++
	gathering := l.gathering
	l.gatherings[gathering] = take
	l.mu.Unlock()
	frame := appendNumber(appendNumber(newFrame(frameGather, 32), a.number), gathering)
	l.queue.put(appendNumber(frame, uint64(within.Milliseconds()))) //nolint:gosec // it is not negative
}

// gathered hands over what other nodes have answered.
func (l *life) gathered(gathering uint64, text []byte) {
	l.mu.Lock()
	take := l.gatherings[gathering]
	delete(l.gatherings, gathering)
	l.mu.Unlock()
	var answers []service.Answer
	if err := json.Unmarshal(text, &answers); err != nil {
		l.log.Error("answers of other nodes cannot be read", "err", err)
	}
	if take != nil {
		take(answers)
	}
}
