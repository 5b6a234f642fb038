package natsbus

import (
	"net"
	"sync"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// line makes the connections to the server, and can end the last one while a write to it waits.
type line struct {
	server *natsserver.Server // nil: an external one

	arrivals *arrivals

	mu   sync.Mutex // Protects conn.
	conn net.Conn
}

var (
	_ nats.CustomDialer          = (*line)(nil)
	_ nats.InProcessConnProvider = (*line)(nil)
)

// Dial implements nats.CustomDialer.
func (l *line) Dial(network, address string) (net.Conn, error) {
	return l.keep(net.DialTimeout(network, address, dialTimeout))
}

// InProcessConn implements nats.InProcessConnProvider.
func (l *line) InProcessConn() (net.Conn, error) { return l.keep(l.server.InProcessConn()) }

func (l *line) keep(conn net.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = conn
	return &bounded{conn, l.arrivals}, nil
}

// cut ends the last connection.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		_ = l.conn.Close()
	}
}
