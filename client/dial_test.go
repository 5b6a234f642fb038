package client

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"strowger/client/clienttest"
	"strowger/transport/frame"
)

func TestDialAuthenticates(t *testing.T) {
	r := newFakeRouter(t)
	done := r.dialing(t.Context(), tokens(), Options{Header: http.Header{"Origin": {"https://pbx.test"}, "Host": {"pbx.test"}}})
	p := r.Accept()
	if got := p.Request.Header.Get("Origin"); got != "https://pbx.test" {
		t.Errorf("Origin is %q", got)
	}
	if p.Request.Host != "pbx.test" || p.Request.URL.Path != "/websockets/" {
		t.Errorf("upgrade of %s at host %s", p.Request.URL.Path, p.Request.Host)
	}
	if token := p.Login(); token.Name != "name1" || token.Hash != "hash1" {
		t.Errorf("token is %q, %q", token.Name, token.Hash)
	}
	d := <-done
	if d.err != nil {
		t.Fatal(d.err)
	}
	if got := d.client.State(); got != StateOnline {
		t.Errorf("state is %v", got)
	}
	r.shut(d.client)
	if got := d.client.State(); got != StateClosed {
		t.Errorf("state after Close is %v", got)
	}
}

func TestDialMakesNoTokenBeforeTheGreeting(t *testing.T) {
	r := newFakeRouter(t)
	asked := make(chan struct{})
	token := func(context.Context) (Token, error) {
		close(asked)
		return Token{Name: "n", Hash: "h"}, nil
	}
	done := r.dialing(t.Context(), token, Options{})
	p := r.Accept()
	select {
	case <-asked:
		t.Error("a token was made before the router asked for it")
	default:
	}
	p.Greet()
	p.Greet() // a second one changes nothing
	p.Token()
	p.Admit()
	d := <-done
	if d.err != nil {
		t.Fatal(d.err)
	}
	r.shut(d.client)
}

func TestDialTLS(t *testing.T) {
	web := httptest.NewUnstartedServer(nil)
	web.StartTLS() // for its certificate, which is good for 127.0.0.1
	defer web.Close()
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	r := newFakeRouter(t, web.TLS.Certificates[0])

	t.Run("trusted", func(t *testing.T) {
		c, p := r.online(Options{TLS: &tls.Config{RootCAs: roots}})
		answered := make(chan error, 1)
		go func() {
			_, err := c.Request(t.Context(), "s", "t", nil)
			answered <- err
		}()
		p.Reply(p.Next(), 200, nil)
		if err := <-answered; err != nil {
			t.Error(err)
		}
	})
	t.Run("unknown authority", func(t *testing.T) {
		done := r.dialing(t.Context(), tokens(), Options{})
		r.Conn().Read(make([]byte, 1)) // the server's side of the handshake
		d := <-done
		var unknown x509.UnknownAuthorityError
		if !errors.As(d.err, &unknown) {
			t.Errorf("error is %v", d.err)
		}
	})
}

func TestDialFails(t *testing.T) {
	answer := func(status string) func(*fakeRouter) {
		return func(r *fakeRouter) {
			conn := r.Conn()
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
				t.Error(err)
			}
			conn.Write([]byte("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n"))
		}
	}
	verdict := func(code int, close ...byte) func(*fakeRouter) {
		return func(r *fakeRouter) {
			p := r.Accept()
			p.Greet()
			p.Token()
			b, _ := json.Marshal(clienttest.Object{"service_name": "authentication", "status_code": code})
			p.Raw(slices.Concat([]byte{0x81, byte(len(b))}, b, close)) // at once
		}
	}
	broken := errors.New("out of tokens")
	tests := []struct {
		name   string
		url    string // empty: the router's
		token  TokenSource
		opts   Options
		router func(*fakeRouter)
		is     error  // what errors.Is must find
		says   string // what the text must hold
	}{
		{name: "scheme", url: "http://127.0.0.1/", says: `url "http://127.0.0.1/": scheme must be ws or wss`},
		{name: "host", url: "ws:///x", says: "host is missing"},
		{name: "user", url: "ws://u:secret@127.0.0.1/", says: `url "ws://u:xxxxx@127.0.0.1/": user names`},
		{name: "url", url: "ws://127.0.0.1:x/", says: "invalid port"},
		{name: "option", opts: Options{CloseTimeout: -1}, says: "options: CloseTimeout is -1ns"},
		{name: "dialler", opts: Options{Dial: func(context.Context, string, string) (net.Conn, error) { return nil, broken }}, is: broken, says: "connect to 127.0.0.1:"},
		{name: "http 403", router: answer("403 Forbidden"), is: ErrForbidden, says: "upgrade at 127.0.0.1:"},
		{name: "http 503", router: answer("503 Service Unavailable"), is: ErrUnavailable, says: `status 503 "Service Unavailable"`},
		{name: "wrong accept key", router: answer("101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x"), says: "Accept"},
		{name: "no http", router: func(r *fakeRouter) { r.Conn().Write([]byte("SSH-2.0-x\r\n\r\n")) }, says: "upgrade at"},
		{name: "closed before the greeting", router: func(r *fakeRouter) { r.Accept().Conn.Close() }, says: "wait for the greeting"},
		{name: "greeting is an error", router: func(r *fakeRouter) {
			r.Accept().Send(clienttest.Object{"service_name": "authentication", "status_code": 503})
		}, is: ErrUnavailable},
		{name: "token source fails", token: func(context.Context) (Token, error) { return Token{}, broken },
			router: func(r *fakeRouter) { r.Accept().Greet() }, is: broken, says: "make token: out of tokens"},
		{name: "token without name", token: func(context.Context) (Token, error) { return Token{Hash: "h"}, nil },
			router: func(r *fakeRouter) { r.Accept().Greet() }, says: "token: name is empty"},
		{name: "token without hash", token: func(context.Context) (Token, error) { return Token{Name: "n"}, nil },
			router: func(r *fakeRouter) { r.Accept().Greet() }, says: "token: hash is empty"},
		{name: "refused", router: verdict(401), is: ErrUnauthorized},
		{name: "verdict 503", router: verdict(503), is: ErrUnavailable},
		{name: "refused and closed", router: verdict(401, 0x88, 2, 0x0F, 0xA3), is: ErrUnauthorized},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newFakeRouter(t)
			if test.url != "" {
				r.URL = test.url
			}
			if test.token == nil {
				test.token = tokens()
			}
			done := r.dialing(t.Context(), test.token, test.opts)
			if test.router != nil {
				test.router(r)
			}
			d := <-done
			if d.err == nil {
				t.Fatal("Dial succeeded")
			}
			if test.is != nil && !errors.Is(d.err, test.is) {
				t.Errorf("error %q is not %q", d.err, test.is)
			}
			if !strings.Contains(d.err.Error(), test.says) || strings.Contains(d.err.Error(), "secret") {
				t.Errorf("error is %q, want it to hold %q", d.err, test.says)
			}
		})
	}
}

