package transport

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"strowger/actors"
	"strowger/transport/frame"
)

func TestHandshakeRefused(t *testing.T) {
	good := func(extra string) string {
		return strings.Replace(fmt.Sprintf(upgrade, "pbx.example"), "\r\n\r\n", "\r\n"+extra+"\r\n", 1)
	}
	with := func(old, new string) string { return strings.Replace(good(""), old, new, 1) }
	without := func(line string) string { return with(line+"\r\n", "") }
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
		{name: "no host", request: without("Host: pbx.example"), want: http.StatusBadRequest},
		{name: "absolute target and no host", request: strings.Replace(without("Host: pbx.example"), "GET /", "GET http://pbx.example/", 1), want: http.StatusBadRequest},
		{name: "absolute target and a name that ends like host", request: strings.Replace(with("Host: pbx.example", "X-Host: pbx.example"), "GET /", "GET http://pbx.example/", 1), want: http.StatusBadRequest},
		{name: "empty host", request: with("Host: pbx.example", "Host: "), want: http.StatusBadRequest},
		{name: "two hosts", request: good("Host: other.example\r\n"), want: http.StatusBadRequest},
		{name: "list of hosts", request: with("Host: pbx.example", "Host: pbx.example, other.example"), want: http.StatusBadRequest},
		{name: "host with a user", request: with("Host: pbx.example", "Host: me@pbx.example"), want: http.StatusBadRequest},
		{name: "host with a path", request: with("Host: pbx.example", "Host: pbx.example/x"), want: http.StatusBadRequest},
		{name: "no upgrade", request: without("Upgrade: websocket"), want: http.StatusUpgradeRequired},
		{name: "another upgrade", request: with("Upgrade: websocket", "Upgrade: h2c"), want: http.StatusUpgradeRequired},
		{name: "upgrade that contains the word", request: with("Upgrade: websocket", "Upgrade: websocket2"), want: http.StatusUpgradeRequired},
		{name: "no connection", request: without("Connection: Upgrade"), want: http.StatusBadRequest},
		{name: "another connection", request: with("Connection: Upgrade", "Connection: keep-alive"), want: http.StatusBadRequest},
		{name: "connection that contains the word", request: with("Connection: Upgrade", "Connection: no-upgrade"), want: http.StatusBadRequest},
		{name: "neither upgrade nor connection", request: strings.Replace(without("Connection: Upgrade"), "Upgrade: websocket\r\n", "", 1), want: http.StatusUpgradeRequired},
		{name: "short key", request: with("dGhlIHNhbXBsZSBub25jZQ==", "AAAA"), want: http.StatusBadRequest},
		{name: "key of 15 bytes", request: with("dGhlIHNhbXBsZSBub25jZQ==", "AAAAAAAAAAAAAAAAAAAA"), want: http.StatusBadRequest},
		{name: "key of 17 bytes", request: with("dGhlIHNhbXBsZSBub25jZQ==", "AAAAAAAAAAAAAAAAAAAAAAA="), want: http.StatusBadRequest},
		{name: "key without padding", request: with("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ"), want: http.StatusBadRequest},
		{name: "key in another alphabet", request: with("dGhlIHNhbXBsZSBub25jZQ==", "____________________-A=="), want: http.StatusBadRequest},
		{name: "empty key", request: with("dGhlIHNhbXBsZSBub25jZQ==", ""), want: http.StatusBadRequest},
		{name: "two keys", request: good("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), want: http.StatusBadRequest},
		{name: "two origins", request: good("Origin: http://pbx.example\r\nOrigin: http://evil.example\r\n"), want: http.StatusBadRequest},
		{name: "body", request: good("Content-Length: 5\r\n") + "hello", want: http.StatusBadRequest},
		{name: "chunks", request: good("Transfer-Encoding: chunked\r\n") + "0\r\n\r\n", want: http.StatusBadRequest},
		{name: "two lengths", request: good("Content-Length: 0\r\nContent-Length: 5\r\n"), want: http.StatusBadRequest},
		{name: "a target that is for OPTIONS", request: with("GET /", "GET *"), want: http.StatusBadRequest},
		{name: "a target that is for CONNECT", request: with("GET /", "GET pbx.example:80"), want: http.StatusBadRequest},
		{name: "no target", request: with("GET /", "GET "), want: http.StatusBadRequest},
		{name: "a relative target", request: with("GET /", "GET websockets/"), want: http.StatusBadRequest},
		{name: "a space in the target", request: with("GET /", "GET /a b"), want: http.StatusBadRequest},
		{name: "LF behind the request line", request: with("HTTP/1.1\r\n", "HTTP/1.1\n"), want: http.StatusBadRequest},
		{name: "LF behind a field", request: with("Upgrade: websocket\r\n", "Upgrade: websocket\n"), want: http.StatusBadRequest},
		{name: "LF everywhere", request: strings.ReplaceAll(good(""), "\r\n", "\n"), want: http.StatusBadRequest},
		{name: "LF at the end of the head", request: strings.TrimSuffix(good(""), "\r\n") + "\n", want: http.StatusBadRequest},
		{name: "CR in a value", request: good("X: a\rOrigin: http://pbx.example\r\n"), want: http.StatusBadRequest},
		{name: "CR before the end of a line", request: good("X: a\r\r\n"), want: http.StatusBadRequest},
		{name: "NUL in a value", request: good("X: a\x00b\r\n"), want: http.StatusBadRequest},
		{name: "escape in a value", request: good("X: \x1b[2J\r\n"), want: http.StatusBadRequest},
		{name: "space before the colon", request: with("Upgrade: websocket", "Upgrade : websocket"), want: http.StatusBadRequest},
		{name: "a field on two lines", request: good("X: a\r\n b\r\n"), want: http.StatusBadRequest},
		{name: "a line without a colon", request: good("nonsense\r\n"), want: http.StatusBadRequest},
		{name: "LF before the request line", request: "\n" + good(""), want: http.StatusBadRequest},
		{name: "empty line and LF before the request line", request: "\r\n\n" + good(""), want: http.StatusBadRequest},
		{name: "CR before an empty line", request: "\r\r\n" + good(""), want: http.StatusBadRequest},
		{name: "blank line before the request line", request: " \r\n" + good(""), want: http.StatusBadRequest},
		{name: "empty line and no request", request: "\r\nhello\r\n\r\n", want: http.StatusBadRequest},
		{name: "empty line and LF behind a field", request: "\r\n" + with("Upgrade: websocket\r\n", "Upgrade: websocket\n"), want: http.StatusBadRequest},
		{name: "empty line and no host", request: "\r\n" + strings.Replace(without("Host: pbx.example"), "GET /", "GET http://pbx.example/", 1), want: http.StatusBadRequest},
		{name: "empty lines without end", request: strings.Repeat("\r\n", 5<<10), want: http.StatusRequestHeaderFieldsTooLarge},
		{name: "empty lines and then silence", request: "\r\n\r\n", change: func(l *Limits) { l.HeaderTimeout = 20 * time.Millisecond }, want: http.StatusRequestTimeout},
		{name: "method in lower case", request: with("GET /", "get /"), want: http.StatusMethodNotAllowed},
		{name: "no method", request: with("GET /", " /"), want: http.StatusBadRequest},
		{name: "two spaces before the target", request: with("GET /", "GET  /"), want: http.StatusBadRequest},
		{name: "two spaces before the version", request: with(" HTTP/1.1", "  HTTP/1.1"), want: http.StatusBadRequest},
		{name: "space behind the version", request: with("HTTP/1.1", "HTTP/1.1 "), want: http.StatusBadRequest},
		{name: "tab in place of a space", request: with("GET /", "GET\t/"), want: http.StatusBadRequest},
		{name: "no version of HTTP", request: with(" HTTP/1.1", ""), want: http.StatusBadRequest},
		{name: "version in lower case", request: with("HTTP/1.1", "http/1.1"), want: http.StatusBadRequest},
		{name: "version with a leading zero", request: with("HTTP/1.1", "HTTP/01.1"), want: http.StatusBadRequest},
		{name: "preface of HTTP/2", request: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", want: http.StatusMethodNotAllowed},
		{name: "target with a broken escape", request: with("GET /", "GET /%zz"), want: http.StatusBadRequest},
		{name: "a field without a name", request: good(": a\r\n"), want: http.StatusBadRequest},
		{name: "a name that is no token", request: good("X(a): b\r\n"), want: http.StatusBadRequest},
		{name: "first field begins with a space", request: with("Host:", " Host:"), want: http.StatusBadRequest},
		{name: "host and port that is none", request: with("Host: pbx.example", "Host: pbx.example:http"), want: http.StatusBadRequest},
		{name: "host with an escape", request: with("Host: pbx.example", "Host: pbx%2eexample"), want: http.StatusBadRequest},
		{name: "negative length", request: good("Content-Length: -1\r\n"), want: http.StatusBadRequest},
		{name: "length with a sign", request: good("Content-Length: +0\r\n"), want: http.StatusBadRequest},
		{name: "list of lengths", request: good("Content-Length: 0, 5\r\n"), want: http.StatusBadRequest},
		{name: "unknown coding", request: good("Transfer-Encoding: gzip\r\n"), want: http.StatusBadRequest},
		{name: "coding that is none", request: good("Transfer-Encoding: identity\r\n"), want: http.StatusBadRequest},
		{name: "upgrade in quotes", request: with("Upgrade: websocket", "Upgrade: \"websocket\""), want: http.StatusUpgradeRequired},
		{name: "upgrade with a version", request: with("Upgrade: websocket", "Upgrade: websocket/13"), want: http.StatusUpgradeRequired},
		{name: "list of keys", request: with("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=="), want: http.StatusBadRequest},
		{name: "key with a blank in it", request: with("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBs ZSBub25jZQ=="), want: http.StatusBadRequest},
		{name: "DEL in a value", request: good("X: a\x7f\r\n"), want: http.StatusBadRequest},
		{name: "later HTTP", request: with("HTTP/1.1", "HTTP/2.0"), want: http.StatusHTTPVersionNotSupported},
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
			if tt.want == http.StatusUpgradeRequired && r.Header.Get("Upgrade") != "websocket" {
				t.Errorf("426 with Upgrade %q, want websocket", r.Header.Get("Upgrade"))
			}
			_ = p.Close()
			eventually(t, "connection no longer counted", func() bool { return s.Live() == 0 })
		})
	}
}

