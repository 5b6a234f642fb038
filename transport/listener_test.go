package transport

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"strowger/actors"
	"strowger/transport/wire"
)

func TestHandshakeRefused(t *testing.T) {
	good := func(extra string) string {
		return strings.Replace(fmt.Sprintf(upgrade, "pbx.example"), "\r\n\r\n", "\r\n"+extra+"\r\n", 1)
	}
	tests := []struct {
		name, request string
		change        func(*Limits)
		want          int
	}{
		{name: "no HTTP", request: "hello\r\n\r\n", want: http.StatusBadRequest},
		{name: "no key", request: "GET / HTTP/1.1\r\nHost: x\r\n\r\n", want: http.StatusBadRequest},
		{name: "method", request: strings.Replace(good(""), "GET", "POST", 1), want: http.StatusMethodNotAllowed},
		{name: "version", request: strings.Replace(good(""), "HTTP/1.1", "HTTP/1.0", 1), want: http.StatusHTTPVersionNotSupported},
		{name: "origin", request: good("Origin: https://evil.example\r\n"), want: http.StatusForbidden},
		{name: "long header", request: good("X: " + strings.Repeat("x", 9<<10) + "\r\n"), want: http.StatusRequestHeaderFieldsTooLarge},
		{name: "too many", change: func(l *Limits) { l.Connections = 0 }, want: http.StatusServiceUnavailable},
		{name: "silent", change: func(l *Limits) { l.HeaderTimeout = 20 * time.Millisecond }, want: http.StatusRequestTimeout},
		{name: "silent amid the header", request: "GET / HTTP/1.1\r\nHo", change: func(l *Limits) { l.HeaderTimeout = 20 * time.Millisecond }, want: http.StatusRequestTimeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t, nil, tt.change)
			p := s.connect()
			p.write([]byte(tt.request))
			r, err := http.ReadResponse(p.br, nil)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(r.Body)
			if err != nil || r.StatusCode != tt.want || len(body) == 0 {
				t.Errorf("status %d, body %q, err %v; want %d and a reason", r.StatusCode, body, err, tt.want)
			}
			_ = p.Close()
			eventually(t, "connection no longer counted", func() bool { return s.Live() == 0 })
		})
	}
}

func TestPlaceIsFreeAgain(t *testing.T) {
	s := newServer(t, nil, func(l *Limits) { l.Connections = 1 })
	p := s.dial()
	refused := s.connect()
	if r, err := http.ReadResponse(refused.br, nil); err != nil || r.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("response %v, err %v; want 503", r, err)
	}
	p.write(masked(bye, nil))
	p.closed(wire.CloseNone)
	_ = p.Close()
	eventually(t, "place free", func() bool { return s.Live() == 0 })
	s.dial()
}

func TestFrameBehindHandshake(t *testing.T) {
	s := newServer(t, nil, nil)
	p := s.connect()
	p.write(append(fmt.Appendf(nil, upgrade, "x"), masked(ping, []byte("early"))...))
	if _, err := http.ReadResponse(p.br, nil); err != nil {
		t.Fatal(err)
	}
	for {
		if m := p.next(); m.op == wire.OpPong {
			if string(m.payload) != "early" {
				t.Fatalf("pong %q, want %q", m.payload, "early")
			}
			return
		}
	}
}

func TestStopListening(t *testing.T) {
	s := newServer(t, nil, nil)
	open, silent := s.dial(), s.connect()
	eventually(t, "second connection taken", func() bool { return s.Live() == 2 })
	s.StopListening()
	if _, err := silent.br.ReadByte(); err == nil {
		t.Error("a connection without handshake goes on")
	}
	open.ping("still here")
	s.CloseAll(wire.CloseGoingAway)
	open.closed(wire.CloseGoingAway)
	_ = open.Close()
	s.Wait()
	eventually(t, "no connection left", func() bool { return s.Live() == 0 })
}

func TestAbortAll(t *testing.T) {
	s := newServer(t, nil, nil)
	p := s.dial()
	s.AbortAll()
	for {
		m, err := p.read()
		if err != nil {
			break
		}
		if m.op == wire.OpClose {
			t.Fatal("got a close frame, want none")
		}
	}
	eventually(t, "no connection left", func() bool { return s.Live() == 0 })
}

func TestLateConnectionIsClosed(t *testing.T) {
	s := newServer(t, nil, nil)
	s.CloseAll(wire.CloseGoingAway)
	p := s.connect()
	p.write(fmt.Appendf(nil, upgrade, "x"))
	if _, err := http.ReadResponse(p.br, nil); err != nil {
		t.Fatal(err)
	}
	p.closed(wire.CloseGoingAway)
}

// A bug behind the handshake costs one connection, and no descriptor that somebody still uses.
func TestPanicBehindHandOver(t *testing.T) {
	r := newRig(t, nil)
	near, far := r.tcpPair(0)
	// Without Supervise no actor can be spawned.
	s := &Server{egress: r.Egress, opts: Options{Log: r.deps.Log, Deps: &actors.Deps{Counters: new(actors.Counters)}}}
	r.live.Add(1)
	s.begin(r.newSocket(near, r.limits.Load()), nil, nil)
	newPeer(t, far).closed(wire.CloseInternalError)
	s.running.Wait()
	eventually(t, "the connection is gone", func() bool { return r.Live() == 0 })
	if n := s.opts.Deps.Counters.Panics.Load(); n != 1 {
		t.Errorf("%d panics counted, want 1", n)
	}
}

// A handshake that a stop has closed goes no further.
func TestStopBehindHandshake(t *testing.T) {
	s := newServer(t, nil, nil)
	early, late := s.connect(), s.connect()
	if !s.remember(early.Conn) || !s.forget(early.Conn) {
		t.Fatal("a handshake was not let through")
	}
	if !s.remember(late.Conn) {
		t.Fatal("a handshake was not let begin")
	}
	s.StopListening()
	if s.forget(late.Conn) {
		t.Error("a connection that was closed goes on")
	}
	if s.remember(late.Conn) {
		t.Error("a handshake begins behind the stop")
	}
}
