package system

import (
	"net"
	"sync"
	"testing"
	"time"
)

// tollgate passes TCP connections on to an address. A test cuts them, or has what they carry wait or come late.
type tollgate struct {
	listener net.Listener
	target   string

	mu     sync.Mutex // Protects following.
	closed bool       // nothing passes, and connections are refused
	delay  time.Duration
	conns  map[net.Conn]struct{}
	open   chan struct{} // closed while what goes to the target passes
}

func newTollgate(t testing.TB, target string) *tollgate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &tollgate{listener: l, target: target, conns: make(map[net.Conn]struct{}), open: make(chan struct{})}
	close(g.open)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { g.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		g.stall(false)
		g.cut()
		all.Wait()
	})
	return g
}

func (g *tollgate) address() string { return g.listener.Addr().String() }

// serve passes on what one connection carries until an end closes it.
func (g *tollgate) serve(c net.Conn) {
	defer c.Close()
	to, err := net.Dial("tcp", g.target)
	if err != nil || !g.enter(c, to) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { g.carry(c, to, true) })
	both.Go(func() { g.carry(to, c, false) })
	both.Wait()
}

func (g *tollgate) enter(ends ...net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range ends {
		if g.closed {
			_ = c.Close()
			continue
		}
		g.conns[c] = struct{}{}
	}
	return !g.closed
}

func (g *tollgate) carry(from, to net.Conn, out bool) {
	defer func() {
		_, _ = from.Close(), to.Close() // either may be closed
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.conns, from)
		delete(g.conns, to)
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			g.mu.Lock()
			delay, open := g.delay, g.open
			g.mu.Unlock()
			if out {
				<-open
			}
			if delay > 0 {
				time.Sleep(delay)
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// cut ends all connections, and refuses others until heal.
func (g *tollgate) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for c := range g.conns {
		_ = c.Close()
	}
}

func (g *tollgate) heal() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = false
}

// late has everything come so much later.
func (g *tollgate) late(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.delay = d
}

// stall has what goes to the target wait, while the connections stay, and what comes from it comes.
func (g *tollgate) stall(stalls bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.open:
		if stalls {
			g.open = make(chan struct{})
		}
	default:
		if !stalls {
			close(g.open)
		}
	}
}
