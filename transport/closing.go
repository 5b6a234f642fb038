package transport

import (
	"crypto/tls"
	"net"
	"time"

	"strowger/actors"
	"strowger/actors/refusals"
	"strowger/transport/frame"
)

// closeFor closes a socket for a reason that its connection's actor gives.
func (sh *shard) closeFor(s *socket, why actors.End) {
	by := ours
	if why == actors.ReadOver {
		by = s.reader.by
	}
	sh.closeBy(s, s.codeOf(why), by)
}

// close puts a close frame behind all that waits; nothing is accepted after it.
func (sh *shard) close(s *socket, code frame.CloseCode) { sh.closeBy(s, code, ours) }

func (sh *shard) closeBy(s *socket, code frame.CloseCode, by side) {
	if s.closing {
		return
	}
	if code == frame.CloseTryLater && s.waiting > 0 {
		// It does not read, and what waits for it is what there is no room for.
		sh.abort(s)
		return
	}
	if by == theirs && s.reader.vanished {
		sh.traffic.end(noFrame, by)
	} else {
		sh.traffic.end(code, by)
	}
	// The peer's close frame is taken for an answer from now on. It is none if both crossed each other.
	s.dismissed.Store(true)
	sh.link(s, frame.Closing(code), 0)
	s.closing = true
	s.held = nil
	s.reader.window.Close()
	sh.leaveAll(s)
}

// finish ends the write side once the close frame is out. The connection is closed when the read
// side has ended too, so that the peer is not reset before it has read our last words.
func (sh *shard) finish(s *socket) {
	if !s.closing || s.writing || s.withheld || s.pends() || s.head != 0 || s.finished {
		return
	}
	s.finished = true
	if s.readDone {
		sh.detach(s)
		return
	}
	if s.hasty {
		s.cut()
		return
	}
	sh.closeWrite(s.conn)
	s.linger = sh.now.Load() + lingerTime
}

// closeWrite tells the peer that nothing more comes. TLS says so in a record of its own, which may
// wait for the peer, and the shard must not.
func (sh *shard) closeWrite(conn net.Conn) {
	switch c := conn.(type) {
	case *tls.Conn:
		sh.drains.Add(1)
		go func() {
			defer sh.drains.Done()
			_ = c.CloseWrite()
		}()
	case interface{ CloseWrite() error }:
		_ = c.CloseWrite()
	}
}

// hangUp closes conn without a word: tls.Conn.Close would wait for the peer to take one.
func hangUp(conn net.Conn) { _ = underlying(conn).Close() }

// cut makes the read side end soon. The descriptor stays open: who reads and who polls may be using it.
func (s *socket) cut() {
	s.reader.isCut.Store(true)
	if s.withheld {
		return // another process may still go on with it
	}
	// A TLS connection has no CloseRead.
	if c, ok := s.conn.(interface {
		CloseRead() error
		CloseWrite() error
	}); ok {
		_ = c.CloseRead()
		_ = c.CloseWrite()
		return
	}
	hangUp(s.conn)
}

// abort ends a connection without a close frame.
func (sh *shard) abort(s *socket) { sh.abortFor(s, ours) }

func (sh *shard) abortFor(s *socket, by side) {
	if s.finished {
		return
	}
	if !s.closing {
		sh.traffic.end(noFrame, by)
	}
	s.closing, s.finished = true, true
	s.held = nil
	sh.vacateAll(s)
	s.forget()
	sh.count(s, -s.waiting, -int(s.bytes))
	sh.charge(s, -s.queued)
	s.reader.window.Close()
	sh.leaveAll(s)
	s.cut()
	if s.readDone {
		sh.detach(s)
	}
}

// readerDone notes that the read side has ended. The connection's actor knows why and closes the
// write side with the code that fits.
func (sh *shard) readerDone(s *socket) {
	s.readDone = true
	if s.finished {
		sh.detach(s)
	}
}

func (sh *shard) detach(s *socket) {
	hangUp(s.conn)
	sh.egress.door.end(s.place, s.client)
	s.client = false
	sh.egress.crowds.leave(s.sharers)
	s.sharers = nil
	if _, ok := sh.sockets[s]; ok {
		delete(sh.sockets, s)
		delete(sh.paces, s)
		sh.egress.live.Add(-1)
		sh.egress.open.Done()
	}
}

func (sh *shard) closeAll() {
	sh.closed = true
	for s := range sh.sockets {
		sh.close(s, s.codeOf(actors.GoingAway))
	}
}

// abortAll cuts off whoever has not gone by the end of a shutdown.
func (sh *shard) abortAll() {
	for s := range sh.sockets {
		s.cut()
		sh.abort(s)
	}
}

// pingFrame is shared by all pings.
var pingFrame = frame.Append(nil, frame.OpPing, nil)

// tick pings those whose turn it is, closes those who gave no sign of life and hangs up on those who
// were told to go and stay. Services are not pinged, because the PHP ones take a ping for an empty message,
// and TCP finds out that they are dead. One that has pinged itself is dead when it no longer does.
func (sh *shard) tick(m *tick) {
	l := sh.limits.Load()
	seconds := max(int64(m.now.Sub(sh.start)/time.Second), sh.now.Load())
	sh.now.Store(seconds)
	for s := range sh.sockets {
		if m.slept {
			s.heardAnew(seconds)
		}
		if s.finished && seconds > s.linger {
			s.cut()
		}
		if sh.lags(s, seconds, m.slept, l) || s.closing || sh.died(s, seconds, l) || s.mayDoNow() == actors.Service {
			continue
		}
		if ping := int64(l.PingInterval / time.Second); ping > 0 && seconds >= s.nextPing {
			s.nextPing = seconds + ping
			sh.put(s, pingFrame, reserve, 0)
		}
	}
}

// died closes a connection that gave no sign of life for too long.
func (sh *shard) died(s *socket, seconds int64, l *Limits) bool {
	cause, limit, longest := refusals.Idle, l.IdleTimeout, int64(l.IdleTimeout/time.Second)
	if s.mayDoNow() == actors.Service || limit == 0 {
		cause, limit = refusals.PingsEnded, l.PingerTimeout
		longest = max(int64(limit/time.Second), missedPings*s.pingGap.Load())
		if s.pingGap.Load() == 0 {
			return false
		}
	}
	if limit == 0 || !s.silent(seconds, longest) {
		return false
	}
	s.cutOff(&refusals.Event{Cause: cause, More: []any{"limit", (time.Duration(longest) * time.Second).String()}})
	sh.close(s, frame.CloseIdle)
	return true
}

// missedPings is how many pings a peer may leave out that has sent some.
const missedPings = 3
