package transport

import (
	"crypto/tls"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"strowger/actors/refusals"
	"strowger/transport/frame"
)

// TestStuckAreCutOff: when the router stops, whoever takes nothing from one look to the next is cut off.
// Whoever takes something, however little, is not, nor is anybody of whom that is not known.
func TestStuckAreCutOff(t *testing.T) {
	lines := new(journal)
	r := newRigWithLog(t, slog.New(slog.NewTextHandler(lines, nil)), nil)
	stuck, slow, unknown, idle := r.link(2<<10), r.link(2<<10), r.link(2<<10), r.link(0)
	taken := uint64(0)
	for _, sh := range r.shards {
		sh.acked = func(conn net.Conn) (uint64, bool) {
			if conn == slow.conn {
				taken++
				return taken, true
			}
			return 7, conn == stuck.conn
		}
	}
	long := strings.Repeat("x", 8<<20)
	for _, l := range []*link{stuck, slow, unknown} {
		l.Send(framed(long))
	}
	r.CloseAll()
	for range 4 {
		r.lookForStuck()
		r.settle()
	}
	if !stuck.look(func() bool { return stuck.finished }) {
		t.Error("who takes nothing is not cut off")
	}
	if n := r.deps.Refusals().Count(refusals.Shutdown); n != 1 {
		t.Errorf("%d cut off, want 1", n)
	}
	lines.want(t, `level=WARN msg="slow consumer disconnected because the router stops" cause=shutdown remote=127\.0\.0\.1:\d+ role=client setting=shutdown\.timeout messages=\d+ bytes=\d+\n`)
	for _, l := range []*link{slow, unknown} {
		l.expect(t, "admitted")
		l.expect(t, long)
		l.far.closed(frame.CloseGoingAway)
	}
	idle.expect(t, "admitted")
	idle.far.closed(frame.CloseGoingAway)
}

// TestTheToldAreCutOff: when the router stops, whoever has all that was sent and does not go is cut off as well. The log
// does not name it, because it has missed nothing.
func TestTheToldAreCutOff(t *testing.T) {
	pair, _, _ := loadPair(t)
	for name, config := range map[string]*tls.Config{"plain": nil, "TLS": pair.Config()} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, config, nil)
			dial := s.dial
			if config != nil {
				dial = func() *peer { return s.dialTLS(trusting) }
			}
			p := dial()
			p.ping("here")
			if _, known := acked(s.connOf(p)); !known {
				t.Skip("this system does not tell what is acknowledged")
			}
			s.ahead() // for an hour no time passes for the shards
			s.StopListening()
			s.CloseAll()
			s.CutStuck(50 * time.Millisecond)
			eventually(t, "it is gone", func() bool { return s.Live() == 0 })
			if n := s.deps.Refusals().Count(refusals.Shutdown); n != 0 {
				t.Errorf("%d counted as cut off, want none", n)
			}
		})
	}
}

// TestStopDoesNotWaitForTheStuck goes by what the kernel says of a peer that does not read.
func TestStopDoesNotWaitForTheStuck(t *testing.T) {
	s := newServer(t, nil, func(l *Limits) { l.WriteTimeout = time.Hour })
	if _, known := acked(&net.TCPConn{}); known {
		t.Fatal("a connection that is none is known")
	}
	p := s.deaf().login("client:a")
	service := s.login("service:a")
	service.text(broadcast("a", filler(8<<20)))
	eventually(t, "the client is a slow reader", func() bool { return s.WaitingBytes() > 0 })
	if _, known := acked(s.connOf(p)); !known {
		t.Skip("this system does not tell what is acknowledged")
	}
	s.StopListening()
	s.CloseAll()
	s.CutStuck(50 * time.Millisecond)
	service.closed(frame.CloseGoingAway)
	eventually(t, "all are gone", func() bool { return s.Live() == 0 })
}

// connOf returns the router's end of a peer's connection.
func (s *server) connOf(p *peer) (conn net.Conn) {
	for _, sh := range s.shards {
		found := make(chan net.Conn, 1)
		sh.during(func() {
			var conn net.Conn
			for socket := range sh.sockets {
				if socket.conn.RemoteAddr().String() == p.LocalAddr().String() {
					conn = socket.conn
				}
			}
			found <- conn
		})
		if c := <-found; c != nil {
			conn = c
		}
	}
	return conn
}
