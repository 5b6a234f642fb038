package admin

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// limiter is a listener that keeps to a number of open connections. When there are too many it closes
// the one that has been waiting longest for its next request, or the new one if all are busy. So
// connections that are merely open cannot keep anybody out.
type limiter struct {
	net.Listener
	most    int
	refused *refused

	mu      sync.Mutex // Protects following.
	open    map[*limited]bool
	waiting []*limited // the one that has waited longest first
}

func newLimiter(inner net.Listener, connections int, refused *refused) *limiter {
	return &limiter{Listener: inner, most: connections, refused: refused, open: make(map[*limited]bool)}
}

// Accept waits for a connection there is room for.
func (l *limiter) Accept() (net.Conn, error) {
	for {
		inner, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &limited{Conn: inner, limiter: l}
		if l.enter(c) {
			return c, nil
		}
		_ = inner.Close()
	}
}

// enter takes c in, in the place of another if need be. It returns false if there is no room.
func (l *limiter) enter(c *limited) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) >= l.most {
		l.refused.add(tooMany, c.RemoteAddr().String())
		if len(l.waiting) == 0 {
			return false
		}
		oldest := l.waiting[0]
		l.leave(oldest)
		_ = oldest.Conn.Close()
	}
	l.open[c] = true
	l.waiting = append(l.waiting, c)
	return true
}

// leave forgets c, if it is known. The caller holds mu.
func (l *limiter) leave(c *limited) {
	delete(l.open, c)
	l.work(c)
}

// work takes c out of those that wait. The caller holds mu.
func (l *limiter) work(c *limited) {
	for i, other := range l.waiting {
		if other == c {
			l.waiting = append(l.waiting[:i], l.waiting[i+1:]...)
			return
		}
	}
}

// wait adds c to those that wait, unless it has left.
func (l *limiter) wait(c *limited) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[c] {
		l.waiting = append(l.waiting, c)
	}
}

// changed is the hook that net/http calls when a connection begins or ends to be busy.
func (l *limiter) changed(conn net.Conn, state http.ConnState) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	c, ok := conn.(*limited)
	if !ok {
		return
	}
	c.changed(state)
	switch state {
	case http.StateActive:
		l.mu.Lock()
		defer l.mu.Unlock()
		l.work(c)
	case http.StateIdle:
		l.wait(c)
	case http.StateNew, http.StateHijacked, http.StateClosed: // Accept and Close know
	}
}
