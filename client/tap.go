package client

import (
	"net"
	"sync/atomic"
	"time"
)

// tap stands between the WebSocket library and the network connection, because
// the library closes the connection right behind its close frame, without
// waiting for the answer, and knows no write deadline.
type tap struct {
	net.Conn
	writeTimeout time.Duration
	linger       time.Duration // how long reading goes on after Close
	opened       time.Time
	seen         atomic.Int64 // when bytes last arrived, as time since opened
	broken       error        // of the write that failed; the library's lock protects it
}

func newTap(conn net.Conn, writeTimeout, linger time.Duration) *tap {
	return &tap{Conn: conn, writeTimeout: writeTimeout, linger: linger, opened: time.Now()}
}

// Read notes the time of every arrival: a long message is a sign of life before
// it is complete.
func (t *tap) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	if n > 0 {
		t.seen.Store(int64(time.Since(t.opened)))
	}
	return n, err
}

// Write gives each frame its own deadline. Once one has failed all do: the library
// would spend another deadline on the close frame.
func (t *tap) Write(p []byte) (int, error) {
	if t.broken != nil {
		return 0, t.broken
	}
	if err := t.Conn.SetWriteDeadline(time.Now().Add(t.writeTimeout)); err != nil {
		return 0, err
	}
	n, err := t.Conn.Write(p)
	t.broken = err
	return n, err
}

// SetDeadline ignores the library's handshake timeout: the context of the attempt
// has the say.
func (t *tap) SetDeadline(time.Time) error {
	return nil
}

// Close lets the read loop go on until the router answers the close frame, but no
// longer than linger. The socket closes the connection beneath.
func (t *tap) Close() error {
	return t.Conn.SetReadDeadline(time.Now().Add(t.linger))
}

// lastSeen returns when bytes last arrived, as time since the tap was opened.
func (t *tap) lastSeen() time.Duration {
	return time.Duration(t.seen.Load())
}

// age returns the time since the tap was opened.
func (t *tap) age() time.Duration {
	return time.Since(t.opened)
}
