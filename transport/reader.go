package transport

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"runtime/debug"
	"sync/atomic"

	"strowger/actors"
	"strowger/actors/runtime"
	"strowger/transport/frame"
)

// reader is the read side of one connection: it makes messages of the bytes that come and hands
// those to the connection's actor. A poller calls it when there is something to read; with TLS, or
// on a system without pollers, a goroutine of its own does.
type reader struct {
	decoder decoder
	socket  *socket
	window  runtime.Window
	inbox   actors.Connection
	done    func() // called behind the last read

	opening *opening     // nil: hands are shaken
	stall   *stall       // what waits for room in the window; nil: nothing
	poller  *poller      // nil: a goroutine of its own reads
	home    *poller      // the one that reads when the peer has authenticated
	pinged  int64        // when the peer sent the last ping, in seconds of the shard's clock
	thrown  int64        // bytes
	rate    rate         // of what the peer sends
	part    int64        // bytes of an unfinished message that count in held
	held    atomic.Int64 // bytes of a client's long messages that are not complete or under way
	early   int64        // bytes of an unfinished message that count in the total of those that have not authenticated
	slot    int32        // the poller's
	inline  int32        // messages of this read that its goroutine may still handle
	isCut   atomic.Bool
	alone   bool // the poller does not know it: who runs it may block
	over    bool // nothing is read any more but to be thrown away
	pings   bool // the peer has sent a ping
	small   bool // the poller read into its small buffer
	crowd   bool // the total is exceeded, and this peer must go
	handed  bool // another process has the connection; written by whoever holds the gate alone
	// last is what our close frame says about the end of the reading. The shard reads it and the next two after
	// ReadEnded.
	last     frame.CloseCode
	by       side // who ended the connection
	vanished bool // the peer, without a close frame
}

const (
	lingerTime = 2        // seconds a peer has to hear why it is closed
	maxLinger  = 64 << 20 // bytes read and thrown away meanwhile
	readBuffer = 64 << 10 // bytes a poller reads at once
	ownBuffer  = 4 << 10  // bytes a goroutine of the reader's own does
)

// loop reads until the connection ends.
func (r *reader) loop() {
	buffer := make([]byte, ownBuffer)
	for more := true; more; {
		n, err := r.socket.conn.Read(buffer)
		more = r.take(buffer[:n], err)
	}
	r.leave()
}

// take handles what was read, and the error behind it. It is false when there is nothing more to
// read.
func (r *reader) take(p []byte, err error) (more bool) {
	gate := &r.socket.shard.egress.gate
	gate.RLock()
	defer gate.RUnlock()
	return r.feed(p, err)
}

// feed is take for a caller that holds the gate.
func (r *reader) feed(p []byte, err error) (more bool) {
	defer func() {
		if reason := recover(); reason != nil {
			more = r.crashed(reason)
		}
	}()
	if r.isCut.Load() {
		err = net.ErrClosed
	}
	if !r.over {
		r.socket.heard()
		r.socket.in.Add(int64(len(p)))
		r.inline = maxInline
		if bad := r.decoder.feed(p, r); bad != nil {
			err = bad
		}
		if len(p) > 0 {
			frames := r.decoder.frames
			r.decoder.frames = 0
			r.socket.shard.traffic.in(len(p), frames)
			if err == nil {
				r.slacken(len(p), frames)
			}
		}
		if r.handed {
			return false
		}
		r.count(cap(r.decoder.buffer))
		if r.crowd || r.crowded(0) {
			err = &violation{frame.CloseTryLater, "unauthenticated connections hold too much"}
		}
		if err == nil {
			return true
		}
		return r.end(err)
	}
	r.thrown += int64(len(p))
	return err == nil && r.thrown <= maxLinger
}

// end says why nothing more is read. Closing with unread input would reset the connection before the
// peer saw our close frame, so that unless the peer has gone its input is still read.
func (r *reader) end(err error) (more bool) {
	r.over = true
	r.decoder = decoder{}
	r.count(0)
	if v, bad := errors.AsType[*violation](err); bad {
		r.violated(v)
	}
	r.socket.lost(err)
	r.last = closeCode(err)
	r.by, r.vanished = endedBy(err)
	r.inbox.Send(&actors.ReadEnded{Err: err, Farewell: r.farewell(err)})
	r.window.Close()
	return !isClosed(err)
}

// farewell reports whether the peer has closed the connection in good order: a page that is left, or that logs
// out. One whose close frame has no code, as that of a page that has waited for an answer in vain, may come
// back, and so may one whose close frame answers ours, whatever code it has.
func (r *reader) farewell(err error) bool {
	left, ok := errors.AsType[*goodbye](err)
	return ok && !r.socket.dismissed.Load() &&
		(left.code == uint16(frame.CloseNormal) || left.code == uint16(frame.CloseGoingAway))
}

