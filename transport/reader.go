package transport

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"strowger/actors"
	"strowger/transport/wire"
)

// reader is the read side of one connection: its goroutine waits for bytes, makes messages of them
// and hands those to the connection's actor.
//
// While it waits it holds no buffer, and little enough of its stack for the smallest one there is;
// so it must stay shallow (a test watches the size).
type reader struct {
	decoder decoder
	socket  *socket
	window  actors.Window
	pid     *actor.PID
	deps    *actors.Deps
	buffers *sync.Pool // of *[]byte
	early   []byte     // read behind the handshake's headers

	buffer *[]byte // nil while waiting
	n      int     // bytes read into it
	err    error   // what ended the reading
}

// loop reads until the connection ends, and then says why.
func (r *reader) loop(done func()) {
	defer r.end(done)
	pull := r.pull
	for r.err = r.decoder.feed(r.early, r); r.err == nil; {
		r.early = nil
		if r.socket.raw == nil {
			r.read()
		} else if err := r.socket.raw.Read(pull); err != nil {
			r.err = err
		}
		if r.err == nil {
			r.socket.heard()
			r.err = r.decoder.feed((*r.buffer)[:r.n], r)
		}
	}
}

// end comes behind the last read, or a panic.
func (r *reader) end(done func()) {
	defer done()
	if reason := recover(); reason != nil {
		r.panicked(reason)
	}
	r.release()
	r.deps.System.Root.Send(r.pid, &actors.ReadEnded{Code: closeCode(r.err), Err: r.err})
	r.window.Close()
	if !isClosed(r.err) {
		// Closing with unread input would reset the connection before the peer saw our close frame.
		_ = r.socket.conn.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.Copy(io.Discard, io.LimitReader(r.socket.conn, maxLinger))
	}
	r.socket.readerDone()
}

const (
	lingerTime = 2 * time.Second // how long a peer may take to hear why it is closed
	maxLinger  = 64 << 20        // bytes read and thrown away meanwhile
)

// pull reads what is there; false makes the caller wait for more, which takes no buffer.
func (r *reader) pull(fd uintptr) bool {
	r.take()
	r.n, r.err = syscall.Read(int(fd), *r.buffer)
	for errors.Is(r.err, syscall.EINTR) {
		r.n, r.err = syscall.Read(int(fd), *r.buffer)
	}
	switch {
	case r.err == syscall.EAGAIN: //nolint:errorlint // straight from the system call, on every message's way
		r.err = nil
		r.release()
		return false
	case r.err == nil && r.n == 0:
		r.err = io.EOF
	}
	return true
}

// read is for TLS, which hides when there is something to read.
func (r *reader) read() {
	if r.buffer == nil {
		b := make([]byte, tlsBuffer)
		r.buffer = &b
	}
	r.n, r.err = r.socket.conn.Read(*r.buffer)
	if r.n > 0 {
		// The error comes again.
		r.err = nil
	}
}

const (
	readBuffer = 32 << 10 // bytes read at once
	tlsBuffer  = 4 << 10
)

func (r *reader) take() {
	if r.buffer == nil {
		r.buffer = r.buffers.Get().(*[]byte)
	}
}

func (r *reader) release() {
	if r.buffer != nil && len(*r.buffer) == readBuffer {
		r.buffers.Put(r.buffer)
	}
	r.buffer = nil
}

func newBuffers() *sync.Pool {
	return &sync.Pool{New: func() any {
		b := make([]byte, readBuffer)
		return &b
	}}
}

func (r *reader) panicked(reason any) {
	r.deps.Counters.Panics.Add(1)
	r.deps.Log.Error("reader panicked", "remote", r.socket.conn.RemoteAddr().String(), "reason", fmt.Sprint(reason), "stack", string(debug.Stack()))
	r.err = &violation{wire.CloseInternalError, "reader panicked"}
}

func isClosed(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) }

// closeCode returns what our close frame should say about err.
func closeCode(err error) wire.CloseCode {
	var (
		bad  *violation
		left *goodbye
	)
	switch {
	case errors.As(err, &bad):
		return bad.code
	case errors.As(err, &left):
		return wire.EchoClose(left.code)
	default:
		return wire.CloseNormal
	}
}

// limit implements received.
func (r *reader) limit() int64 { return r.socket.maxMessage.Load() }

// message implements received: it hands a message to the connection's actor, and waits while too
// many are under way.
func (r *reader) message(data []byte) {
	if lease := r.lease(len(data)); lease != nil {
		r.deps.System.Root.Send(r.pid, &actors.Received{Data: data, Lease: lease})
	}
}

// ping implements received. Pongs count like messages, or a peer could make us queue them without
// bound.
func (r *reader) ping(payload []byte) {
	if lease := r.lease(len(payload)); lease != nil {
		r.socket.Greet(actors.Frame{Bytes: wire.AppendFrame(nil, wire.OpPong, payload), Lease: lease})
		lease.Release()
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
