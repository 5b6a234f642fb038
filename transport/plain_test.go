package transport

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// recorded is a connection that has sent all it will ever send.
type recorded struct {
	net.Conn
	*bytes.Reader
}

func (recorded) SetDeadline(time.Time) error  { return nil }
func (c recorded) Read(p []byte) (int, error) { return c.Reader.Read(p) }

// browser is the head that a browser sends through a proxy.
const browser = "GET /websockets/?a=b HTTP/1.1\r\nHost: pbx.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux)\r\nAccept: */*\r\n" +
	"Sec-WebSocket-Version: 13\r\nOrigin: https://pbx.example\r\nSec-WebSocket-Extensions: permessage-deflate\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nConnection: keep-alive, Upgrade\r\nCookie: PHPSESSID=abc; x=\"y\"\r\n" +
	"X-Forwarded-For: 203.0.113.9\r\nForwarded: for=203.0.113.9\r\nUpgrade: websocket\r\n\r\n"

// FuzzReadPlain: what readPlain accepts, readRequest accepts too and reads alike.
func FuzzReadPlain(f *testing.F) {
	good := fmt.Sprintf(upgrade, "pbx.example")
	for _, request := range []string{
		good, browser, good + "behind", good[:40], strings.ReplaceAll(good, "\r\n", "\n"),
		strings.Replace(good, "GET /", "GET http://pbx.example/", 1), strings.Replace(good, "GET /", "GET //evil/", 1), strings.Replace(good, "GET /", "GET /%zz", 1),
		strings.Replace(good, "Host:", "X: a\r\n b\r\nHost:", 1), strings.Replace(good, "Host:", "Host: a\r\nhost:", 1),
		strings.Replace(good, "Host:", "Content-Length: 0\r\nHost:", 1), strings.Replace(good, "Host:", "Origin:\r\nOrigin: http://evil\r\nHost:", 1),
		strings.Replace(good, "Host:", ": a\r\nHost:", 1), strings.Replace(good, "Host:", "a b: c\r\nHost:", 1), strings.Replace(good, "Host:", "A: \x00\r\nHost:", 1),
		strings.Replace(good, "dGhl", "dGh\t", 1), strings.Replace(good, "1.1", "1.10", 1), strings.Replace(browser, "https://pbx", "https://evil", 1),
	} {
		f.Add([]byte(request))
	}
	l := &Limits{HeaderBytes: 8 << 10, Origins: []string{"other.example"}}
	f.Fuzz(func(t *testing.T, p []byte) {
		plain, rest, ok := readPlain(p, l, true)
		if !ok {
			return
		}
		br := bufio.NewReader(nil)
		r, err := readRequest(recorded{}, bytes.NewReader(p), br, &opening{limits: l, due: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatalf("%q is refused: %v", p, err)
		}
		behind, _ := br.Peek(min(br.Buffered(), len(rest)))
		if r.Host != string(plain.host) || r.Header.Get("Sec-WebSocket-Key") != string(plain.key) || r.Header.Get("Origin") != string(plain.origin) ||
			!slices.Equal(r.Header.Values("X-Forwarded-For"), plain.old) || !slices.Equal(r.Header.Values("Forwarded"), plain.standard) ||
			!bytes.HasPrefix(rest, behind) {
			t.Fatalf("%q is read as %+v, and plainly as %+v with %q after it", p, r, plain, rest)
		}
	})
}

// TestUsualRequestsArePlain: what browsers and services send is read at once, without an allocation.
func TestUsualRequestsArePlain(t *testing.T) {
	l := testLimits()
	for _, request := range []string{browser, fmt.Sprintf(upgrade, "127.0.0.1:8080"), fmt.Sprintf(upgrade, "[::1]:8080")} {
		if _, _, ok := readPlain([]byte(request), l, true); !ok {
			t.Errorf("%q is not plain", request)
		}
	}
	p := []byte(fmt.Sprintf(upgrade, "pbx.example"))
	if n := testing.AllocsPerRun(100, func() { readPlain(p, l, false) }); n > 0 {
		t.Errorf("%v allocations for a plain request, want none", n)
	}
}

// TestAcceptance has the example of RFC 6455, section 1.3.
func TestAcceptance(t *testing.T) {
	const want = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
	if got := string(acceptance([]byte("dGhlIHNhbXBsZSBub25jZQ=="))); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestAnswersAreAlike: a plain request is answered as the WebSocket library answers it.
func TestAnswersAreAlike(t *testing.T) {
	s := newServer(t, nil, nil)
	request := fmt.Sprintf(upgrade, "pbx.example")
	br := bufio.NewReader(nil)
	r, err := readRequest(recorded{}, strings.NewReader(request), br, &opening{limits: testLimits(), due: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	library, _, err := shake(s.upgrader, recorded{}, r, br)
	plain, _, ok := readPlain([]byte(request), testLimits(), false)
	if err != nil || !ok {
		t.Fatal(err, ok)
	}
	if own := acceptance(plain.key); string(own) != string(library) {
		t.Errorf("a plain request is answered %q, another one %q", own, library)
	}
}

// TestRequestInPieces: a head that comes byte by byte is read as well as one that comes whole.
func TestRequestInPieces(t *testing.T) {
	s := newServer(t, nil, nil)
	p := s.connect()
	for _, c := range []byte(fmt.Sprintf(upgrade, "pbx.example")) {
		p.write([]byte{c})
	}
	if line, err := p.br.ReadString('\n'); err != nil || !strings.Contains(line, " 101 ") {
		t.Errorf("got %q, %v", line, err)
	}
}

// TestBadRequestsAreNotPlain: hosts that are none are not plain.
func TestBadRequestsAreNotPlain(t *testing.T) {
	l := testLimits()
	for name, host := range map[string]string{"a user": "a@b", "a path": "a/b", "a list": "a, b", "nothing": ""} {
		if _, _, ok := readPlain([]byte(fmt.Sprintf(upgrade, host)), l, false); ok {
			t.Errorf("a host with %s is plain", name)
		}
	}
}
