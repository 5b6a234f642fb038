package client

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"strowger/client/clienttest"
)

// What a refusal says is in the error, as one line and not longer than a reader can bear.
func TestRefusalSaysWhy(t *testing.T) {
	const status = "HTTP/1.1 403 Forbidden\r\n"
	tests := map[string]struct{ answer, want string }{
		"router":      {status + "Content-Length: 38\r\n\r\norigin not allowed, see listen.origins\n", "origin not allowed, see listen.origins"},
		"chunks":      {status + "Transfer-Encoding: chunked\r\n\r\n3\r\nab \r\n2\r\ncd\r\n0\r\n\r\n", "ab cd"},
		"page":        {status + "Content-Length: 27\r\n\r\n<html>\r\n\t<b>no</b>\r\n</html>", "<html> <b>no</b> </html>"},
		"terminal":    {status + "Content-Length: 15\r\n\r\n\x1b[2J\x00\x7f\u202eno\xff!", "�[2J���no�!"},
		"no body":     {status + "Content-Length: 0\r\n\r\n", ""},
		"broken body": {status + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\nnonsense\r\n", "ok"},
		"long":        {status + "Content-Length: 9000\r\n\r\n" + strings.Repeat("x", 9000), strings.Repeat("x", excerptBytes) + "..."},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newFakeRouter(t)
			done := r.dialing(t.Context(), tokens(), Options{})
			r.answer(test.answer)
			var refused *StatusError
			d := <-done
			if !errors.As(d.err, &refused) || refused.Code != 403 || refused.Detail != test.want {
				t.Fatalf("error is %v (%+v), want a StatusError with %q", d.err, refused, test.want)
			}
			if !strings.Contains(d.err.Error(), test.want) {
				t.Errorf("error %q does not say %q", d.err, test.want)
			}
		})
	}
}

// A refusal whose body does not end is a refusal, with what came of the body.
func TestRefusalWithoutEnd(t *testing.T) {
	tests := map[string]struct {
		connect time.Duration // ConnectTimeout
		more    func(p *clienttest.Peer)
	}{
		"stalled":                            {10 * time.Second, func(*clienttest.Peer) {}},
		"stalled, and the attempt is over":   {detailWait / 2, func(*clienttest.Peer) {}},
		"byte by byte":                       {10 * time.Second, func(p *clienttest.Peer) { drip(p, 100*time.Millisecond, "x") }},
		"byte by byte, the attempt is over":  {detailWait / 2, func(p *clienttest.Peer) { drip(p, 100*time.Millisecond, "x") }},
		"as fast as the client can take it":  {10 * time.Second, func(p *clienttest.Peer) { drip(p, 0, strings.Repeat("x", 4096)) }},
		"chunk extensions that never do end": {10 * time.Second, func(p *clienttest.Peer) { drip(p, 0, strings.Repeat(";", 4096)) }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newPipedRouter(t)
				done := r.dialing(t.Context(), tokens(), Options{Dial: r.Dial, ConnectTimeout: test.connect})
				p := r.Asked()
				began := time.Now()
				body := "Content-Length: 100000000\r\n\r\nno such host"
				if strings.HasPrefix(name, "chunk") {
					body = "Transfer-Encoding: chunked\r\n\r\nc\r\nno such host\r\n1"
				}
				p.Raw([]byte("HTTP/1.1 404 Not Found\r\n" + body))
				test.more(p)
				var refused *StatusError
				d := <-done
				if !errors.As(d.err, &refused) || !strings.HasPrefix(refused.Detail, "no such host") {
					t.Errorf("error is %v, want a StatusError", d.err)
				}
				if took := time.Since(began); took > detailWait+100*time.Millisecond {
					t.Errorf("took %v", took)
				}
				p.Conn.Close()
			})
		})
	}
}

// drip writes piece again and again until the client hangs up.
func drip(p *clienttest.Peer, every time.Duration, piece string) {
	for {
		if _, err := p.Conn.Write([]byte(piece)); err != nil {
			return
		}
		time.Sleep(every) // in a bubble
	}
}

// A head that comes byte by byte fails the attempt in its time, wherever the server is in it.
func TestHeadByteByByte(t *testing.T) {
	starts := map[string]string{
		"status line":    "HTTP/1.1 101 ",
		"header":         "HTTP/1.1 101 x\r\nX-A: ",
		"interim answer": "HTTP/1.1 103 x\r\nX-A: ",
		"nothing yet":    "",
	}
	for name, start := range starts {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newPipedRouter(t)
				done := r.dialing(t.Context(), tokens(), Options{Dial: r.Dial, ConnectTimeout: 7 * time.Second})
				p := r.Asked()
				began := time.Now()
				if start != "" {
					p.Raw([]byte(start))
				}
				drip(p, time.Second, "x")
				d := <-done
				if took := time.Since(began); !errors.Is(d.err, ErrTimeout) || took > 8*time.Second {
					t.Errorf("error after %v is %v", took, d.err)
				}
				p.Conn.Close()
			})
		})
	}
}

// What the server chose is in no error at full length, nor with its control characters.
func TestErrorsOfHeadsAreShort(t *testing.T) {
	long := strings.Repeat("x", 30<<10)
	const upgrade = "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + key + "\r\n"
	heads := map[string]string{
		"no HTTP":            "SSH-2.0-" + long + "\x1b[2J\r\n\r\n",
		"no colon":           "HTTP/1.1 101 x\r\n\x1b[2J" + long + "\r\n\r\n",
		"status code":        "HTTP/1.1 " + long + " x\r\n\r\n",
		"version":            "HTTP/" + long + " 101 x\r\n\r\n",
		"length":             "HTTP/1.1 200 x\r\nContent-Length: " + long + "\r\n\r\n",
		"transfer coding":    "HTTP/1.1 200 x\r\nTransfer-Encoding: " + long + "\r\n\r\n",
		"unasked extension":  upgrade + "Sec-WebSocket-Extensions: \x1b[2J" + long + "\r\n\r\n",
		"unasked protocol":   upgrade + "Sec-WebSocket-Protocol: " + long + "\r\n\r\n",
		"key":                "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + long + "\r\n\r\n",
		"reason of the body": "HTTP/1.1 400 " + long + "\r\n\r\n" + long,
	}
	for name, head := range heads {
		t.Run(name, func(t *testing.T) {
			r := newFakeRouter(t)
			done := r.dialing(t.Context(), tokens(), Options{})
			p := r.answer(head)
			p.Conn.Close()
			d := <-done
			if d.err == nil || len(d.err.Error()) > 2*excerptBytes || strings.ContainsAny(d.err.Error(), "\x1b\r\n\x00") {
				t.Errorf("error is %.600v", d.err)
			}
		})
	}
}
