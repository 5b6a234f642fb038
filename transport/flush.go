package transport

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"

	"strowger/actors/refusals"
	"strowger/actors/runtime"
)

// maxJoin is how many bytes are joined for one write; what is longer goes in several.
const maxJoin = 256 << 10

// flush writes what the batch holds for each socket, and then gives the leases back.
func (sh *shard) flush() {
	for _, s := range sh.dirty {
		sh.flushSocket(s)
	}
	if frames := len(sh.nodes) - 1 - sh.unsent; frames > 0 {
		sh.traffic.out(sh.wrote, frames)
		sh.wrote, sh.unsent = 0, 0
	}
	sh.writer.forget()
	sh.reset()
	if sh.grown {
		sh.grown = false
		sh.makeRoom()
	}
}

func (sh *shard) flushSocket(s *socket) {
	head := s.head
	s.head, s.tail = 0, 0
	if s.finished {
		return
	}
	if s.writing || s.withheld || s.pends() || s.fd < 0 {
		sh.enqueue(s, head, 0)
		return
	}
	for head != 0 {
		buf, next := sh.writer.join(sh.nodes, head)
		n, err := sh.writer.write(s.fd, buf)
		sh.wrote += n
		if err != nil {
			s.lost(err)
			sh.abortFor(s, theirs)
			return
		}
		s.out += int64(n)
		if n < len(buf) {
			sh.enqueue(s, head, n)
			return
		}
		head = next
	}
	sh.finish(s)
}

// enqueue keeps the frames from head on, less what is written already, and has them written by a
// goroutine that may block.
func (sh *shard) enqueue(s *socket, head int32, written int) {
	counted := s.waiting > 0
	sh.grown = true
	for n := head; n != 0; n = sh.nodes[n].next {
		frame := sh.nodes[n].frame
		if written >= len(frame) {
			written -= len(frame)
			continue
		}
		rest := frame[written:]
		written = 0
		if droppable := sh.droppable(n); counted && (droppable != nil || s.backlog != nil) {
			sh.wait(s, n, droppable)
			continue
		}
		s.queue = append(s.queue, rest)
		sh.owe(s, nil, n, len(rest))
		if at := sh.nodes[n].owed; at > 0 {
			s.owed = append(s.owed, sh.leases[at-1])
			sh.leases[at-1] = nil // not this batch's any more
		}
		if !counted {
			sh.count(s, 1, len(rest))
		}
	}
	if !counted {
		// A long reply to an idle reader is no reason to cut it off at the next ping.
		s.free, s.freeBytes = s.waiting, s.bytes
	}
	sh.drain(s)
}

// count notes that frames have begun to wait for s, or have ceased to if the numbers are negative.
func (sh *shard) count(s *socket, frames, bytes int) {
	s.waiting += frames
	s.bytes += int64(bytes)
	sh.waiting.Add(int64(bytes))
	sh.traffic.waiting.Add(int64(frames))
}

// drain starts a goroutine that writes the queue, unless one is at it. The goroutine has the
// frames to itself until it reports back.
func (sh *shard) drain(s *socket) {
	if s.writing || s.withheld || sh.frozen != nil || !s.pends() {
		return
	}
	if len(s.queue) == 0 {
		sh.unload(s)
	}
	if len(s.queue) == 0 {
		return // all was dropped
	}
	s.writing = true
	frames := net.Buffers(s.queue)
	s.draining.Store(0)
	done := &written{s: s, frames: len(frames), queued: s.queued - s.backlog.charged(), leases: s.owed}
	s.queue, s.owed = nil, nil
	s.sharing.fly()
	for _, f := range frames {
		done.bytes += len(f)
	}
	timeout := sh.limits.Load().WriteTimeout
	var halt *atomic.Bool // a write under TLS cannot be ended half-way
	if s.fd >= 0 {
		halt = &sh.halt
	}
	sh.drains.Add(1)
	go func() {
		defer sh.drains.Done()
		done.rest, done.err = writeAll(s.conn, frames, timeout, sh.deps.Awake, halt, &s.draining)
		sh.post(done)
	}()
}

// errHalted says that a write was ended half-way because the shard is frozen.
var errHalted = errors.New("halted")

// halted reports whether writes are to end. A nil halt never says so.
func halted(halt *atomic.Bool) bool { return halt != nil && halt.Load() }

// maxPiece is what a slow reader must take within one write timeout.
const maxPiece = 64 << 10

