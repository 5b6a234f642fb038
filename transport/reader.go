package transport

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/lxzan/gws"

	"strowger/actors"
	"strowger/transport/wire"
)

// readBuffer is the size of a connection's read buffer; longer payloads are read around it.
const readBuffer = 512

// reader is the read side of one connection, and the net.Conn that the WebSocket library sees of
// it: reads go through the guard, and what the library would write is dropped, because only the
// egress writes.
type reader struct {
	net.Conn // the TCP or TLS connection
	guard    guard
	early    []byte // read behind the handshake's headers
	upgraded bool
	socket   *socket
	window   actors.Window
	pid      *actor.PID
	deps     *actors.Deps
	failure  error // what the guard saw
	ended    error // what the library says of the end
}

// Read is called by the library.
func (r *reader) Read(p []byte) (int, error) {
	n, err := r.guard.read(readerFunc(r.raw), p, r.socket.maxMessage.Load)
	if err != nil && r.failure == nil {
		r.failure = err
	}
	return n, err
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func (r *reader) raw(p []byte) (int, error) {
	if len(r.early) > 0 {
		n := copy(p, r.early)
		r.early = r.early[n:]
		if len(r.early) == 0 {
			r.early = nil
		}
		return n, nil
	}
	n, err := r.Conn.Read(p)
	r.socket.heard()
	return n, err
}

// Write lets the handshake through and nothing else.
func (r *reader) Write(p []byte) (int, error) {
	if r.upgraded {
		return len(p), nil
	}
	return r.Conn.Write(p)
}

// Close does nothing: the egress closes the connection when all is written.
func (r *reader) Close() error { return nil }

// upgrade answers the handshake. What the peer sent behind its headers is kept.
func (r *reader) upgrade(u *gws.Upgrader, request *http.Request, br *bufio.Reader) (*gws.Conn, error) {
	if n := br.Buffered(); n > 0 {
		early, _ := br.Peek(n)
		r.early = append([]byte(nil), early...)
	}
	conn, err := u.UpgradeFromConn(r, bufio.NewReaderSize(r, readBuffer), request)
	r.upgraded = true
	if err != nil {
		return nil, fmt.Errorf("upgrade: %w", err)
	}
	return conn, nil
}

// loop reads until the connection ends, and then says why. The library panics on some frames and
// does not recover in its read loop, so we do.
func (r *reader) loop(conn *gws.Conn, done func()) {
	defer done()
	err := r.readAll(conn)
	code := r.closeCode(err)
	r.deps.System.Root.Send(r.pid, &actors.ReadEnded{Code: code, Err: err})
	r.window.Close()
	if !isClosed(err) {
		// Closing with unread input would reset the connection before the peer saw our close frame.
		_ = r.Conn.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Conn, maxLinger))
	}
	r.socket.readerDone()
}

const (
	lingerTime = 2 * time.Second // how long a peer may take to hear why it is closed
	maxLinger  = 64 << 20        // bytes read and thrown away meanwhile
)

func (r *reader) readAll(conn *gws.Conn) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.deps.Counters.Panics.Add(1)
			r.deps.Log.Error("reader panicked", "remote", r.RemoteAddr().String(), "reason", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = &violation{wire.CloseInternalError, "reader panicked"}
		}
	}()
	conn.ReadLoop()
	if r.failure != nil && !isClosed(r.failure) {
		return r.failure
	}
	return r.ended
}

func isClosed(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) }

// closeCode returns what our close frame should say about err.
func (r *reader) closeCode(err error) wire.CloseCode {
	var (
		bad    *violation
		closed *gws.CloseError
		php    *unmaskedClose
	)
	switch {
	case errors.As(err, &bad):
		return bad.code
	case errors.As(err, &php):
		return wire.EchoClose(php.code)
	case errors.As(err, &closed):
		return wire.EchoClose(closed.Code)
	case errors.Is(err, gws.ErrTextEncoding):
		return wire.CloseInvalidData
	default:
		return wire.CloseNormal
	}
}

// events receives what the library reads; the reader behind a connection is its net.Conn.
type events struct{}

func (events) OnOpen(*gws.Conn) {}

func (events) OnClose(c *gws.Conn, err error) {
	if r, ok := c.NetConn().(*reader); ok {
		r.ended = err
	}
}

func (events) OnPing(c *gws.Conn, payload []byte) {
	r, ok := c.NetConn().(*reader)
	if !ok {
		return
	}
	// Pongs count like messages, or a peer could make us queue them without bound.
	if lease := r.lease(len(payload)); lease != nil {
		r.socket.Greet(actors.Frame{Bytes: wire.AppendFrame(nil, wire.OpPong, payload), Lease: lease})
		lease.Release()
	}
}

func (events) OnPong(*gws.Conn, []byte) {}

// OnMessage hands a message to the connection's actor, and waits while too many are under way.
func (events) OnMessage(c *gws.Conn, m *gws.Message) {
	r, ok := c.NetConn().(*reader)
	if !ok || len(m.Bytes()) == 0 {
		return
	}
	if lease := r.lease(len(m.Bytes())); lease != nil {
		r.deps.System.Root.Send(r.pid, &actors.Received{Data: m.Bytes(), Lease: lease})
	}
}

// lease waits for room in the window; it is nil once the connection is closing.
func (r *reader) lease(bytes int) *actors.Lease {
	cost := max(int64(bytes), r.socket.minCost.Load())
	// While we do not read we cannot hear, and that is not the peer's fault.
	r.socket.lastHeard.Store(math.MaxInt64 / 2)
	granted := r.window.Acquire(cost)
	r.socket.heard()
	if !granted {
		return nil
	}
	return actors.NewLease(&r.window, cost)
}