func TestHandshakeAccepted(t *testing.T) {
	tests := map[string]struct{ old, new string }{
		"as a PHP service asks":  {"Sec-WebSocket-Version", "Origin: ws://127.0.0.1\r\nSec-WebSocket-Version"},
		"names in lower case":    {"Connection: Upgrade", "connection: upgrade"},
		"a list of connections":  {"Connection: Upgrade", "Connection: keep-alive, Upgrade"},
		"two connection lines":   {"Connection: Upgrade", "Connection: keep-alive\r\nConnection: Upgrade"},
		"websocket in capitals":  {"Upgrade: websocket", "Upgrade: WebSocket"},
		"a list of upgrades":     {"Upgrade: websocket", "Upgrade: h2c, websocket"},
		"an absolute target":     {"GET /", "GET http://127.0.0.1/"},
		"host in capitals":       {"Host: 127.0.0.1", "HOST: 127.0.0.1"},
		"no version":             {"Sec-WebSocket-Version: 13\r\n", ""},
		"another version":        {"Version: 13", "Version: 99"},
		"no space":               {"Key: ", "Key:"},
		"empty body":             {"Upgrade: websocket", "Content-Length: 0\r\nUpgrade: websocket"},
		"IPv6 host":              {"Host: 127.0.0.1", "Host: [::1]:8080"},
		"host name with _":       {"Host: 127.0.0.1", "Host: my_pbx"},
		"tabs around a value":    {"Upgrade: websocket", "Upgrade:\twebsocket\t"},
		"a query":                {"GET /", "GET /websockets/?a=b*"},
		"an empty line before":   {"GET /", "\r\nGET /"},
		"empty lines before":     {"GET /", "\r\n\r\n\r\nGET /"},
		"key with blanks around": {"Key: dGhlIHNhbXBsZSBub25jZQ==", "Key:  \tdGhlIHNhbXBsZSBub25jZQ== "},
		"empty items":            {"Upgrade: websocket", "Upgrade: , websocket,"},
		"an expectation":         {"Upgrade: websocket", "Expect: 100-continue\r\nUpgrade: websocket"},
		"the root of a host":     {"Host: 127.0.0.1", "Host: pbx.example.:8080"},
		"UTF-8 in a value":       {"Upgrade: websocket", "X: Zürich\r\nUpgrade: websocket"},
	}
	s := newServer(t, nil, nil)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := s.connect()
			p.write([]byte(strings.Replace(fmt.Sprintf(upgrade, "127.0.0.1"), tt.old, tt.new, 1)))
			r, err := http.ReadResponse(p.br, nil)
			if err != nil || r.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("response %v, err %v; want 101", r, err)
			}
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
	p.closed(frame.CloseNone)
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
		if m := p.next(); m.op == frame.OpPong {
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
	s.CloseAll()
	open.closed(frame.CloseGoingAway)
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
		if m.op == frame.OpClose {
			t.Fatal("got a close frame, want none")
		}
	}
	eventually(t, "no connection left", func() bool { return s.Live() == 0 })
}

