package transport

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/lxzan/gws"

	"strowger/actors"
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

	mu       sync.Mutex // Protects following.
	openings openings
	expiry   *time.Timer // calls expire; nil: no poller waits for a request
	stopped  bool
}

// Listen opens the address; connections are taken in once an actor with the Props runs and Open was
// called.
func Listen(address string, e *Egress, o Options) (*Server, error) {
	s := &Server{opts: o, egress: e, opened: make(chan struct{}), turns: newTurns(o.Limits), proxies: prefixes(o.TrustedProxies)}
	e.descriptors.Store(int64(o.Descriptors))
	var err error
	// Each reads for the connections of one shard. More than can run at once would only find less to do each time.
	if s.pollers, err = newPollers(e.Shards(), o.Log); err != nil {
		return nil, err
	}
	if s.lobby, err = newPollers(1, o.Log); err != nil {
		stopAll(s.pollers)
		return nil, err
	}
	for _, p := range s.lobby {
		p.lobby = true
	}
	// Keepalive is set by tune or by the listener.
	config := net.ListenConfig{KeepAlive: -1}
	// Go listens by multipath TCP where it can, and older kernels refuse the options of keepalive on such a socket.
	config.SetMultipathTCP(false)
	if s.listener, err = config.Listen(context.Background(), "tcp", address); err != nil {
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
	return s, nil
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
	s.Open()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	for o := s.openings.first; o != nil; o = o.next {
		dismiss(o.conn)
	}
	if s.expiry != nil {
		s.expiry.Stop()
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

func (s *Server) accept(router actors.RouterRef) error {
	<-s.opened
	wait := minAcceptWait
	for {
		// Connections that are not accepted yet wait in the kernel, in their order.
		if early := s.early(time.Now()); early > 0 {
			<-time.After(early)
		}
		conn, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil {
			s.acceptFailed(err)
			<-time.After(wait)
			wait = min(2*wait, maxAcceptWait)
			continue
		}
		wait = minAcceptWait
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
	}
}

// take has somebody shake hands, and ends the turn where no goroutine does. A connection without a place is turned
// away.
func (s *Server) take(o *opening, turn *turn) {
	switch {
	case o.place == nil:
		turn.end()
		s.opts.Deps.Go(func() {
			defer s.running.Done()
			s.turnAway(o.conn)
		})
	case !s.remember(o):
		turn.end()
		s.abandon(o)
	case s.poll(o):
		turn.end()
	default:
		s.opts.Deps.Go(func() { s.serve(o, turn, nil) })
	}
}

// poll has a poller wait for the request and shake hands, and reports whether it does.
func (s *Server) poll(o *opening) bool {
	if s.opts.TLS != nil || len(s.lobby) == 0 {
		return false
	}
	socket := s.egress.newSocket(o.conn, o.limits)
	if socket.fd < 0 {
		return false
	}
	r := socket.reader
	r.opening, r.poller, r.home = o, s.lobby[0], s.pollerOf(socket)
	s.watch(o)
	if !r.poller.know(r) {
		s.unwatch(o)
		return false
	}
	return true
}

// serve shakes hands with a peer that has sent these bytes already, and waits for the rest of its request. Then
// it hands the connection over to a shard, an actor and a poller.
func (s *Server) serve(o *opening, turn *turn, sent []byte) {
	defer turn.end()
	handed := false // a shard counts it and closes it
	defer func() {
		if handed {
			return
		}
		if p := recover(); p != nil {
			s.panicked(p)
		}
		s.abandon(o)
	}()
	tune(o.conn, o.limits)
	socket, early, err := s.shakeHands(o, turn, sent)
	if err != nil || !s.pass(o, socket) {
		return
	}
	handed = true
	s.begin(socket, early, turn, o.router)
	s.running.Done()
}

// pass ends a handshake that went well. It returns false if the connection is not to go on.
func (s *Server) pass(o *opening, socket *socket) bool {
	// Whoever closed it from here on, but for the shard, would do so behind the back of those who use
	// its descriptor.
	return s.forget(o) && s.egress.door.open(o.place, socket)
}

// abandon closes a connection that has not shaken hands.
func (s *Server) abandon(o *opening) {
	s.forget(o)
	_ = o.conn.Close()
	s.egress.door.end(o.place, false)
	s.egress.live.Add(-1)
	s.running.Done()
}

func (s *Server) panicked(reason any) {
	s.opts.Deps.Counters.Panics.Add(1)
	s.opts.Log.Error("handshake panicked", "reason", fmt.Sprint(reason), "stack", string(debug.Stack()))
}

// turnAway answers a connection beyond the limit and hangs up at once: one that lingers would hold
// the file descriptor that the limit is there to save.
func (s *Server) turnAway(conn net.Conn) {
	if s.opts.TLS == nil {
		_ = conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		_, _ = conn.Write((&refusal{status: http.StatusServiceUnavailable, reason: "too many connections"}).response())
	}
	_ = conn.Close()
}

// shakeHands returns the write side of a connection whose request is good, with the answer to it, and
// what the peer has sent behind it. The caller closes the connection after an error.
func (s *Server) shakeHands(o *opening, turn *turn, sent []byte) (*socket, []byte, error) {
	inTurn := &turnConn{Conn: o.conn, turn: turn}
	conn, from := o.conn, io.Reader(inTurn)
	if s.opts.TLS != nil {
		conn = tls.Server(inTurn, s.opts.TLS)
		from = conn
	}
	br := s.requests.Get().(*bufio.Reader)
	defer func() {
		br.Reset(nil)
		s.requests.Put(br)
	}()
	request, err := readRequest(conn, io.MultiReader(bytes.NewReader(sent), from), br, o)
	remote := s.clientOf(o.conn, request)
	if err != nil {
		s.refused(remote, request, err)
		turn.end()
		refuse(conn, err)
		return nil, nil, err
	}
	answer, early, err := shake(s.upgrader, conn, request, br)
	if err != nil {
		s.refused(remote, request, err)
		return nil, nil, err
	}
	inTurn.done = true
	socket := s.egress.newSocket(conn, o.limits)
	socket.answer, socket.remote = answer, remote
	return socket, early, nil
}

// open shakes hands with a peer whose request a poller has read, and starts the connection's actor. After
// false the caller ends the connection.
func (s *Server) open(o *opening, socket *socket, request *plainRequest) bool {
	socket.answer = acceptance(request.key)
	if request.proxied {
		socket.remote = address(remoteOf(o.conn.RemoteAddr(), request.old, request.standard, s.proxies))
	}
	socket.heard()
	return s.pass(o, socket)
}

// begin gives the connection an actor and has what comes read. It ends the turn, because a reader may wait.
func (s *Server) begin(socket *socket, early []byte, turn *turn, router actors.RouterRef) {
	started := s.start(socket, router)
	turn.end()
	if !started {
		socket.reader.leave()
		return
	}
	s.read(socket.reader, early)
}

// start gives the connection an actor. It returns false after a panic; then the caller calls leave of the
// reader.
func (s *Server) start(socket *socket, router actors.RouterRef) (started bool) {
	r := socket.reader
	s.running.Add(1)
	r.done = s.running.Done
	s.egress.attach(socket)
	defer func() {
		if p := recover(); p != nil {
			s.panicked(p)
			socket.Close(actors.Crashed)
		}
	}()
	r.inbox = actors.SpawnConnection(s.opts.Deps, router, socket, socket.remote)
	return true
}

// read begins with what came early, and leaves the rest to a poller where that can be.
func (s *Server) read(r *reader, early []byte) {
	if !r.take(early, nil) {
		r.leave()
		return
	}
	if r.socket.fd < 0 || len(s.pollers) == 0 {
		go r.loop()
		return
	}
	r.home = s.pollerOf(r.socket)
	r.poller = s.lobby[0]
	r.poller.add(r)
}

func (s *Server) pollerOf(socket *socket) *poller {
	return s.pollers[socket.shard.index%len(s.pollers)]
}

// probes is how many TCP keepalive probes a peer may leave unanswered.
const probes = 3

func tune(conn net.Conn, l *Limits) {
	c, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	_ = c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: l.TCPKeepAlive > 0, Idle: l.TCPKeepAlive, Interval: l.TCPKeepAlive, Count: probes})
	if l.TCPKeepAlive > 0 {
		control(c, func(fd int) { giveUpAfter(fd, l.TCPKeepAlive) })
	}
}
