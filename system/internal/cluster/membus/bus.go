// Package membus is a bus in memory for tests of clusters. It delays, drops and cuts as it is told.
package membus

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Errors of Publish and Listen.
var (
	ErrClosed  = errors.New("membus: the connection is closed")
	ErrStopped = errors.New("membus: the bus is stopped")
)

// DefaultMaxBytes is how long a message may be unless SetMaxBytes says otherwise, as with NATS.
const DefaultMaxBytes = 1 << 20

// Bus takes messages from each Conn to all that listen. Its methods may be called from any goroutine.
type Bus struct {
	mu       sync.Mutex // Protects following.
	random   *rand.Rand
	conns    []*Conn
	cuts     map[[2]string]bool
	delays   map[string]time.Duration
	jitter   time.Duration
	rate     float64
	drop     func(m Message) bool
	stopped  bool
	limit    int
	maxBytes int
	dropped  int
}

// Message is a message on its way to one Conn.
type Message struct {
	From, To string // names of the Conns
	Subject  string
	Data     []byte // not to be changed or kept
}

// New returns a bus without faults. All that it does at random comes from seed.
func New(seed uint64) *Bus {
	return &Bus{random: rand.New(rand.NewPCG(seed, seed)), cuts: map[[2]string]bool{}, delays: map[string]time.Duration{}, maxBytes: DefaultMaxBytes}
}

// Connect returns a connection. The name is what faults go by; several may have the same one.
func (b *Bus) Connect(name string) *Conn {
	c := &Conn{bus: b, name: name, listeners: map[string][]func([]byte){}, done: make(chan struct{})}
	c.cond = sync.NewCond(&b.mu)
	b.mu.Lock()
	b.conns = append(b.conns, c)
	b.mu.Unlock()
	go c.deliver()
	return c
}

func (b *Bus) set(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
	for _, c := range b.conns {
		c.cond.Broadcast()
	}
}

// Delay has every message to the Conns of a name arrive so much later.
func (b *Bus) Delay(to string, d time.Duration) { b.set(func() { b.delays[to] = d }) }

// Jitter adds a random time below d to every delay. Messages to one Conn keep their order.
func (b *Bus) Jitter(d time.Duration) { b.set(func() { b.jitter = d }) }

// DropRate drops messages at random: 0 none, 1 all.
func (b *Bus) DropRate(rate float64) { b.set(func() { b.rate = rate }) }

// DropIf drops the messages for which f returns true. F is called by one goroutine at a time, and must not call the
// bus. Nil drops none.
func (b *Bus) DropIf(f func(m Message) bool) { b.set(func() { b.drop = f }) }

// Cut drops all messages between the Conns of two names until Heal.
func (b *Bus) Cut(one, other string) {
	b.set(func() { b.cuts[[2]string{one, other}], b.cuts[[2]string{other, one}] = true, true })
}

// CutTo drops all messages from one to the other, but not back.
func (b *Bus) CutTo(from, to string) { b.set(func() { b.cuts[[2]string{from, to}] = true }) }

// Heal undoes Cut and CutTo.
func (b *Bus) Heal(one, other string) {
	b.set(func() {
		delete(b.cuts, [2]string{one, other})
		delete(b.cuts, [2]string{other, one})
	})
}

// Stop drops all that is on its way, and has Publish return an error until Restart.
func (b *Bus) Stop() {
	b.set(func() {
		b.stopped = true
		for _, c := range b.conns {
			b.dropped += len(c.queue)
			c.queue = nil
		}
	})
}

// Restart undoes Stop. Who has listened still does.
func (b *Bus) Restart() { b.set(func() { b.stopped = false }) }

// SetLimit bounds how many messages wait for one Conn. Those beyond are dropped. 0: no bound.
func (b *Bus) SetLimit(messages int) { b.set(func() { b.limit = messages }) }

// SetMaxBytes sets what MaxBytes returns. Longer messages are refused.
func (b *Bus) SetMaxBytes(n int) { b.set(func() { b.maxBytes = n }) }

