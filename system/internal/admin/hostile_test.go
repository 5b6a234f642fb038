package admin

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"strowger/system/internal/introspect"
)

var paths = []string{"/healthz", "/readyz", "/metrics", "/tree", "/deadletters", "/refusals", "/cluster", "/debug/pprof/", "/", "/nothing"}

func TestOnlyGetAndHead(t *testing.T) {
	s := listen(t, &fake{}, func(o *Options) { o.Profiling = true })
	for _, path := range paths {
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"} {
			got := ask(t, s, method, path, "")
			got.want(t, http.StatusMethodNotAllowed, `{"error":"only GET and HEAD are answered"}`)
			if allow := got.header.Get("Allow"); allow != "GET, HEAD" {
				t.Errorf("%s %s: Allow is %q", method, path, allow)
			}
		}
	}
	ask(t, s, http.MethodOptions, "*", "").want(t, http.StatusMethodNotAllowed)
	if got := ask(t, s, http.MethodHead, "/tree", ""); got.status != http.StatusOK || got.body != "" {
		t.Errorf("HEAD got %d and %q", got.status, got.body)
	}
}

// No answer invites another origin, may be kept or can be taken for something else.
func TestHeaders(t *testing.T) {
	s := listen(t, &fake{}, func(o *Options) { o.Profiling = true })
	for _, path := range paths {
		header := get(t, s, path).header
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin":  "",
			"Cache-Control":                "no-store",
			"X-Content-Type-Options":       "nosniff",
			"Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		if kind := header.Get("Content-Type"); path != "/metrics" && path != "/debug/pprof/" && kind != "application/json" {
			t.Errorf("%s: Content-Type is %q", path, kind)
		}
	}
}

func TestPathsAreTakenAsTheyAre(t *testing.T) {
	s := listen(t, &fake{}, nil)
	for _, path := range []string{"/", "/tree/", "/./tree", "/x/../tree", "/TREE", "/tree%00", "/%2e%2e/tree",
		"/metrics/", "/debug/pprof/../../tree", "/" + strings.Repeat("a", 4000)} {
		get(t, s, path).want(t, http.StatusNotFound, `{"error":`, "/explain", "/subscribers")
	}
	get(t, s, "/tree?a=b;c&%zz").want(t, http.StatusOK)
}

func TestHostOnLoopback(t *testing.T) {
	tests := map[string]struct {
		host   string
		status int
	}{
		"address and port":     {"127.0.0.1:8081", http.StatusOK},
		"address":              {"127.0.0.1", http.StatusOK},
		"IPv6":                 {"[::1]:8081", http.StatusOK},
		"IPv6 without port":    {"[::1]", http.StatusOK},
		"localhost":            {"localhost:8081", http.StatusOK},
		"in capitals":          {"LOCALHOST", http.StatusOK},
		"another host":         {"evil.example:8081", http.StatusMisdirectedRequest},
		"one that begins so":   {"127.0.0.1.evil.example", http.StatusMisdirectedRequest},
		"one that ends so":     {"evil.localhost", http.StatusMisdirectedRequest},
		"a number, no address": {"2130706433", http.StatusMisdirectedRequest},
		"not even a host":      {"a:b:c", http.StatusMisdirectedRequest},
	}
	s := listen(t, &fake{}, nil)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			ask(t, s, http.MethodGet, "/healthz", test.host).want(t, test.status)
		})
	}
}

