package transport

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/lxzan/gws"

	"strowger/actors"
	"strowger/transport/web"
)

// Server takes connections in and gives each an actor.
type Server struct {
	opts     Options
	egress   *Egress
	pollers  []*poller // of authenticated connections
	lobby    []*poller // one, of the others, so that those never wait for them; none where there are no pollers
	turns    *turns
	upgrader *gws.Upgrader // of requests that are not plain
	listener net.Listener
	running  sync.WaitGroup // the accept loop, handshakes and readers
	opening  sync.Once
	opened   chan struct{} // closed when connections may be taken in
	requests sync.Pool     // of *bufio.Reader, for handshakes
	proxies  []netip.Prefix
	web      *web.Handler // answers requests that ask for no socket

	accepts loop

	// accepting is held while a connection is accepted. Whoever else holds it knows that none is.
	accepting sync.Mutex
	holding   atomic.Bool // somebody else wants it, or has it
	handover

	mu        sync.Mutex // Protects following.
	openings  openings
	expiry    func() bool   // stops the timer that calls expire; nil: no poller waits for a request
	held      bool          // expire does nothing
	forgotten chan struct{} // closed when a handshake ends; nil: nobody waits for that
	stopped   bool
}

// Listen opens the address; connections are taken in once an actor with the Props runs and Open was
// called.
func Listen(address string, e *Egress, o Options) (*Server, error) {
	s := &Server{opts: o, egress: e, opened: make(chan struct{}), turns: newTurns(o.Limits), proxies: prefixes(o.TrustedProxies)}
	e.descriptors.Store(int64(o.Descriptors))
	var err error
	// Each reads for the connections of one shard. More than can run at once would only find less to do each time.
	if s.pollers, err = newPollers(e.Shards(), &e.gate, o.Log); err != nil {
		return nil, err
	}
	if s.lobby, err = newPollers(1, &e.gate, o.Log); err != nil {
		stopAll(s.pollers)
		return nil, err
	}
	for _, p := range s.lobby {
		p.lobby = true
	}
	if s.listener, err = openListener(address, o.Listener); err != nil {
		stopAll(s.pollers)
		stopAll(s.lobby)
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	if o.TLS == nil && len(s.pollers) > 0 {
		if s.listener, err = bareConnections(s.listener, o.Limits.Load().TCPKeepAlive); err != nil {
			stopAll(s.pollers)
			stopAll(s.lobby)
			return nil, fmt.Errorf("listen on %s: %w", address, err)
		}
	}
	s.upgrader = gws.NewUpgrader(new(gws.BuiltinEventHandler), &gws.ServerOption{
		NewSession: func() gws.SessionStorage { return nil },
	})
	s.requests.New = func() any { return bufio.NewReaderSize(nil, requestBuffer) }
	s.web = s.newWeb()
	return s, nil
}

// openListener opens the address, unless there is a listener already.
func openListener(address string, given net.Listener) (net.Listener, error) {
	if given != nil {
		return given, nil
	}
	// Keepalive is set by tune or by the listener.
	config := net.ListenConfig{KeepAlive: -1}
	// Go listens by multipath TCP where it can, and older kernels refuse the options of keepalive on such a socket.
	config.SetMultipathTCP(false)
	return config.Listen(context.Background(), "tcp", address)
}

// Props returns how to spawn the listener actor, which tells the connections who the router is. One
// at a time may run; another may be spawned after it until StopListening.
func (s *Server) Props(router actors.RouterRef) *actor.Props {
	return s.opts.Deps.Props("listener", func() actor.Actor { return &listener{server: s, router: router} })
}

// Addr returns the address in use.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// requestBuffer is the size of the buffer for one request, in bytes.
const requestBuffer = 4 << 10

// Open lets the listener actor take connections in; until then they wait.
func (s *Server) Open() { s.opening.Do(func() { close(s.opened) }) }

// StopListening takes no more connections and ends those that have not shaken hands yet.
func (s *Server) StopListening() {
	_ = s.listener.Close()
	s.egress.door.stop()
	s.Open()
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	s.egress.exchanges.each(func(x *exchange) {
		if x.opening.server == s {
			x.finish()
		}
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	for o := s.openings.first; o != nil; o = o.next {
		dismiss(o.conn)
	}
	if s.expiry != nil {
		s.expiry()
	}
}

// WaitingHandshakes returns how many handshakes wait for their turn.
func (s *Server) WaitingHandshakes() int {
	_, waiting := s.turns.counts()
	return waiting
}

// Wait returns when the accept loop, the handshakes and every reader have ended.
func (s *Server) Wait() {
	s.running.Wait()
	stopAll(s.pollers)
	stopAll(s.lobby)
}

// listener is the actor that accepts.
// On restart: it accepts again; open connections do not notice.
type listener struct {
	server *Server
	router actors.RouterRef
}

type acceptEnded struct{ err error }

// Receive handles one message.
func (l *listener) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		self, system := ctx.Self(), ctx.ActorSystem()
		l.server.running.Add(1)
		go func() {
			defer l.server.running.Done()
			system.Root.Send(self, &acceptEnded{l.server.accept(l.router)})
		}()
	case *acceptEnded:
		if !errors.Is(m.err, net.ErrClosed) {
			// A listener that cannot accept is of no use: crash, and be restarted.
			panic(m.err)
		}
	}
}

// Waits between failed accepts, as when no file descriptor is left.
const (
	minAcceptWait = 5 * time.Millisecond
	maxAcceptWait = time.Second
)

// temporary reports whether an accept that failed with err may be tried again. It may where the kernel refused one
// connection. It may not where the socket does not listen, or Go's poller does not tell of connections any more.
func temporary(err error) bool {
	no, ok := errors.AsType[syscall.Errno](err)
	return ok && no != badDescriptor && no != notListening && no != notSocket
}

// accept takes connections in until the listener is closed, which it reports as net.ErrClosed, or cannot accept any
// more.
func (s *Server) accept(router actors.RouterRef) error {
	<-s.opened
	defer s.accepts.end()
	wait := minAcceptWait
	for {
		err := s.acceptOne(router)
		switch {
		case err != nil && !temporary(err):
			return err
		case err != nil:
			s.acceptFailed(err)
			<-time.After(wait)
			wait = min(2*wait, maxAcceptWait)
		default:
			wait = minAcceptWait
		}
	}
}

// acceptOne takes the next connection in.
func (s *Server) acceptOne(router actors.RouterRef) error {
	// Connections that are not accepted yet wait in the kernel, in their order.
	s.accepts.goOn()
	if early := s.early(time.Now()); early > 0 {
		<-time.After(early)
	}
	s.egress.door.calm(s.leavers())
	s.accepting.Lock()
	defer s.accepting.Unlock()
	s.accepts.wait()
	conn, err := s.listener.Accept()
	s.accepts.goOn()
	if err != nil && s.holding.Load() && errors.Is(err, os.ErrDeadlineExceeded) {
		return nil // whoever holds the accepts wants the lock
	}
	if err != nil {
		return err
	}
	s.running.Add(1)
	turn := s.turns.take()
	l := s.opts.Limits.Load()
	if t, ok := s.listener.(interface {
		tune(conn net.Conn, every time.Duration)
	}); ok {
		t.tune(conn, l.TCPKeepAlive)
	}
	// The places are given here, in the order in which the connections came.
	s.take(&opening{server: s, router: router, conn: conn, limits: l, place: s.admit(conn, l), due: time.Now().Add(l.HeaderTimeout)}, turn)
	return nil
}