// Dropped returns how many messages have been dropped, for whatever reason.
func (b *Bus) Dropped() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dropped
}

// loses reports whether m is dropped. The caller holds mu.
func (b *Bus) loses(m Message, waiting int) bool {
	lost := b.cuts[[2]string{m.From, m.To}] || b.limit > 0 && waiting >= b.limit || b.drop != nil && b.drop(m) ||
		b.rate > 0 && b.random.Float64() < b.rate
	if lost {
		b.dropped++
	}
	return lost
}

// arrival returns when a message to c arrives. The caller holds mu.
func (b *Bus) arrival(c *Conn) time.Time {
	d := b.delays[c.name]
	if b.jitter > 0 {
		d += time.Duration(b.random.Int64N(int64(b.jitter)))
	}
	if d == 0 {
		return time.Time{}
	}
	return time.Now().Add(d)
}

// Conn is a connection to a Bus. It implements cluster.Conn.
type Conn struct {
	bus  *Bus
	name string
	cond *sync.Cond // of bus.mu, which protects following
	done chan struct{}

	listeners map[string][]func([]byte)
	queue     []pending
	stalled   bool
	closed    bool
}

type pending struct {
	take []func([]byte)
	data []byte
	at   time.Time // zero: at once
}

// Publish implements cluster.Conn.
func (c *Conn) Publish(subject string, data []byte) error {
	b := c.bus
	b.mu.Lock()
	defer b.mu.Unlock()
	for c.stalled && !c.closed {
		c.cond.Wait()
	}
	switch {
	case c.closed:
		return ErrClosed
	case b.stopped:
		return ErrStopped
	case len(data) > b.maxBytes:
		return errors.New("membus: the message is too long")
	}
	data = slices.Clone(data)
	for _, to := range b.conns {
		take := to.listeners[subject]
		if len(take) > 0 && !b.loses(Message{c.name, to.name, subject, data}, len(to.queue)) {
			to.queue = append(to.queue, pending{take, data, b.arrival(to)})
			to.cond.Broadcast()
		}
	}
	return nil
}

// Stall has Publish block, or go on.
func (c *Conn) Stall(stalled bool) { c.bus.set(func() { c.stalled = stalled }) }

// Listen implements cluster.Conn.
func (c *Conn) Listen(subject string, take func(data []byte)) error {
	c.bus.mu.Lock()
	defer c.bus.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	c.listeners[subject] = append(slices.Clone(c.listeners[subject]), take)
	return nil
}

// MaxBytes implements cluster.Conn.
func (c *Conn) MaxBytes() int {
	c.bus.mu.Lock()
	defer c.bus.mu.Unlock()
	return c.bus.maxBytes
}

// Close implements cluster.Conn.
func (c *Conn) Close() {
	b := c.bus
	b.set(func() {
		c.closed = true
		b.conns = slices.DeleteFunc(b.conns, func(other *Conn) bool { return other == c })
	})
	c.cond.Broadcast()
	<-c.done
}

// deliver calls the listeners.
func (c *Conn) deliver() {
	defer close(c.done)
	for {
		m, ok := c.next()
		if !ok {
			return
		}
		for _, take := range m.take {
			take(m.data)
		}
	}
}

// next waits for the next message and for the time of its arrival. It returns false once c is closed.
func (c *Conn) next() (pending, bool) {
	b := c.bus
	b.mu.Lock()
	defer b.mu.Unlock()
	for !c.closed {
		if len(c.queue) == 0 {
			c.cond.Wait()
			continue
		}
		m := c.queue[0]
		if wait := time.Until(m.at); !m.at.IsZero() && wait > 0 {
			timer := time.AfterFunc(wait, func() { b.set(func() {}) })
			c.cond.Wait()
			timer.Stop()
			continue
		}
		c.queue = c.queue[1:]
		return m, true
	}
	return pending{}, false
}
