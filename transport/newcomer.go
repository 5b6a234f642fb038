package transport

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"strowger/actors"
)

// take has somebody shake hands, and ends the turn where no goroutine does. A connection without a place is turned
// away.
func (s *Server) take(o *opening, turn *turn) {
	switch {
	case o.place == nil:
		s.opts.Deps.Go(func() {
			defer s.running.Done()
			defer turn.end() // after the close, so that the turns bound the descriptors of those who are turned away
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
	if s.opts.TLS != nil || len(s.lobby) == 0 || s.isProxied(o.conn) {
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
	if x, ok := errors.AsType[*exchange](err); ok {
		handed = true
		turn.end()
		x.serve()
		return
	}
	if err != nil {
		return
	}
	s.egress.gate.RLock()
	defer s.egress.gate.RUnlock()
	if !s.pass(o, socket) {
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
	socket.sharers = o.sharers
	if !s.forget(o) || o.late || !s.egress.door.open(o.place, socket) {
		return false
	}
	s.opts.Deps.Counters.Handshakes.Observe(o.limits.HeaderTimeout - time.Until(o.due))
	return true
}

// abandon closes a connection that has not shaken hands.
func (s *Server) abandon(o *opening) {
	s.forget(o)
	_ = o.conn.Close()
	s.egress.door.end(o.place, false)
	s.egress.crowds.leave(o.sharers)
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
	if err := s.unwrap(o, inTurn); err != nil {
		if s.ended(o) {
			return nil, nil, err
		}
		s.refused(farEnd(o.conn), nil, err)
		if s.opts.TLS == nil {
			turn.end()
			refuse(o.conn, err)
		}
		return nil, nil, err
	}
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
	rest := bytes.NewReader(sent)
	var read bytes.Buffer
	all := io.MultiReader(rest, from)
	if o.limits.HTTP {
		all = io.TeeReader(all, &read) // net/http reads it again if it is no handshake
	}
	request, err := readRequest(conn, all, br, o)
	remote := s.clientOf(o, request)
	if (err == nil || errors.Is(err, errNoHandshake)) && !s.share(o, remote) {
		err = crowdedAddress(o.limits.PerAddress)
	}
	if errors.Is(err, errNoHandshake) {
		inTurn.done = true
		if s.opts.TLS == nil {
			conn = inTurn // it may still have to be read from
		}
		return nil, nil, s.newExchange(o, conn, remote, append(read.Bytes(), sent[len(sent)-rest.Len():]...))
	}
	if err != nil && s.ended(o) {
		return nil, nil, err
	}
	if file, ok := errors.AsType[*download](err); ok {
		turn.end()
		file.send(conn, o.limits)
		return nil, nil, err
	}
	if err != nil {
		s.refused(remote, request, err)
		turn.end()
		refuse(conn, err)
		return nil, nil, err
	}
	agreement := agree(strings.Join(request.Header.Values("Sec-WebSocket-Extensions"), ","))
	request.Header.Del("Sec-WebSocket-Extensions")
	answer, early, err := shake(s.upgrader, conn, request, br)
	if err != nil {
		s.refused(remote, request, err)
		return nil, nil, err
	}
	// The limit of the head may have kept some of what was sent from br.
	early = append(early, sent[len(sent)-rest.Len():]...)
	inTurn.done = true
	socket := s.egress.newSocket(conn, o.limits)
	socket.answer, socket.remote = answer, remote
	socket.agree(agreement)
	return socket, early, nil
}

// fits notes whom a request that a poller has read comes from, and reports whether its address may have a further
// connection.
func (s *Server) fits(o *opening, socket *socket, request *plainRequest) bool {
	if request.proxied {
		socket.remote = address(remoteOf(o.conn.RemoteAddr().String(), request.old, request.standard, s.proxies))
	}
	return s.share(o, socket.remote)
}

// open shakes hands with a peer whose request a poller has read. After true the caller starts the connection's
// actor. After false it refuses the request if that is late, and otherwise closes the connection.
func (s *Server) open(o *opening, socket *socket, request *plainRequest) bool {
	socket.answer = acceptance(request.key)
	if request.offers != nil {
		socket.agree(agree(string(request.offers)))
	}
	socket.heard()
	return s.pass(o, socket)
}

// begin gives the connection an actor and has what comes read. It ends the turn, because a reader may wait. The caller
// holds the gate.
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
	if !r.feed(early, nil) {
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
