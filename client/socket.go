package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"github.com/lxzan/gws"

	"strowger/transport/frame"
)

// socket is one upgraded WebSocket connection. Two goroutines own it: the reader
// hands over messages, the writer is the only one to write frames of its own and
// the one to close the connection.
type socket struct {
	conn    *gws.Conn
	tap     *tap
	remote  string
	log     *slog.Logger
	ping    time.Duration
	deliver func(*socket, []byte) // called on the reader with each message, must not block

	control  chan *incoming // of the authentication service
	renewed  chan *incoming // the answer to a JWT that was presented again
	admitted bool           // the 200 has come; for the reader
	expires  time.Time      // when its JWT does; zero: never, or nobody knows. For the goroutine that keeps the link
	keeping
	out   chan []byte // text frames; unbuffered: what was handed over is being written
	pongs chan []byte

	endOnce sync.Once
	ending  chan struct{} // closed when the socket is of no more use
	code    frame.CloseCode
	err     error         // why; set before ending is closed
	read    chan struct{} // closed when the reader has ended
	gone    chan struct{} // closed when the writer has ended too
}

// upgrade makes conn a WebSocket and starts its goroutines. It closes conn when it
// returns an error.
func upgrade(ctx context.Context, conn net.Conn, url string, opts *Options, deliver func(*socket, []byte)) (*socket, error) {
	s := &socket{
		tap:     newTap(conn, opts.WriteTimeout, opts.CloseTimeout),
		remote:  conn.RemoteAddr().String(),
		log:     opts.Logger,
		ping:    opts.PingInterval,
		deliver: deliver,
		control: make(chan *incoming, 4),
		renewed: make(chan *incoming, 1),
		keeping: keeping{followed: make(chan struct{})},
		out:     make(chan []byte),
		pongs:   make(chan []byte, 1),
		ending:  make(chan struct{}),
		read:    make(chan struct{}),
		gone:    make(chan struct{}),
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	answer := &answered{Conn: s.tap, limit: opts.Limits.HeaderBytes, subprotocols: offered(opts.Header)}
	//nolint:bodyclose // the answer to an upgrade has no body
	ws, _, err := gws.NewClientFromConn(s, &gws.ClientOption{
		Addr:                url,
		RequestHeader:       opts.Header.Clone(),
		ReadMaxPayloadSize:  opts.Limits.MessageBytes,
		WriteMaxPayloadSize: opts.Limits.MessageBytes,
		CheckUtf8Enabled:    true,
		// Never: ctx ends the handshake. The library's own timeout leaks a goroutine.
		HandshakeTimeout: 24 * time.Hour,
	}, answer)
	if err != nil {
		conn.Close()
		// A refusal whose body never ended is still a refusal.
		if _, refused := errors.AsType[*StatusError](err); ctx.Err() != nil && !refused {
			return nil, contextError(ctx)
		}
		return nil, err
	}
	s.conn = ws
	go s.readLoop()
	go s.writeLoop()
	return s, nil
}

// end makes the socket end for the reason err, once. With a code it says so to the
// router and waits for the answer, with CloseNone it just closes.
func (s *socket) end(code frame.CloseCode, err error) {
	s.endOnce.Do(func() {
		s.code, s.err = code, err
		close(s.ending)
	})
}

// abort cuts the connection, whatever the goroutines wait for. TLS is not told, as
// its farewell may block.
func (s *socket) abort() {
	if secured, ok := s.tap.Conn.(*tls.Conn); ok {
		secured.NetConn().Close()
		return
	}
	s.tap.Conn.Close()
}

// send hands a text frame to the writer. handed is false if it will not be
// written, because ctx or the socket ended before.
func (s *socket) send(ctx context.Context, frame []byte) (handed bool) {
	select {
	case s.out <- frame:
		return true
	case <-s.ending:
	case <-ctx.Done():
	}
	return false
}

func (s *socket) readLoop() {
	defer close(s.read)
	// A frame with a negative length panics inside the library, which then calls
	// nothing: neither OnClose nor its own recovery.
	defer func() {
		if p := recover(); p != nil {
			s.log.Warn("read loop panicked", "remote", s.remote, "err", p, "stack", string(debug.Stack()))
			s.end(frame.CloseProtocolError, fmt.Errorf("read frame: panic: %v", p))
		}
	}()
	s.conn.ReadLoop()
}

func (s *socket) writeLoop() {
	defer close(s.gone)
	defer func() { <-s.read }()
	defer s.abort()
	var beat <-chan time.Time
	heart := newHeartbeat(s.ping)
	if s.ping > 0 {
		ticker := time.NewTicker(heart.slice)
		defer ticker.Stop()
		heart.last = s.tap.age()
		beat = ticker.C
	}
	for {
		select {
		case frame := <-s.out:
			if !s.write(gws.OpcodeText, frame) {
				return
			}
		case payload := <-s.pongs:
			if !s.write(gws.OpcodePong, payload) {
				return
			}
		case <-beat:
			ping, lost := heart.look(s.tap.age(), s.tap.lastSeen())
			if lost {
				s.end(frame.CloseNone, fmt.Errorf("no sign of life for %v", s.ping))
				return
			}
			if !ping {
				continue
			}
			heart.pinged = s.tap.age()
			if !s.write(gws.OpcodePing, nil) {
				return
			}
		case <-s.ending:
			if s.code != frame.CloseNone && s.conn.WriteClose(uint16(s.code), nil) == nil {
				<-s.read // no longer than the tap lingers
				s.tap.Conn.Close()
			}
			return
		}
	}
}

// write reports false when the frame could not be written, which ends the socket.
func (s *socket) write(op gws.Opcode, payload []byte) bool {
	err := s.conn.WriteMessage(op, payload)
	if err != nil {
		s.end(frame.CloseNone, fmt.Errorf("write frame: %w", err))
	}
	return err == nil
}

// OnOpen does nothing: a connection counts when it is authenticated.
func (s *socket) OnOpen(*gws.Conn) {}

// OnClose ends the socket with the reason for which the library stopped reading.
func (s *socket) OnClose(_ *gws.Conn, err error) {
	if closed, ok := errors.AsType[*gws.CloseError](err); ok {
		s.end(frame.CloseNone, &CloseError{Code: closed.Code, Reason: string(closed.Reason)})
		return
	}
	s.end(frame.CloseNone, fmt.Errorf("read frame: %w", err))
}

// OnPing answers with the same payload. The writer sends it, so that a router that
// does not read cannot stall the reader; of pings that come faster than they can be
// answered the first counts.
func (s *socket) OnPing(_ *gws.Conn, payload []byte) {
	select {
	case s.pongs <- payload:
	default:
	}
}

// OnPong does nothing: every arrival is a sign of life.
func (s *socket) OnPong(*gws.Conn, []byte) {}

// OnMessage hands over a copy, as the library uses its buffer again.
func (s *socket) OnMessage(_ *gws.Conn, m *gws.Message) {
	data := bytes.Clone(m.Bytes())
	m.Close()
	s.deliver(s, data)
}