// writeAll writes the frames, blocking. Each piece has a deadline of its own, so that a reader who
// goes on taking is given the time that a long message needs. If halt says so it ends early, with errHalted and what
// is not written. It counts in soFar what is written, piece by piece.
func writeAll(conn net.Conn, frames net.Buffers, timeout time.Duration, awake func() time.Time, halt *atomic.Bool, soFar *atomic.Int64) (rest net.Buffers, err error) {
	for len(frames) > 0 {
		var piece net.Buffers
		piece, frames = cutPiece(frames)
		size := sizeOf(piece)
		err := writePiece(conn, &piece, timeout, awake, halt)
		if errors.Is(err, errHalted) {
			return append(piece, frames...), errors.Join(err, conn.SetWriteDeadline(time.Time{}))
		}
		if err != nil {
			return nil, err
		}
		soFar.Add(size)
	}
	// TLS also writes on its own account, while it reads, and would fail for good on a deadline that has
	// passed.
	return nil, conn.SetWriteDeadline(time.Time{})
}

// writePiece writes a piece within timeout. If the process did not run for a part of that time, the reader
// gets it again. With TLS it does not, because the library cannot go on after a write that timed out.
func writePiece(conn net.Conn, piece *net.Buffers, timeout time.Duration, awake func() time.Time, halt *atomic.Bool) error {
	due := awake().Add(timeout)
	for left := timeout; ; left = due.Sub(awake()) {
		if err := conn.SetWriteDeadline(time.Now().Add(left)); err != nil {
			return err
		}
		// Whoever sets halt sets a deadline that has passed after it, so the write does not outlast it.
		if halted(halt) {
			return errHalted
		}
		_, err := piece.WriteTo(conn)
		if err != nil && errors.Is(err, os.ErrDeadlineExceeded) && halted(halt) {
			return errHalted
		}
		if _, secure := conn.(*tls.Conn); secure || !errors.Is(err, os.ErrDeadlineExceeded) || !awake().Before(due) {
			return err
		}
	}
}

func sizeOf(frames net.Buffers) int64 {
	n := 0
	for _, f := range frames {
		n += len(f)
	}
	return int64(n)
}

// cutPiece takes up to maxPiece bytes off the front of frames, which it changes.
func cutPiece(frames net.Buffers) (piece, rest net.Buffers) {
	room := maxPiece
	for len(frames) > 0 && room > 0 {
		n := min(len(frames[0]), room)
		piece = append(piece, frames[0][:n])
		room -= n
		if frames[0] = frames[0][n:]; len(frames[0]) == 0 {
			frames = frames[1:]
		}
	}
	return piece, frames
}

func (sh *shard) written(m *written) {
	s := m.s
	s.writing = false
	if !errors.Is(m.err, errHalted) || s.finished {
		releaseAll(m.leases)
	}
	defer sh.melted(s)
	if s.finished {
		return // aborted, nothing of it is counted any more
	}
	if errors.Is(m.err, errHalted) {
		sh.takeBack(s, m)
		sh.drain(s) // the shard may work again
		return
	}
	sh.count(s, -m.frames, -m.bytes)
	sh.charge(s, -m.queued)
	sh.flown(s)
	if b := s.backlog; b != nil && b.first == nil && len(s.queue) == 0 {
		sh.unload(s) // before anything newer
	}
	if !s.pends() {
		delete(sh.paces, s) // it has taken all
	}
	s.free, s.freeBytes = max(s.free-m.frames, 0), max(s.freeBytes-int64(m.bytes), 0)
	if m.err != nil {
		s.lost(m.err)
		by := theirs
		if errors.Is(m.err, os.ErrDeadlineExceeded) {
			by = ours
			s.cutOff(&refusals.Event{Cause: refusals.WriteTimeout, More: []any{"messages", s.waiting + m.frames, "bytes", s.bytes + int64(m.bytes)}})
		}
		sh.abortFor(s, by)
		return
	}
	s.out += int64(m.bytes)
	s.draining.Store(0)
	sh.traffic.out(m.bytes, 0)
	switch {
	case s.head == 0:
		sh.drain(s)
		sh.finish(s)
	case !s.pends():
		// What this batch has linked so far was counted into waiting. It is written when the batch is.
		sh.uncount(s)
	}
}

func releaseAll(leases []*runtime.Lease) {
	for _, l := range leases {
		l.Release()
	}
}

// uncount undoes the counting of frames that need not wait after all.
func (sh *shard) uncount(s *socket) {
	for n := s.head; n != 0; n = sh.nodes[n].next {
		if sh.droppable(n) == nil {
			sh.count(s, -1, -len(sh.nodes[n].frame))
		}
	}
}