func TestHostElsewhere(t *testing.T) {
	at := func(address string, ip string) *guard {
		return newGuard(nil, Options{Address: address}, &net.TCPAddr{IP: net.ParseIP(ip)})
	}
	tests := map[string]struct {
		guard *guard
		host  string
		want  bool
	}{
		"all interfaces":               {at(":8081", "0.0.0.0"), "pbx.example", true},
		"one that is not loopback":     {at("10.0.0.1:8081", "10.0.0.1"), "pbx.example", true},
		"configured by name":           {at("pbx.internal:8081", "127.0.0.1"), "PBX.internal:9", true},
		"configured by another":        {at("pbx.internal:8081", "127.0.0.1"), "other.internal", false},
		"an old client that sends non": {at("127.0.0.1:8081", "127.0.0.1"), "", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := test.guard.meant(test.host); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// raw sends bytes and returns all that comes back until the server closes the connection.
func raw(t *testing.T, s *Server, text string) string {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	// The server may have seen enough before all is written.
	_, _ = io.WriteString(conn, text)
	all, err := io.ReadAll(conn)
	if err, ok := err.(net.Error); ok && err.Timeout() {
		t.Fatalf("the connection stays open; got %q", all)
	}
	return string(all)
}

// Each of these ends the connection, whatever is still to come.
func TestRequestsThatEndTheConnection(t *testing.T) {
	const get = "GET /tree HTTP/1.1\r\nHost: localhost\r\n"
	tests := map[string]struct {
		request string
		want    string // the beginning; empty means nothing
	}{
		"nothing":                     {"", ""},
		"half a request line":         {"GET /tr", "HTTP/1.1 400"},
		"a path that begins twice":    {"GET //tree HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "HTTP/1.1 404"},
		"a host with a user":          {"GET /tree HTTP/1.1\r\nHost: localhost@evil.example\r\nConnection: close\r\n\r\n", "HTTP/1.1 4"},
		"no end of the head":          {get + "A: b\r\n", ""},
		"a body":                      {get + "Content-Length: 5\r\n\r\nhello", "HTTP/1.1 413"},
		"a body that does not come":   {get + "Content-Length: 100000\r\n\r\nhel", "HTTP/1.1 413"},
		"an endless body":             {get + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "HTTP/1.1 413"},
		"a body asked for first":      {get + "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n", "HTTP/1.1 413"},
		"two lengths":                 {get + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 400"},
		"a length and chunks":         {get + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 413"},
		"a large header":              {get + "A: " + strings.Repeat("a", 1<<20) + "\r\n\r\n", "HTTP/1.1 431"},
		"many headers":                {get + strings.Repeat("A: b\r\n", 100_000) + "\r\n", "HTTP/1.1 431"},
		"a long path":                 {"GET /" + strings.Repeat("a", 1<<20) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 431"},
		"no host":                     {"GET /tree HTTP/1.1\r\n\r\n", "HTTP/1.1 400"},
		"two hosts":                   {get + "Host: localhost\r\n\r\n", "HTTP/1.1 400"},
		"another protocol":            {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 400"},
		"a TLS greeting":              {"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + strings.Repeat("\x00", 200) + "\r\n\r\n", "HTTP/1.1 400"},
		"HTTP/2 without asking":       {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1."},
		"an upgrade":                  {get + "Connection: upgrade, close\r\nUpgrade: websocket\r\n\r\n", "HTTP/1.1 200"},
		"a proxy's request":           {"CONNECT tree:80 HTTP/1.1\r\nHost: tree:80\r\nConnection: close\r\n\r\n", "HTTP/1.1 405"},
		"an old client":               {"GET /healthz HTTP/1.0\r\n\r\n", "HTTP/1.0 200"},
		"the URL of another host":     {"GET http://evil.example/tree HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "HTTP/1.1 421"},
		"a line feed in a header":     {get + "A: b\n\n\r\nConnection: close\r\n\r\n", "HTTP/1.1 "},
		"two requests, the 2nd wrong": {"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nnonsense\r\n\r\n", "HTTP/1.1 200"},
	}
	s := listen(t, &fake{tree: sampleTree()}, func(o *Options) {
		o.ReadTimeout, o.IdleTimeout = 200*time.Millisecond, 200*time.Millisecond
	})
	t.Run("at once", func(t *testing.T) {
		for name, test := range tests {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				got := raw(t, s, test.request)
				// A connection that is closed with much unread is reset, and the answer may be lost with it.
				lost := got == "" && len(test.request) > 64<<10
				if !strings.HasPrefix(got, test.want) && !lost {
					t.Errorf("got %.200q, want %q", got, test.want)
				}
				if test.want == "" && got != "" {
					t.Errorf("got %.200q, want nothing", got)
				}
			})
		}
	})
	ask(t, s, http.MethodGet, "/healthz", "").want(t, http.StatusOK)
}

// Connections that only wait make room for new ones, the one that has waited longest first.
func TestConnectionsAreBounded(t *testing.T) {
	tests := map[string]struct{ set, want int }{
		"by default": {0, 32},
		"as set":     {2, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := listen(t, &fake{}, func(o *Options) { o.Connections = test.set })
			var open []net.Conn
			for range test.want + 1 {
				conn, err := net.Dial("tcp", s.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				open = append(open, conn)
			}
			if err := open[0].SetReadDeadline(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			if n, err := open[0].Read(make([]byte, 1)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the connection that waited longest: %d bytes, %v, want it closed", n, err)
			}
			if got := s.o.refused.total(tooMany); got != 1 {
				t.Errorf("%d counted, want 1", got)
			}
			for i, conn := range open[1:] {
				fmt.Fprint(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
				response, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil {
					t.Fatalf("connection %d: %v", i+1, err)
				}
				response.Body.Close()
			}
		})
	}
}

// busy is a source that answers when it is released.
type busy struct {
	fake
	asked, release chan struct{}
}

func (b *busy) Ready() []introspect.Problem {
	b.asked <- struct{}{}
	<-b.release
	return nil
}

// One more than are allowed is closed at once while all others are being answered.
func TestBusyConnectionsStay(t *testing.T) {
	const most = 3
	source := &busy{asked: make(chan struct{}, most), release: make(chan struct{})}
	s := listen(t, source, func(o *Options) { o.Connections = most })
	t.Cleanup(sync.OnceFunc(func() { close(source.release) }))
	for range most {
		conn, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
		<-source.asked
	}
	if got := raw(t, s, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); got != "" {
		t.Errorf("one too many got %q", got)
	}
}

// A source that panics is a bug of ours; it costs the one answer and nothing else.
func TestSourceThatPanics(t *testing.T) {
	s := listen(t, &fake{panics: true}, nil)
	for _, path := range []string{"/healthz", "/readyz", "/tree", "/deadletters", "/refusals", "/cluster"} {
		got := get(t, s, path)
		got.want(t, http.StatusInternalServerError, `{"error":"the page could not be made"}`)
		if strings.Contains(got.body, "broken") {
			t.Errorf("%s shows the reason: %s", path, got.body)
		}
	}
	get(t, s, "/metrics").want(t, http.StatusOK, "go_goroutines")
}
