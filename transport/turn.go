package transport

import (
	"crypto/tls"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
)

// turns bounds how many handshakes are worked on at a time. The goroutines of the others wait, and do not stand before
// those of authenticated connections in the scheduler's queue. A handshake that waits for its peer has no turn, so
// that a slow peer takes none from others. While all turns are taken nothing is accepted.
type turns struct {
	limits  *atomic.Pointer[Limits]
	mu      sync.Mutex // Protects following.
	free    sync.Cond  // signalled when a turn may be free
	taken   int
	waiting int // handshakes that wait for a turn
}

func newTurns(limits *atomic.Pointer[Limits]) *turns {
	t := &turns{limits: limits}
	t.free.L = &t.mu
	return t
}

// handshakes returns how many handshakes may be worked on at a time: two for each processor unless l says
// otherwise, so that one is at work where another is put aside.
func (l *Limits) handshakes() int {
	if l.Handshakes == 0 {
		return 2 * runtime.GOMAXPROCS(0)
	}
	return l.Handshakes
}

// take waits for a turn.
func (t *turns) take() *turn {
	t.wait()
	return &turn{turns: t}
}

func (t *turns) wait() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting++
	for t.taken >= t.limits.Load().handshakes() {
		t.free.Wait()
	}
	t.waiting--
	t.taken++
	// A reload may have freed more turns than the one.
	t.free.Signal()
}

func (t *turns) giveBack() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.taken--
	t.free.Signal()
}

// counts returns how many turns are taken and how many handshakes wait for one.
func (t *turns) counts() (taken, waiting int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.taken, t.waiting
}

// turn is held by one goroutine until end.
type turn struct {
	turns *turns
	over  bool
}

// end gives the turn back. It may be called again.
func (t *turn) end() {
	if !t.over {
		t.over = true
		t.turns.giveBack()
	}
}

// aside calls f, which may block, and gives the turn to others meanwhile.
func (t *turn) aside(f func() (int, error)) (int, error) {
	if t.over {
		return f()
	}
	t.turns.giveBack()
	defer t.turns.wait()
	return f()
}

// turnConn is a connection whose handshake is worked on in turn.
type turnConn struct {
	net.Conn
	turn *turn
	back []byte // is read before the rest
	// done is set before the connection is handed over to goroutines that have no turn.
	done bool
}

// Read implements net.Conn.
func (c *turnConn) Read(p []byte) (int, error) {
	if len(c.back) > 0 {
		n := copy(p, c.back)
		c.back = c.back[n:]
		return n, nil
	}
	if c.done {
		return c.Conn.Read(p) //nolint:wrapcheck // as it is
	}
	return c.turn.aside(func() (int, error) { return c.Conn.Read(p) })
}

// Write implements net.Conn. TLS writes in a handshake.
func (c *turnConn) Write(p []byte) (int, error) {
	if c.done {
		return c.Conn.Write(p) //nolint:wrapcheck // as it is
	}
	return c.turn.aside(func() (int, error) { return c.Conn.Write(p) })
}

// underlying returns the TCP connection below TLS.
func underlying(conn net.Conn) net.Conn {
	if c, ok := conn.(*tls.Conn); ok {
		conn = c.NetConn()
	}
	if c, ok := conn.(*turnConn); ok {
		conn = c.Conn
	}
	return conn
}
