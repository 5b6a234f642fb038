package web

import (
	"strowger/actors"
	"strowger/actors/refusals"
)

// caller is a peer that sends messages by POST and waits for the answer to each.
type caller struct {
	guest

	// Protected by mu of guest.
	calls   int      // messages that wait for an answer
	answers [][]byte // not taken yet, as JSON
	bytes   int64    // of them
	charged int64    // to the account, since somebody waits
	next    uint64   // the last request id
}

func newCaller(h *Handler, s *Session, l *Limits) *caller {
	c := new(caller)
	c.init(h, s, l)
	return c
}

// queued returns what waits for the peer.
func (c *caller) queued() (messages int, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.answers), c.bytes
}

// Calls implements actors.Caller.
func (c *caller) Calls() {}

// Admit implements actors.Outlet.
func (c *caller) Admit(role actors.Role, _ actors.Message) { c.admit(role) }

// Send implements actors.Outlet. What comes while nobody waits is not wanted.
func (c *caller) Send(m actors.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := m.Text()
	switch {
	case c.over || c.calls == 0:
		c.handler.deps.Counters.Dead(actors.SocketClosed)
	case len(c.answers) > 0 && (len(c.answers) >= c.limits.OutboundMessages || c.bytes+int64(len(text)) > c.limits.OutboundBytes):
		c.cutOff(refusals.SlowReader, "messages", len(c.answers), "bytes", c.bytes)
	default:
		c.answers = append(c.answers, text)
		c.bytes += int64(len(text))
		c.charged += int64(len(text))
		c.account.charge(int64(len(text)))
		c.signal()
	}
}

// call says that n messages will wait for their answers, and returns the request id of the first. The others have the
// next numbers.
func (c *caller) call(n int) (first uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls += n
	first = c.next + 1
	c.next += uint64(n)
	return first
}

// handOver ends the wait for answers, which go to another process.
func (c *caller) handOver() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls > 0 {
		c.finish(actors.GoingAway)
	}
}

// settle says that n messages do not wait any more.
func (c *caller) settle(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls -= n
	if c.calls == 0 {
		c.account.settle(c.charged)
		c.answers, c.bytes, c.charged = nil, 0, 0
	}
}

// take returns what has come.
func (c *caller) take() [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.answers
	c.answers, c.bytes = nil, 0
	return all
}