func TestDialWithoutTokenSource(t *testing.T) {
	if _, err := Dial(t.Context(), "ws://127.0.0.1/", nil, Options{}); err == nil || !strings.Contains(err.Error(), "token source is nil") {
		t.Errorf("error is %v", err)
	}
}

func TestDialClosedByTheRouter(t *testing.T) {
	r := newFakeRouter(t)
	done := r.dialing(t.Context(), tokens(), Options{})
	r.Accept().Frame(8, append([]byte{0x0F, 0xA2}, "too slow"...)) // 4002
	d := <-done
	closed, ok := errors.AsType[*CloseError](d.err)
	if !ok || closed.Code != 4002 || closed.Reason != "too slow" {
		t.Errorf("error is %v", d.err)
	}
}

// Each stage of connecting must end with the timeout and with ctx.
func TestDialStops(t *testing.T) {
	stages := []struct {
		name   string
		router func(*fakeRouter)
		says   string
	}{
		{"dialling", nil, "connect to"},
		{"upgrade", func(r *fakeRouter) { r.Conn() }, "upgrade at"},
		{"upgrade request read", func(r *fakeRouter) {
			if _, err := http.ReadRequest(bufio.NewReader(r.Conn())); err != nil {
				r.t.Error(err)
			}
		}, "upgrade at"},
		{"greeting", func(r *fakeRouter) { r.Accept() }, "wait for the greeting"},
		{"token unread", func(r *fakeRouter) { r.Accept().Greet() }, ""},
		{"verdict", func(r *fakeRouter) {
			p := r.Accept()
			p.Greet()
			p.Token()
		}, "wait for the verdict"},
	}
	for _, stage := range stages {
		start := func(t *testing.T, ctx context.Context) <-chan dialed {
			r := newPipedRouter(t)
			opts := Options{WriteTimeout: time.Minute} // not at the same moment as ConnectTimeout
			if stage.router == nil {
				opts.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
					<-ctx.Done()
					return nil, ctx.Err()
				}
			}
			done := r.dialing(ctx, tokens(), opts)
			if stage.router != nil {
				stage.router(r)
			}
			synctest.Wait()
			return done
		}
		check := func(t *testing.T, d dialed, want error) {
			t.Helper()
			if !errors.Is(d.err, want) || !strings.Contains(d.err.Error(), stage.says) {
				t.Errorf("error is %v, want %v during %q", d.err, want, stage.says)
			}
		}
		t.Run(stage.name+" timeout", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := <-start(t, t.Context())
				check(t, d, ErrTimeout)
				check(t, d, context.DeadlineExceeded)
			})
		})
		t.Run(stage.name+" cancelled", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				done := start(t, ctx)
				cancel()
				check(t, <-done, context.Canceled)
			})
		})
	}
}

func TestTokenHidesItself(t *testing.T) {
	token := Token{Name: "secret name", Hash: "secret hash"}
	if s := token.String() + token.LogValue().String(); strings.Contains(s, "secret") {
		t.Errorf("token shows as %q", s)
	}
}

// When the router closed right behind its verdict, the verdict counts.
func TestVerdictBeforeTheEnd(t *testing.T) {
	s := &socket{control: make(chan *incoming, 1), ending: make(chan struct{})}
	s.end(frame.CloseNone, errors.New("closed"))
	for range 100 { // as one of two ready channels is picked at random
		s.control <- &incoming{code: 401}
		e, err := new(link).control(t.Context(), s)
		if err != nil || e.code != 401 {
			t.Fatalf("got %+v, %v", e, err)
		}
	}
	if _, err := new(link).control(t.Context(), s); err != s.err {
		t.Errorf("without a verdict the error is %v", err)
	}
}
