package transport

import (
	"bufio"
	"net"
	"time"

	"github.com/lxzan/gws"

	"strowger/actors"
)

// NewServer returns a server that does not listen: Take gives it each connection. It has no poller, so each
// connection has a goroutine that reads. Limits count as for other servers. Options.TLS must be nil.
func NewServer(e *Egress, o Options) *Server {
	s := &Server{opts: o, egress: e, opened: make(chan struct{}), turns: newTurns(o.Limits), listener: nowhere{},
		upgrader: gws.NewUpgrader(new(gws.BuiltinEventHandler), &gws.ServerOption{NewSession: func() gws.SessionStorage { return nil }})}
	s.requests.New = func() any { return bufio.NewReaderSize(nil, requestBuffer) }
	return s
}

// Take takes a connection in as if the server had accepted it. Sent is what was read from it already. Take is not
// called after StopListening.
func (s *Server) Take(conn net.Conn, sent []byte, router actors.RouterRef) {
	s.running.Add(1)
	l := s.opts.Limits.Load()
	o := &opening{server: s, router: router, conn: conn, limits: l, place: s.admit(conn, l), due: time.Now().Add(l.HeaderTimeout)}
	switch {
	case o.place == nil:
		s.opts.Deps.Go(func() {
			defer s.running.Done()
			s.turnAway(conn)
		})
	case !s.remember(o):
		s.abandon(o)
	default:
		s.opts.Deps.Go(func() { s.serve(o, s.turns.take(), sent) })
	}
}

// nowhere is the listener of a server that does not listen.
type nowhere struct{}

func (nowhere) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (nowhere) Close() error              { return nil }
func (nowhere) Addr() net.Addr            { return nil }