// leave is the reader's last act.
func (r *reader) leave() {
	r.socket.readerDone()
	r.done()
}

// crashed ends the connection after a panic.
func (r *reader) crashed(reason any) (more bool) {
	deps := r.socket.shard.deps
	deps.Counters.Panics.Add(1)
	deps.Log.Error("reader panicked", "remote", r.socket.remote.String(), "reason", fmt.Sprint(reason), "stack", string(debug.Stack()))
	return !r.over && r.end(&violation{frame.CloseInternalError, "reader panicked"})
}

func isClosed(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) }

// endedBy returns who ended a connection whose reading ended with err. Gone says that it was the peer, without a
// close frame.
func endedBy(err error) (by side, gone bool) {
	if _, bad := errors.AsType[*violation](err); bad {
		return ours, false
	}
	_, left := errors.AsType[*goodbye](err)
	return theirs, !left
}

// closeCode returns what our close frame should say about err.
func closeCode(err error) frame.CloseCode {
	var (
		bad  *violation
		left *goodbye
	)
	switch {
	case errors.As(err, &bad):
		return bad.code
	case errors.As(err, &left):
		return frame.EchoClose(left.code)
	default:
		return frame.CloseNormal
	}
}

// limit implements received.
func (r *reader) limit() int64 { return r.socket.maxMessage.Load() }

// fragments implements received.
func (r *reader) fragments() int { return r.socket.shard.limits.Load().Fragments }

// message implements received: it hands a message to the connection's actor, and waits while too
// many are under way.
func (r *reader) message(data []byte) {
	kept := r.keepWhole(len(data))
	cost, granted := r.acquire(data, false)
	if !granted {
		if kept != nil {
			kept()
		}
		return
	}
	m := &actors.Received{Data: data}
	m.Begin(&r.window, cost)
	if kept != nil {
		m.Lease().Then(kept)
	}
	if len(data) > short || r.inline == 0 {
		r.inbox.Send(m)
		return
	}
	r.inline--
	r.inbox.Run(m)
}

// The others of a poller must not wait for what one peer sends: its actor works on the reader's goroutine
// for messages up to short bytes, and for maxInline of them out of one read.
const (
	short     = 4 << 10
	maxInline = 32
)

// ping implements received. Pongs count like messages, or a peer could make us queue them without
// bound.
func (r *reader) ping(payload []byte) {
	r.noteGap()
	if cost, granted := r.acquire(payload, true); granted {
		lease := runtime.NewLease(&r.window, cost)
		r.socket.Greet(actors.Message{Form: frame.Append(nil, frame.OpPong, payload), Lease: lease})
		lease.Release()
	}
}

// noteGap notes how often the peer pings.
func (r *reader) noteGap() {
	now := r.socket.shard.now.Load()
	if gap := max(now-r.pinged, 1); r.pings && gap > r.socket.pingGap.Load() {
		r.socket.pingGap.Store(gap)
	}
	r.pings, r.pinged = true, now
}

// acquire takes what a message, or a ping, counts in the window, and waits for room. It is false once the connection
// is closing.
func (r *reader) acquire(data []byte, ping bool) (cost int64, granted bool) {
	if r.crowd || r.handed {
		return 0, false
	}
	cost = r.window.Cost(len(data))
	granted, full := r.window.TryAcquire(cost)
	if full {
		granted = r.wait(cost, data, ping)
	}
	return cost, granted
}

// stall is a message that waits for room in the window, and what was read after it. A connection that has sent too much in
// a second waits with an empty one.
type stall struct {
	data []byte
	ping bool
	rest []byte
}

// waits stands in lastHeard while the reader waits for room and therefore cannot hear the peer.
const waits = math.MaxInt64 / 2

// wait is for room in the window. The others of the poller do not wait with it.
func (r *reader) wait(cost int64, data []byte, ping bool) (granted bool) {
	if total := r.window.Counted(); total != nil {
		if r.crowded(parked) {
			r.crowd = true
			return false
		}
		total.Add(parked)
		defer total.Add(-parked)
	}
	if !r.alone {
		r.poller.part(r)
	}
	// While we do not read we cannot hear, and that is not the peer's fault.
	r.socket.lastHeard.Store(waits)
	e := r.socket.shard.egress
	e.pauses.Add(1)
	e.paused.Add(1)
	r.stall = &stall{data: data, ping: ping, rest: r.decoder.rest}
	e.gate.RUnlock()
	granted = r.window.Acquire(cost)
	e.gate.RLock()
	r.stall = nil
	e.paused.Add(-1)
	r.socket.heard()
	return granted && !r.handed
}
