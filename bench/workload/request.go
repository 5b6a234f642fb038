package workload

import (
	"fmt"

	"strowger/bench/dialect"
	"strowger/bench/load"
	"strowger/bench/server"
)

// requestSize is how many bytes of JSON a request carries, and its reply.
const requestSize = 128

// Remote has callers ask services that are connections, each waiting for its reply before it asks
// again. Callers are spread over the services.
func Remote(callers, services int) Workload {
	return Workload{
		Name:        fmt.Sprintf("remote-%d-s%d", callers, services),
		Title:       fmt.Sprintf("request/reply, %d callers, %d remote services", callers, services),
		Unit:        "round trip",
		Connections: callers + services,
		Fits:        func(s server.Spec) bool { return s.Remote && (s.Topics || services == 1) },
		run: func(r *round) error {
			conns, err := r.dial(services, load.Options{}, func(i int) dialect.Role {
				return dialect.Role{Kind: dialect.Service, Topic: serviceName(i)}
			})
			if err != nil {
				return err
			}
			a := newAsking(r, callers)
			for i, c := range conns {
				c.Handler = &answering{asking: a, topic: serviceName(i), data: newData(requestSize, false)}
			}
			if err := r.loop.Add(conns...); err != nil {
				return err
			}
			return a.run(r, func(i int) string { return serviceName(i % services) })
		},
	}
}

// Local has callers ask the server itself.
func Local(callers int) Workload {
	return Workload{
		Name:        fmt.Sprintf("local-%d", callers),
		Title:       fmt.Sprintf("request/reply, %d callers, in-process service", callers),
		Unit:        "round trip",
		Connections: callers,
		Fits:        func(s server.Spec) bool { return s.Local },
		run: func(r *round) error {
			return newAsking(r, callers).run(r, func(int) string { return dialect.Local })
		},
	}
}

func serviceName(i int) string { return fmt.Sprintf("%s_%d", topic, i) }

// asking is the handler of the callers: a reply is the signal for the next request.
type asking struct {
	*flow
	callers  int
	requests []template // by caller
}

func newAsking(r *round, callers int) *asking {
	return &asking{callers: callers, requests: make([]template, callers),
		flow: &flow{loop: r.loop, dialect: r.server, latency: newLatencies(), members: 1,
			drained: make(chan struct{}), failed: make(chan struct{})}}
}

func (a *asking) run(r *round, ask func(caller int) string) error {
	conns, err := r.dial(a.callers, load.Options{}, func(i int) dialect.Role {
		return dialect.Role{Kind: dialect.Caller, Topic: ask(i), Number: i}
	})
	if err != nil {
		return err
	}
	for i, c := range conns {
		a.requests[i] = newTemplate(r.server.Request(ask(i), i, newData(requestSize, false)))
		c.Handler = a
	}
	if err := r.loop.Add(conns...); err != nil {
		return err
	}
	return a.measure(r, func() {
		for _, c := range conns {
			a.request(c)
		}
	}, func() {})
}

func (a *asking) request(c *load.Conn) {
	a.sent.Add(1)
	c.Send(a.requests[c.Index].mark(load.Mark{Seq: c.Last + 1, Sent: a.loop.Now()}))
}

// Frame takes a reply.
func (a *asking) Frame(c *load.Conn, payload []byte) {
	a.each(c, payload, func(m load.Mark) {
		if m.Seq != c.Last+1 {
			a.fail(fmt.Errorf("caller %d got reply %d after %d", c.Index, m.Seq, c.Last))
			return
		}
		c.Last = m.Seq
		a.got++
		a.done++
		a.latency.add(a.loop.Now() - m.Sent)
		switch {
		case !a.stopping:
			a.request(c)
		case a.done == a.sent.Load():
			close(a.drained)
		}
	})
}

// answering is the handler of a service's connection.
type answering struct {
	*asking
	topic  string
	data   []byte
	frames []byte
}

func (s *answering) Frame(c *load.Conn, payload []byte) {
	frames, err := s.dialect.Answers(s.frames[:0], s.topic, payload, s.data)
	if err != nil {
		s.fail(err)
		return
	}
	s.frames = frames
	if len(frames) == 0 {
		s.control(c, payload)
		return
	}
	c.Send(frames)
}

func (s *answering) Closed(_ *load.Conn, err error) {
	s.fail(fmt.Errorf("service %s: %w", s.topic, err))
}
