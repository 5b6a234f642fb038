package admin

import (
	"net"
	"sync"
)

// limiter is a listener that closes connections at once when too many are open.
type limiter struct {
	net.Listener
	slots chan struct{} // one for each open connection
}

func newLimiter(inner net.Listener, connections int) *limiter {
	return &limiter{inner, make(chan struct{}, connections)}
}

// Accept waits for a connection there is room for.
func (l *limiter) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.slots <- struct{}{}:
			return &limited{Conn: conn, slots: l.slots}, nil
		default:
			_ = conn.Close()
		}
	}
}

// limited gives its slot back when it is closed.
type limited struct {
	net.Conn
	slots chan struct{}
	once  sync.Once
}

// Close may be called more than once.
func (c *limited) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { <-c.slots })
	return err
}
