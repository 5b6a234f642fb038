package client

import (
	"errors"
	"strings"
	"testing"

	"strowger/actors/envelope"
	"strowger/client/clienttest"
)

// key stands in the heads below for the value that the request's key demands.
const key = "KEY"

// answer waits for the client's next connection and answers its request with head.
func (r *fakeRouter) answer(head string) *clienttest.Peer {
	r.t.Helper()
	p := r.Asked()
	p.Raw([]byte(strings.ReplaceAll(head, key, p.Key())))
	return p
}

func TestAnswersThatProxiesMake(t *testing.T) {
	const good = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + key + "\r\n\r\n"
	interim := "HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n"
	tests := map[string]string{
		"plain":                    "HTTP/1.1 101 Switching Protocols\r\n" + good,
		"no reason":                "HTTP/1.1 101\r\n" + good,
		"two Connection lines":     "HTTP/1.1 101 Switching Protocols\r\nConnection: keep-alive\r\n" + good,
		"a list in one line":       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: keep-alive, upgrade\r\nSec-WebSocket-Accept: " + key + "\r\n\r\n",
		"a list in Upgrade":        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c, WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + key + "\r\n\r\n",
		"100 first":                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n" + good,
		"103 first":                interim + "HTTP/1.1 101 Switching Protocols\r\n" + good,
		"as many as may be":        strings.Repeat(interim, maxInterim) + "HTTP/1.1 101 Switching Protocols\r\n" + good,
		"nearly as long as may be": "HTTP/1.1 101 Switching Protocols\r\nX-Filler: " + strings.Repeat("x", 60<<10) + "\r\n" + good,
	}
	for name, head := range tests {
		t.Run(name, func(t *testing.T) {
			r := newFakeRouter(t)
			done := r.dialing(t.Context(), tokens(), Options{})
			p := r.answer(head)
			p.Login()
			d := <-done
			if d.err != nil {
				t.Fatal(d.err)
			}
			r.shut(d.client)
		})
	}
}

// What follows the head in the same packet belongs to the WebSocket.
func TestAnswerWithTheGreetingInOnePiece(t *testing.T) {
	r := newFakeRouter(t)
	done := r.dialing(t.Context(), tokens(), Options{})
	greeting := `{"service_name":"authentication","status_code":407}`
	p := r.answer("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + key +
		"\r\n\r\n\x81" + string(rune(len(greeting))) + greeting)
	p.Token()
	p.Admit()
	d := <-done
	if d.err != nil {
		t.Fatal(d.err)
	}
	r.shut(d.client)
}

func TestAnswersThatAreNoUpgrade(t *testing.T) {
	const accept = "Sec-WebSocket-Accept: " + key + "\r\n"
	const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	tests := map[string]struct{ head, want string }{
		"extension nobody offered":   {"HTTP/1.1 101 x\r\n" + upgrade + accept + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", `extension "permessage-deflate" was not offered`},
		"empty extension":            {"HTTP/1.1 101 x\r\n" + upgrade + accept + "Sec-WebSocket-Extensions:\r\n\r\n", `extension "" was not offered`},
		"subprotocol nobody offered": {"HTTP/1.1 101 x\r\n" + upgrade + accept + "Sec-WebSocket-Protocol: chat\r\n\r\n", `subprotocol "chat" was not offered`},
		"no Connection":              {"HTTP/1.1 101 x\r\nUpgrade: websocket\r\n" + accept + "\r\n", "Connection header"},
		"no Upgrade":                 {"HTTP/1.1 101 x\r\nConnection: Upgrade\r\n" + accept + "\r\n", "Upgrade header"},
		"no key":                     {"HTTP/1.1 101 x\r\n" + upgrade + "\r\n", "0 Sec-WebSocket-Accept headers"},
		"two keys":                   {"HTTP/1.1 101 x\r\n" + upgrade + accept + accept + "\r\n", "2 Sec-WebSocket-Accept headers"},
		"wrong key":                  {"HTTP/1.1 101 x\r\n" + upgrade + "Sec-WebSocket-Accept: x\r\n\r\n", "Sec-WebSocket-Accept"},
		"too many interim answers":   {strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", maxInterim+1), "more than 16 interim answers"},
		"no HTTP":                    {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "read answer to the upgrade"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newFakeRouter(t)
			done := r.dialing(t.Context(), tokens(), Options{})
			r.answer(test.head)
			if d := <-done; d.err == nil || !strings.Contains(d.err.Error(), test.want) {
				t.Errorf("error is %v, want one with %q", d.err, test.want)
			}
		})
	}
}

func TestRefusedUpgrade(t *testing.T) {
	for _, code := range []string{"200", "302", "401", "403", "503"} {
		r := newFakeRouter(t)
		done := r.dialing(t.Context(), tokens(), Options{})
		r.answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 " + code + " x\r\nContent-Length: 3\r\n\r\nno\n")
		var status *StatusError
		if d := <-done; !errors.As(d.err, &status) || status.Error() == "" || !strings.Contains(d.err.Error(), code) {
			t.Errorf("%s: error is %v, want a StatusError", code, d.err)
		}
	}
}

// An answer without an end fails the attempt. The client stops reading soon after the limit, whichever part
// of the answer goes on for ever.
func TestAnswerWithoutEnd(t *testing.T) {
	starts := map[string]struct{ start, more string }{
		"header lines":    {"HTTP/1.1 101 x\r\n", "X-A: b\r\n"},
		"one header line": {"HTTP/1.1 101 x\r\nX-A: ", "bbbbbbbb"},
		"status line":     {"HTTP/1.1 101 ", "bbbbbbbb"},
		"interim answers": {"", "HTTP/1.1 100 Continue\r\nX-Filler: " + strings.Repeat("b", 8<<10) + "\r\n\r\n"},
	}
	for name, test := range starts {
		t.Run(name, func(t *testing.T) {
			r := newFakeRouter(t)
			counted := &countingConn{}
			done := r.dialing(t.Context(), tokens(), Options{Limits: Limits{HeaderBytes: 32 << 10},
				Dial: counted.dial})
			p := r.answer(test.start)
			chunk := []byte(strings.Repeat(test.more, 1+(1<<10)/len(test.more)))
			for {
				if _, err := p.Conn.Write(chunk); err != nil {
					break // the client has hung up
				}
			}
			if d := <-done; d.err == nil || !strings.Contains(d.err.Error(), "longer than Limits.HeaderBytes, 32768 bytes") {
				t.Errorf("error is %v", d.err)
			}
			if n := counted.read.Load(); n > 64<<10 {
				t.Errorf("the client read %d bytes", n)
			}
		})
	}
}

// serviceBytes is the router's default of limits.service_bytes.
const serviceBytes = 16 << 20

// The longest message that a service may send fits in by default, with all the keys that the router adds.
func TestLongestMessageOfTheRouter(t *testing.T) {
	r := newFakeRouter(t)
	// A busy machine takes long for so much.
	c, p := r.online(Options{RequestTimeout: clienttest.Patience, PingInterval: -1})
	done := asking(t.Context(), c, "x")
	m := p.Next()
	payload := strings.Repeat("x", serviceBytes-128)
	p.Reply(m, 200, payload)
	if a := <-done; a.err != nil || len(a.reply.Payload) != len(payload)+2 {
		t.Errorf("error is %v", a.err)
	}
	if limit := c.link.opts.Limits.MessageBytes; limit < serviceBytes+envelope.EnvelopeBytes {
		t.Errorf("limit is %d, the router may send %d", limit, serviceBytes+envelope.EnvelopeBytes)
	}
	r.shut(c)
}
