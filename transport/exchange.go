package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"strowger/actors"
	"strowger/actors/refusals"
	"strowger/transport/web"
)

// exchange is a connection whose requests ask for no socket. Package net/http reads and answers them, from the first one
// on.
type exchange struct {
	net.Conn // with TLS, where there is some
	opening  *opening
	remote   fmt.Stringer // whose the first request is
	number   uint64
	opened   time.Time
	session  *web.Session
	http     *http.Server
	closing  sync.Once

	mu    sync.Mutex  // Protects following.
	known bool        // its peer has authenticated once, or it is closed
	late  func() bool // stops the timer of closeAt; nil: there is none

	in, out atomic.Int64 // bytes, without TLS
	heard   atomic.Int64 // when something came last, by the seconds of the first shard's clock

	sent io.Reader // what was read already; belongs to whoever reads
}

// Error says why a connection is an exchange and no socket.
func (*exchange) Error() string { return errNoHandshake.Error() }

var errNoHandshake = errors.New("the request asks for no socket")

// asksWeb reports whether a request is one for package web. One that has part of a handshake asks for a socket, whatever
// its path is (protocol 2.2).
func asksWeb(r *http.Request, l *Limits) bool {
	return l.HTTP && r.Header.Get("Upgrade") == "" && r.Header.Get("Sec-WebSocket-Key") == "" && web.Serves(r.URL.Path)
}

// newWeb returns what answers the requests of exchanges.
func (s *Server) newWeb() *web.Handler {
	h := web.New(web.Options{
		Deps:   s.opts.Deps,
		Limits: func() *web.Limits { return s.opts.Limits.Load().web() },
		Allowed: func(origin, host string) bool {
			return OriginAllowed(origin, host, s.opts.Limits.Load().Origins)
		},
		Code:   func(why actors.End) int { return int(endCode(why)) },
		Queued: s.egress.queueOutside,
	})
	relieve := h.Relieve
	s.egress.outside.relieve.Store(&relieve)
	return h
}

// HTTP returns what has happened to requests that asked for no socket.
func (s *Server) HTTP() web.Stats { return s.web.Stats() }

// newExchange returns what serves a connection. Sent is all that was read from it.
func (s *Server) newExchange(o *opening, conn net.Conn, remote fmt.Stringer, sent []byte) *exchange {
	x := &exchange{Conn: conn, opening: o, remote: remote, number: s.egress.next.Add(1), opened: time.Now(), sent: bytes.NewReader(sent)}
	x.session = web.NewSession(x)
	l := o.limits
	x.http = &http.Server{
		Handler:                      s.web,
		DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout:            l.HeaderTimeout,
		IdleTimeout:                  l.IdleTimeout,
		MaxHeaderBytes:               l.HeaderBytes,
		ErrorLog:                     slog.NewLogLogger(s.opts.Log.Handler(), slog.LevelDebug),
		ConnContext:                  func(ctx context.Context, _ net.Conn) context.Context { return web.NewContext(ctx, x.session) },
	}
	return x
}

// serve has net/http read and answer the requests, and does not wait for it. The connection gives its place back when it
// is closed.
func (x *exchange) serve() {
	s := x.opening.server
	_ = x.SetDeadline(time.Time{})
	if !s.egress.exchanges.add(x) {
		_ = x.Close()
		return
	}
	if !s.forget(x.opening) {
		x.finish()
	}
	x.closeAt(s.opts.Deps.Awake().Add(s.opts.Deps.Settings.Load().AuthenticationTimeout))
	one := &single{conn: x}
	_ = x.http.Serve(one) // it ends because there is no second connection
	if one.conn != nil {
		_ = x.Close() // it was told to finish before it began
	}
}

// single is a listener of one connection.
type single struct{ conn net.Conn }

// Accept implements net.Listener. There is nothing more after the first connection.
func (l *single) Accept() (net.Conn, error) {
	if c := l.conn; c != nil {
		l.conn = nil
		return c, nil
	}
	return nil, net.ErrClosed
}

func (l *single) Close() error   { return nil }
func (l *single) Addr() net.Addr { return nil }

// Read implements net.Conn.
func (x *exchange) Read(p []byte) (int, error) {
	if x.sent != nil {
		if n, err := x.sent.Read(p); n > 0 || err == nil {
			x.came(n)
			return n, nil
		}
		x.sent = nil
	}
	n, err := x.Conn.Read(p)
	x.came(n)
	return n, err //nolint:wrapcheck // as it is
}

