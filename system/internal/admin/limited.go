package admin

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"os"
	"sync/atomic"
)

// limited is a connection of a limiter, which it leaves when it is closed. It tells which limit of the pages ends it:
// net/http closes it and tells nobody.
type limited struct {
	net.Conn
	limiter *limiter

	answering atomic.Bool  // a request is being answered
	read      atomic.Int64 // bytes since the last answer
	fresh     atomic.Bool  // no request has been answered
	named     atomic.Bool  // a refusal is counted
}

// Close may be called more than once.
func (c *limited) Close() error {
	c.limiter.mu.Lock()
	c.limiter.leave(c)
	c.limiter.mu.Unlock()
	return c.Conn.Close()
}

// CloseWrite says that no more is written. net/http calls it when it has answered and the peer still sends, and keeps the
// connection open for a moment so that the answer is not lost. The connection waits in that time and makes room for
// another one.
func (c *limited) CloseWrite() error {
	c.limiter.wait(c)
	if conn, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return conn.CloseWrite() //nolint:wrapcheck // as Close
	}
	return nil
}

// changed notes what net/http does with the connection.
func (c *limited) changed(state http.ConnState) {
	switch state {
	case http.StateNew:
		c.fresh.Store(true)
	case http.StateActive:
		c.answering.Store(true)
	case http.StateIdle:
		c.answering.Store(false)
		c.fresh.Store(false)
		c.read.Store(0)
	case http.StateHijacked:
		c.named.Store(true) // whoever has it has limits of his own
	case http.StateClosed:
	}
}

// Read notes when a request does not come in time. While one is answered, net/http ends its own reads by a deadline.
func (c *limited) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	if errors.Is(err, os.ErrDeadlineExceeded) && !c.answering.Load() {
		if c.fresh.Load() || c.read.Load() > 0 {
			c.refused(tooSlow)
		} else {
			c.refused(idle)
		}
	}
	return n, err //nolint:wrapcheck // net/http looks at it
}

// headTooLong begins the answer that net/http itself gives to a head that is too long. No page gives it.
const headTooLong = "HTTP/1.1 431 "

// Write notes when an answer is not read in time, and when a head is too long.
func (c *limited) Write(p []byte) (int, error) {
	if bytes.HasPrefix(p, []byte(headTooLong)) {
		c.refused(tooLong)
	}
	n, err := c.Conn.Write(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.refused(tooSlowReader)
	}
	return n, err //nolint:wrapcheck // net/http looks at it
}

// refused counts and logs why the connection ends.
func (c *limited) refused(why cause) {
	if !c.named.Swap(true) {
		c.limiter.refused.add(why, c.RemoteAddr().String())
	}
}
