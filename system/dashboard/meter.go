package dashboard

import (
	"context"
	"time"

	"strowger/actors/envelope"
	"strowger/system/service"
)

// settle is the least time between two samples that are made for a request: the kernel counts in
// hundredths of a second, so over less nothing can be said.
const settle = 500 * time.Millisecond

// meter says and answers one topic from the difference of two samples.
type meter[S any] struct {
	topic string
	read  func(ctx context.Context) (S, error) // may block
	value func(before, after S) any

	ctx     service.Context // ends with this life of the service
	last    *S
	latest  any // nil until there are two samples
	waiting []service.Request
	hurried bool // a sample for those who wait is to come
	reading bool // a sample is under way
	due     bool // it is to be broadcast
	failing bool // the last one could not be read, and that was logged
}

func newMeter[S any](topic string, read func(ctx context.Context) (S, error), value func(before, after S) any) *meter[S] {
	return &meter[S]{topic: topic, read: read, value: value}
}

// register takes a first sample at once, so that the first broadcast has something to compare with.
func (m *meter[S]) register(s service.Setup, interval time.Duration) {
	m.ctx = s
	s.Handle(m.topic, m.answer)
	s.Every(interval, func(service.Context) {
		m.due = true
		m.sample()
	})
	m.sample()
}

// answer has who asks before the second sample wait for it.
func (m *meter[S]) answer(r service.Request) error {
	if m.latest != nil {
		r.Reply(m.latest)
		return nil
	}
	m.waiting = append(m.waiting, r)
	m.hurry()
	return nil
}

func (m *meter[S]) hurry() {
	if m.hurried {
		return
	}
	m.hurried = true
	m.ctx.After(settle, func(service.Context) {
		m.hurried = false
		m.sample()
	})
}

// sample reads the counters, unless that is under way: a read that hangs must not pile up.
func (m *meter[S]) sample() {
	if m.reading {
		return
	}
	m.reading = m.ctx.Go(func(ctx context.Context) func() {
		s, err := m.read(ctx)
		return func() { m.take(s, err) }
	})
	if !m.reading {
		m.ctx.Log().Warn("no sample, too much work waits", "topic", m.topic)
		m.refuse("too much work waits")
	}
}

func (m *meter[S]) take(s S, err error) {
	m.reading = false
	if err != nil {
		m.fail(err)
		return
	}
	m.failing = false
	before := m.last
	m.last = &s
	if before == nil {
		if len(m.waiting) > 0 {
			m.hurry()
		}
		return
	}
	m.latest = m.value(*before, s)
	for _, r := range m.waiting {
		r.Reply(m.latest)
	}
	m.waiting = nil
	if m.due {
		m.due = false
		m.ctx.BroadcastHere(m.topic, m.latest) // a page shows the machine that it is connected to
	}
}

// fail logs the first of several failures in a row. What was true before it is not told any more.
func (m *meter[S]) fail(err error) {
	if !m.failing {
		m.ctx.Log().Warn("no sample", "topic", m.topic, "err", err)
	}
	m.failing, m.latest = true, nil
	m.refuse("the counters cannot be read")
}

func (m *meter[S]) refuse(reason string) {
	for _, r := range m.waiting {
		r.Fail(envelope.Unavailable.Code, reason)
	}
	m.waiting = nil
}