func (x *exchange) came(n int) {
	if n > 0 {
		x.in.Add(int64(n))
		x.heard.Store(x.opening.server.egress.shards[0].now.Load())
	}
}

// Write implements net.Conn.
func (x *exchange) Write(p []byte) (int, error) {
	n, err := x.Conn.Write(p)
	x.out.Add(int64(n))
	return n, err //nolint:wrapcheck // as it is
}

// CloseWrite tells the peer that nothing more comes.
func (x *exchange) CloseWrite() error {
	conn := x.Conn
	if t, ok := conn.(*turnConn); ok {
		conn = t.Conn
	}
	if c, ok := conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

// Close implements net.Conn.
func (x *exchange) Close() error {
	err := net.ErrClosed
	x.closing.Do(func() {
		x.inTime()
		err = x.Conn.Close()
		x.session.End()
		s := x.opening.server
		s.egress.exchanges.remove(x)
		s.abandon(x.opening)
	})
	return err
}

// finish has the connection end after the request that is being answered, at once if there is none.
func (x *exchange) finish() {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	_ = x.http.Shutdown(over) // it closes what is idle, and waits no longer than its context
}

// closeAt has the connection end unless its peer has authenticated by then.
func (x *exchange) closeAt(due time.Time) {
	d := x.opening.server.opts.Deps
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.known {
		return
	}
	x.late = d.Clock.AfterFunc(due.Sub(d.Awake()), func() {
		switch {
		case x.authentic():
		case d.Awake().Before(due):
			x.closeAt(due) // the process did not run for a while
		default:
			limit := d.Settings.Load().AuthenticationTimeout.String()
			d.Refusals().Add(refusals.Event{Cause: refusals.AuthTimeout, Remote: x.remote.String(), Role: actors.Unauthenticated.String(), More: []any{"limit", limit}})
			x.finish()
		}
	})
}

// authentic reports whether the deadline of closeAt has been kept.
func (x *exchange) authentic() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.known
}

// Router implements web.Conn.
func (x *exchange) Router() actors.RouterRef { return x.opening.router }

// RemoteOf implements web.Conn.
func (x *exchange) RemoteOf(r *http.Request) fmt.Stringer {
	return x.opening.server.clientOf(x.opening, r)
}

// Seat implements web.Conn.
func (x *exchange) Seat(role actors.Role) error {
	s := x.opening.server
	err := s.egress.seat(x.opening.place, role, s.opts.Limits.Load())
	if err == nil {
		x.inTime()
	}
	return err
}

// inTime ends the deadline of closeAt.
func (x *exchange) inTime() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.known = true
	if x.late != nil {
		x.late()
	}
}

// Spare implements web.Conn. A connection that has authenticated once does not give way to others any more.
func (x *exchange) Spare(busy bool) {
	x.opening.server.egress.door.spare(x.opening.place, busy)
}

// Give implements web.Conn.
func (x *exchange) Give(f func()) bool {
	e := x.opening.server.egress
	e.gate.RLock()
	defer e.gate.RUnlock()
	if e.handed.Load() {
		return false
	}
	f()
	return true
}

// handOver ends the connection because another process has taken over. Its request gets an answer.
func (x *exchange) handOver() {
	x.finish()
	x.session.HandOver()
}

// Acked implements web.Conn.
func (x *exchange) Acked() (bytes uint64, known bool) {
	return x.opening.server.egress.shards[0].acked(x.opening.conn)
}

// Cut implements web.Conn.
func (x *exchange) Cut() { dismiss(x.opening.conn) }

// exchanges are those of all servers of an egress.
type exchanges struct {
	mu   sync.Mutex // Protects following.
	all  map[*exchange]struct{}
	over bool // AbortAll was called
}

// add returns false if the connection is to be closed at once.
func (e *exchanges) add(x *exchange) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over {
		return false
	}
	if e.all == nil {
		e.all = make(map[*exchange]struct{})
	}
	e.all[x] = struct{}{}
	return true
}

func (e *exchanges) remove(x *exchange) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.all, x)
}

// each calls f with each.
func (e *exchanges) each(f func(x *exchange)) {
	e.mu.Lock()
	all := make([]*exchange, 0, len(e.all))
	for x := range e.all {
		all = append(all, x)
	}
	e.mu.Unlock()
	for _, x := range all {
		f(x)
	}
}

// abort closes all, and all that still come.
func (e *exchanges) abort() {
	e.mu.Lock()
	e.over = true
	e.mu.Unlock()
	e.each(func(x *exchange) { _ = x.Close() })
}
