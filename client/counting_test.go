package client

import (
	"context"
	"net"
	"sync/atomic"
)

// countingConn counts the bytes that are read from a connection.
type countingConn struct {
	net.Conn
	read atomic.Int64
}

// dial is for Options.Dial, once.
func (c *countingConn) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var err error
	c.Conn, err = new(net.Dialer).DialContext(ctx, network, address)
	return c, err
}

func (c *countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	return n, err
}
