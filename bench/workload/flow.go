package workload

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"strowger/bench/dialect"
	"strowger/bench/load"
)

// topic is what everybody subscribes to.
const topic = "bench"

// flow says events and accounts for each delivery of each of them. It is the handler of the
// members' connections; what it has is the loop's, but for sent.
type flow struct {
	loop      *load.Loop
	dialect   dialect.Dialect
	publisher *load.Conn
	event     template
	members   int
	classes   int           // of the members
	filters   bool          // whether members must lack what their class may not see
	window    uint32        // events under way at the same time; 0: as many as come
	sent      atomic.Uint32 // the number of the last event said
	done      uint32        // up to here all members have all events
	counts    [ring]int32   // who has an event after that, by its number
	got       int64
	latency   *latencies // nil: not wanted
	stopping  bool
	drained   chan struct{}
	failed    chan struct{}
	over      chan struct{} // closed when no more events come
	err       error
}

// ring is more than the largest window.
const ring = 1 << 16

// newFlow opens a service and so many members, who are in so many permission classes.
func newFlow(r *round, members, classes, eventSize int) (*flow, error) {
	service, err := r.dial(1, load.Options{}, func(int) dialect.Role { return dialect.Role{Kind: dialect.Service, Topic: topic} })
	if err != nil {
		return nil, err
	}
	conns, err := r.dial(members, load.Options{}, func(i int) dialect.Role {
		return dialect.Role{Topic: topic, Class: i % classes}
	})
	if err != nil {
		return nil, err
	}
	f := &flow{loop: r.loop, dialect: r.server, publisher: service[0], members: members, classes: classes, filters: r.spec.Filters,
		event:   newTemplate(r.server.Event(topic, newData(eventSize, true))),
		drained: make(chan struct{}), failed: make(chan struct{}), over: make(chan struct{})}
	for _, c := range conns {
		c.Handler = f
	}
	f.publisher.Handler = &quiet{f}
	return f, r.loop.Add(append(conns, f.publisher)...)
}

// Frame takes what a member was sent.
func (f *flow) Frame(c *load.Conn, payload []byte) {
	f.each(c, payload, func(m load.Mark) {
		if m.Seq != c.Last+1 {
			f.fail(fmt.Errorf("member %d got event %d after %d", c.Index, m.Seq, c.Last))
			return
		}
		if c.Last == 0 && f.filters {
			f.checkFilter(c.Index%f.classes, payload)
		}
		c.Last = m.Seq
		f.deliver(m)
	})
}

// checkFilter looks at the first message of a member, which must have all guarded keys but its own.
func (f *flow) checkFilter(class int, payload []byte) {
	for i := range dialect.Classes {
		if has := bytes.Contains(payload, []byte(dialect.GuardedKey(i))); has == (i == class) {
			f.fail(fmt.Errorf("member of class %d: key %s is there: %t", class, dialect.GuardedKey(i), has))
		}
	}
}

// Closed says that a member was cut off.
func (f *flow) Closed(c *load.Conn, err error) {
	f.fail(fmt.Errorf("member %d: %w", c.Index, err))
}

// each calls do for every event in the payload. A message may hold several, or none.
func (f *flow) each(c *load.Conn, payload []byte, do func(load.Mark)) {
	m, start, end, err := load.FindMark(payload, c.Hint)
	if err != nil {
		f.fail(err)
		return
	}
	if end == 0 {
		f.control(c, payload)
		return
	}
	c.Hint = start
	for end > 0 {
		do(m)
		payload = payload[end:]
		if m, _, end, err = load.FindMark(payload, start); err != nil {
			f.fail(err)
			return
		}
	}
}

func (f *flow) control(c *load.Conn, payload []byte) {
	answer, err := f.dialect.Control(payload)
	if err != nil {
		f.fail(err)
		return
	}
	if answer != nil {
		c.Send(load.AppendText(nil, answer))
	}
}

func (f *flow) deliver(m load.Mark) {
	f.got++
	if f.latency != nil {
		f.latency.add(f.loop.Now() - m.Sent)
	}
	count := &f.counts[m.Seq%ring]
	if *count++; int(*count) < f.members {
		return
	}
	*count = 0
	f.done = m.Seq
	if f.window > 0 && !f.stopping {
		f.publish()
	}
	if f.stopping && f.done == f.sent.Load() {
		close(f.drained)
	}
}

// publish says the next event.
func (f *flow) publish() {
	seq := f.sent.Load() + 1
	if seq-f.done >= ring {
		f.fail(fmt.Errorf("%d events are under way", seq-f.done))
		return
	}
	f.sent.Store(seq)
	f.publisher.Send(f.event.mark(load.Mark{Seq: seq, Sent: f.loop.Now()}))
}

func (f *flow) fail(err error) {
	if f.err == nil {
		f.err = err
		close(f.failed)
	}
}

// saturate keeps window events under way while it runs, and adds its figures to the round's.
func (f *flow) saturate(r *round, window int) error {
	f.window = uint32(window)
	return f.measure(r, func() {
		for range window {
			f.publish()
		}
	}, func() {})
}

// pace says perSecond events a second while it runs. Their latency counts from when they were
// written.
func (f *flow) pace(r *round, perSecond int) error {
	ticker := time.NewTicker(time.Second / time.Duration(perSecond))
	end := make(chan struct{})
	return f.measure(r, func() {
		go func() {
			for {
				select {
				case <-ticker.C:
					f.loop.Post(func() {
						if !f.stopping {
							f.publish()
						}
					})
				case <-end:
					return
				}
			}
		}()
	}, func() { ticker.Stop(); close(end) })
}

// measure runs the flow from start to stop, and then until everybody has everything.
func (f *flow) measure(r *round, start, stop func()) error {
	defer stop()
	f.loop.Do(start)
	if err := f.wait(r.times.Warm); err != nil {
		return err
	}
	var from, to sample
	var err error
	f.loop.Do(func() {
		from, err = r.sample(f.got)
		if f.latency != nil {
			f.latency.micros = f.latency.micros[:0]
		}
	})
	if err != nil {
		return err
	}
	if err := f.wait(r.times.Measure); err != nil {
		return err
	}
	if err := f.drain(r.times.Drain); err != nil {
		return err
	}
	f.loop.Do(func() { to, err = r.sample(f.got) })
	if err != nil {
		return err
	}
	if f.latency != nil {
		f.latency.into(r.figures)
	}
	r.figures[Missed] = float64(int64(f.sent.Load())*int64(f.members) - f.got)
	return r.between(from, to)
}

func (f *flow) wait(d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-f.failed:
		return f.err
	}
}

func (f *flow) drain(timeout time.Duration) error {
	f.loop.Do(func() {
		if f.stopping = true; f.done == f.sent.Load() {
			close(f.drained)
		}
	})
	select {
	case <-f.drained:
		return nil
	case <-f.failed:
		return f.err
	case <-time.After(timeout):
	}
	var err error
	f.loop.Do(func() {
		missing := int64(f.sent.Load())*int64(f.members) - f.got
		err = errors.Join(fmt.Errorf("%d deliveries are missing after %s", missing, timeout), f.err)
	})
	return err
}

// quiet is the handler of the publisher, who is sent nothing but control messages.
type quiet struct{ *flow }

// Closed says that it was cut off.
func (q *quiet) Closed(_ *load.Conn, err error) { q.fail(fmt.Errorf("publisher: %w", err)) }

// Frame takes control messages.
func (q *quiet) Frame(c *load.Conn, payload []byte) { q.control(c, payload) }