func TestLateConnectionIsClosed(t *testing.T) {
	s := newServer(t, nil, nil)
	s.CloseAll()
	p := s.connect()
	p.write(fmt.Appendf(nil, upgrade, "x"))
	if _, err := http.ReadResponse(p.br, nil); err != nil {
		t.Fatal(err)
	}
	p.closed(frame.CloseGoingAway)
}

// A bug behind the handshake costs one connection, and no descriptor that somebody still uses.
func TestPanicBehindHandOver(t *testing.T) {
	r := newRig(t, nil)
	near, far := r.tcpPair(0)
	// Without Supervise no actor can be spawned.
	s := &Server{egress: r.Egress, opts: Options{Log: r.deps.Log, Deps: &actors.Deps{Counters: new(actors.Counters)}}}
	r.live.Add(1)
	s.begin(r.newSocket(near, r.limits.Load()), nil, newTurns(r.limits).take(), actors.RouterRef{})
	newPeer(t, far).closed(frame.CloseInternalError)
	s.running.Wait()
	eventually(t, "the connection is gone", func() bool { return r.Live() == 0 })
	if n := s.opts.Deps.Counters.Panics.Load(); n != 1 {
		t.Errorf("%d panics counted, want 1", n)
	}
}

// A handshake that a stop has closed goes no further.
func TestStopBehindHandshake(t *testing.T) {
	s := newServer(t, nil, nil)
	early, late := &opening{conn: s.connect().Conn}, &opening{conn: s.connect().Conn}
	if !s.remember(early) || !s.forget(early) {
		t.Fatal("a handshake was not let through")
	}
	if !s.remember(late) {
		t.Fatal("a handshake was not let begin")
	}
	s.StopListening()
	if s.forget(late) {
		t.Error("a connection that was closed goes on")
	}
	if s.remember(late) {
		t.Error("a handshake begins behind the stop")
	}
}
